/**
 * Places where a process may be told to die, for tests: between two steps of which one has been taken and the other
 * has not. kill -9 from outside hits them by luck; a point hits each one every time.
 */
export const FAULT_POINTS = [
  /** API: the request is right, nothing is written. */
  "accept.validated",
  /** API: everything is written, nobody has been told. */
  "accept.written",
  /** Gate: released, and no job carries it. */
  "gate.released",
  /** Gate: released anew by the sweeper, and no job carries it. */
  "gate.sweeping",
  /** Worker: BullMQ has given it a job. */
  "worker.fetched",
  /** Worker: the message is `sending`, and the provider knows nothing. */
  "worker.begun",
  /** Worker: the last byte has gone to the provider, which has not answered. */
  "provider.written",
  /** Worker: the provider has answered, and Redis does not know. */
  "worker.replied",
  /** Worker: Redis knows, and BullMQ has not been told that the job is over. */
  "worker.settled",
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/** Called as each point is passed. */
export type PassPoint = (point: FaultPoint) => void;

export interface Fault {
  readonly point: FaultPoint;
  /** At which pass, from 1. */
  readonly nth: number;
}

export const FAULT_EXPECTED = `a point and at which pass, such as worker.begun:1 (points: ${FAULT_POINTS.join(", ")})`;

export const parseFault = (text: string): Fault | undefined => {
  const [, name, digits] = /^([a-z.]+):([1-9][0-9]{0,8})$/.exec(text) ?? [];
  const point = FAULT_POINTS.find((each) => each === name);
  return point === undefined ? undefined : { point, nth: Number(digits) };
};

const passedOver: PassPoint = () => {};

/** @param die must not return: a process that goes on after its death would prove nothing */
export const faultPoints = (fault: Fault | null, die: () => void): PassPoint => {
  if (fault === null) return passedOver;
  let passes = 0;
  return (point) => {
    if (point === fault.point && ++passes === fault.nth) die();
  };
};
