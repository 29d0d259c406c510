/** Messages while there is trouble: producers that go on, and the judgement that all went on by itself and went once. */
import { expect } from "@jest/globals";
import { until } from "./until.ts";
import type { Answer, World } from "./world.ts";

/** Producers that go on whatever they are told; every 202 is noted. */
export const traffic = (world: World) => {
  const accepted: string[] = [];
  const refused: Answer[] = [];
  const over = new AbortController();
  const producer = async (lane: number): Promise<void> => {
    for (let n = 0; !over.signal.aborted; n++) {
      const answer = await world.send((2_000 * lane + n) % 9_000, lane % 2 === 0 ? "email" : "sms");
      if (answer.status === 202) accepted.push(answer.body.id);
      else refused.push(answer);
    }
  };
  const producers = [0, 1, 2, 3].map(producer);
  return {
    accepted,
    refused,
    end: async () => {
      over.abort();
      await Promise.all(producers);
    },
  };
};

export type Traffic = ReturnType<typeof traffic>;

/** By the provider's ledger. What was refused, or not heard of, may have been taken all the same: once at most. */
export const expectEachOnce = (world: World, running: Traffic): void => {
  const arrivals = world.ledger.map((entry) => entry.message_id);
  const times = new Map<string, number>();
  for (const id of arrivals) times.set(id, (times.get(id) ?? 0) + 1);
  const channelOf = (id: string) => world.ledger.find((entry) => entry.message_id === id)?.channel;
  const wrong = running.accepted.filter((id) => times.get(id) !== 1);
  expect(wrong.map((id) => ({ id, channel: channelOf(id), arrived: times.get(id) ?? 0 }))).toEqual([]);
  expect(arrivals.length - times.size).toBe(0);
};

const noneSending = async (world: World) => (await world.core.commands.exists(`${world.core.keys.cell}sending`)) === 0;

/** As often as an attempt may be put off by one trouble; nothing that is sent here has a time of its own. */
const MOST_PUT_OFF = 5;

/** The answer to a begin that came late finds an attempt's time over: it is not called, and tried again after its backoff. */
const untilNoneIsPutOff = async (world: World): Promise<void> => {
  await world.quiet();
  for (let time = 0; time < MOST_PUT_OFF; time++) {
    const [, last] = await world.core.commands.zrange(`${world.core.keys.cell}scheduled`, "-1", "-1", "WITHSCORES");
    if (last === undefined) return;
    await world.advanceTo(Math.max(world.now(), Number(last)));
    await world.quiet();
  }
};

/** From the moment at which the trouble is over. Answers how long it took until messages went again, in ms. */
export const expectAllToGoOn = async (world: World, running: Traffic): Promise<number> => {
  const resumedAt = performance.now();
  const before = world.ledger.length;
  const accepted = running.accepted.length;
  await until(() => world.ledger.length > before && running.accepted.length > accepted, {
    what: "messages to go again",
    within: 15_000,
  });
  const resumedIn = performance.now() - resumedAt;
  await running.end();
  // What was released to a reply that nobody heard is found once it has been so for three seconds.
  for (let look = 0; look < 2; look++) {
    await until(() => noneSending(world), { what: "no attempt to be in flight", within: 15_000 });
    await world.advanceTo(world.now() + 3_100);
  }
  await untilNoneIsPutOff(world);
  expect(performance.now() - resumedAt).toBeLessThan(20_000);
  expect((await world.call("GET", "/readyz")).status).toBe(200);
  expectEachOnce(world, running);
  for (const id of running.accepted.slice(-20))
    expect((await world.as("GET", `/v1/messages/${id}`)).body.status).toBe("sent");
  expect(running.refused.filter(({ status }) => status !== 503)).toEqual([]);
  return resumedIn;
};
