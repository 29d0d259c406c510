/** What must be so after every step, whatever happened: every count equals what it counts, every ring what it says. */
import { CLASSES } from "../../../src/domain/channel.ts";
import { num, hasEnded, stateOf, type Cast, type CellState } from "./state.ts";

export interface Message {
  readonly id: string;
  readonly account: string;
  readonly channel: string;
  readonly class: string;
  readonly sender: string;
  readonly expiresAt: number | null;
}

export const chainOf = (m: Message): readonly string[] => [
  `S|${m.account}|${m.channel}|${m.sender}`,
  `C|${m.account}|${m.channel}`,
  `A|${m.account}`,
];

const MOST_TRIES = 3;
const DEBT_CAP = 10;

type Counts = Map<string, number>;
const count = (counts: Counts, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

/** What the messages' states add up to. */
const truthOf = (state: CellState, messages: readonly Message[]) => {
  const counts = { held: new Map(), live: new Map(), out: new Map(), on: new Map(), open: new Map() } as Record<
    "held" | "live" | "out" | "on" | "open",
    Counts
  >;
  for (const m of messages) {
    const is = stateOf(state, m.id);
    const on = `${m.account}:${m.channel}`;
    count(counts.on, `${on} ${is}`);
    count(counts.on, `${m.channel} ${is}`);
    if (!hasEnded(is)) count(counts.open, m.account);
    if (is === "released" || is === "sending") for (const scope of chainOf(m)) count(counts.held, scope);
    if (is === "released") count(counts.out, `S|${m.account}|${m.channel}|${m.sender}`);
    if (is === "queued") {
      count(counts.live, `${on}:${m.class}:${m.sender}`);
      count(counts.on, `${on} live_${m.class}`);
    }
  }
  return counts;
};

export const violations = (state: CellState, cast: Cast, messages: readonly Message[]): string[] => {
  const bad: string[] = [];
  const same = (what: string, is: number, truth: number | undefined): void => {
    if (is !== (truth ?? 0)) bad.push(`${what} is ${is}, truth ${truth ?? 0}`);
  };
  const truth = truthOf(state, messages);

  for (const [scope, q] of Object.entries(state.q)) {
    same(`held of ${scope}`, num(q, "held"), truth.held.get(scope));
    if (scope.startsWith("S|")) same(`out of ${scope}`, num(q, "out"), truth.out.get(scope));
  }
  for (const account of cast.accounts)
    same(`open of ${account}`, num(state.acc[account], "open"), truth.open.get(account));

  const lanesOf = (on: string, klass: string): string[] =>
    cast.senders.filter(
      (sender) => `${on}:${klass}:${sender}` in state.ln && !state.ln[`${on}:${klass}:${sender}`]?.["parked"],
    );
  for (const name of new Set([...Object.keys(state.ln), ...Object.keys(state.lane), ...truth.live.keys()])) {
    const [account, channel, klass, sender] = name.split(":") as [string, string, string, string];
    const ln = state.ln[name];
    same(`live of ${name}`, num(ln, "live"), truth.live.get(name));
    same(`parked entry of ${name}`, Number(`L|${name}` in state.parked), Number(ln?.["parked"] !== undefined));
    if (!Object.values(state.lanes[`${account}:${channel}`] ?? {}).includes(`${klass}:${sender}`))
      bad.push(`${name} is not among the lanes`);
    const seen = new Set<string>();
    for (const id of Object.values(state.lane[name] ?? {})) {
      if (stateOf(state, id) !== "queued") continue;
      if (seen.has(id)) bad.push(`${id} is twice in ${name}`);
      seen.add(id);
      const says = Number(state.x[id]?.["n"] ?? state.number[id]) - num(ln, "popped");
      if (says < seen.size) bad.push(`${id} is told at most ${says}, is ${seen.size} in ${name}`);
    }
    same(`waiting ids in ${name}`, seen.size, truth.live.get(name));
  }

  for (const channel of cast.channels) {
    const sums: Record<string, number> = {};
    for (const account of cast.accounts) {
      const on = `${account}:${channel}`;
      const ac = state.ac[on] ?? {};
      const parked = `A|${account}|${channel}` in state.parked;
      same(`parked entry of ${on}`, Number(parked), Number("parked" in ac));
      let any = false;
      let laneParked = 0;
      let lanePaced = 0;
      for (const klass of CLASSES) {
        const lanes = lanesOf(on, klass);
        any ||= lanes.length > 0;
        const inner = Object.keys(state.inner[`${on}:${klass}`] ?? {});
        if ([...inner].sort().join() !== [...lanes].sort().join())
          bad.push(`inner ring ${on}:${klass} has ${inner}, should ${lanes}`);
        same(`in_${klass} of ${on}`, num(ac, `in_${klass}`), lanes.length);
        same(`live_${klass} of ${on}`, num(ac, `live_${klass}`), truth.on.get(`${on} live_${klass}`));
        for (const sender of cast.senders) {
          const ln = state.ln[`${on}:${klass}:${sender}`];
          if (ln?.["parked"]) laneParked += num(ln, "live");
          if (ln?.["parked"] && !ln["held_by"]?.includes(".")) lanePaced += num(ln, "live");
        }
      }
      const inA = account in (state.a[channel] ?? {});
      const inH = account in (state.h[channel] ?? {});
      same(`ring A has ${on}`, Number(inA), Number(any && !parked));
      same(`in_ring_a of ${on}`, num(ac, "in_ring_a"), Number(inA));
      same(`in_ring_h of ${on}`, num(ac, "in_ring_h"), Number(inH));
      const urgent = lanesOf(on, "high").length > 0 && !parked;
      const weight = num(state.acc[account], "weight") || 1;
      if (urgent && num(ac, "debt") < DEBT_CAP * weight && !inH) bad.push(`${on} is urgent and not in H`);
      if (!urgent && inH) bad.push(`${on} is in H and not urgent`);
      same(`lane_parked of ${on}`, num(ac, "lane_parked"), laneParked);
      const queued = truth.on.get(`${on} queued`) ?? 0;
      const isStopped = ac["paused"] === "1" || ac["parked"] === "2";
      const throttled = isStopped || ac["parked"] === "1" ? queued : laneParked;
      same(`throttled of ${on}`, num(ac, "throttled"), throttled);
      const paced = isStopped ? queued : ac["parked"] === "1" ? 0 : lanePaced;
      same(`paced of ${on}`, num(ac, "paced"), paced);
      sums["paced"] = (sums["paced"] ?? 0) + paced;
      sums["throttled"] = (sums["throttled"] ?? 0) + throttled;
      for (const is of ["queued", "scheduled", "released", "sending"])
        same(`${is} of ${on}`, num(ac, is), truth.on.get(`${on} ${is}`));
    }
    for (const is of ["queued", "scheduled", "released", "sending"])
      same(`${is} of ${channel}`, num(state.stat[channel], is), truth.on.get(`${channel} ${is}`));
    for (const is of ["throttled", "paced"]) same(`${is} of ${channel}`, num(state.stat[channel], is), sums[is]);
    same(
      `released set of ${channel}`,
      Object.keys(state.released[channel] ?? {}).length,
      truth.on.get(`${channel} released`),
    );
  }

  for (const m of messages) {
    const is = stateOf(state, m.id);
    if ((is === "scheduled") !== m.id in state.scheduled) bad.push(`${m.id} is ${is}, scheduled says otherwise`);
    if ((is === "sending") !== m.id in state.sending) bad.push(`${m.id} is ${is}, sending says otherwise`);
    if (hasEnded(is) && m.id in state.expiring) bad.push(`${m.id} is ${is} and will expire`);
    if (m.expiresAt !== null && !hasEnded(is) && is !== "sending" && is !== "asking" && !(m.id in state.expiring))
      bad.push(`${m.id} is ${is} and will never expire`);
    if (num(state.x[m.id], "tries") > MOST_TRIES) bad.push(`${m.id} had ${num(state.x[m.id], "tries")} tries`);
  }
  return bad;
};
