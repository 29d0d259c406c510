/** One message by POST, in requests a second: key, API limit, accept. Beside what others do with a request, and beside nothing. */
import { startApi } from "../api.ts";
import { CONNECTIONS, load, type Answered } from "../http-load.ts";
import { contentOf } from "../messages.ts";
import { emptyHandler, limitAndAdd, type HttpPeer } from "../peers/http.ts";
import { benchRedis, type BenchRedis, type Fsync } from "../redis.ts";
import { figure, median } from "../report.ts";
import { inRounds, ratios } from "../rounds.ts";
import type { Form, Group } from "../row.ts";
import { aSystem } from "../system.ts";

const SIZES = {
  quick: { seconds: 2, rounds: 3, withinMs: 14_000 },
  long: { seconds: 8, rounds: 5, withinMs: 600_000 },
} as const;
const KEY = "Bearer a-key-of-a-caller-of-the-peer";

/** Of few connections those that wait for Redis are most; of many there is always one whose turn it is. */
const CONNECTIONS_OF_MANY = 4 * CONNECTIONS;

interface Meeting {
  readonly fsync: Fsync;
  readonly connections: number;
}

const namesOf = (form: Form, { fsync, connections }: Meeting) => {
  const end = `${fsync === "none" ? "" : `-${fsync}`}-${SIZES[form].seconds}s`;
  return {
    toPeer: `post-one-c${connections}-to-fastify-limit-and-bullmq${end}`,
    toEmpty: `post-one-c${connections}-to-empty-handler${end}`,
  };
};

const MEETINGS: readonly Meeting[] = [
  { fsync: "none", connections: CONNECTIONS },
  { fsync: "none", connections: CONNECTIONS_OF_MANY },
  { fsync: "everysec", connections: CONNECTIONS },
  { fsync: "always", connections: CONNECTIONS },
];

/** With appends to disk in the long form, and against the peer alone: an empty handler writes nothing. */
const meetingsOf = (form: Form): readonly Meeting[] =>
  MEETINGS.filter(({ fsync }) => form === "long" || fsync === "none");

/** What was answered with 202 is there, and nothing else but what was under way at the end. */
const mustHold = (what: string, accepted: number, answered: Answered, connections: number): void => {
  if (accepted < answered.count || accepted > answered.count + 2 * connections)
    throw new Error(`${what} answered ${answered.count} times with 202, and ${accepted} messages are there`);
};

interface Run {
  readonly seconds: number;
  readonly connections: number;
}

const ofSluice = (redis: BenchRedis, run: Run) => async (): Promise<number> => {
  await redis.empty();
  const system = aSystem({ redis });
  try {
    const { origin, account, key } = await startApi(system);
    const headers = { authorization: `Bearer ${key}` };
    const answered = await load({ url: `${origin}/v1/email/send`, headers, body: contentOf(1), ...run });
    const { email } = await system.services.looking.queues(account);
    mustHold("Sluice", email.queued + email.throttled, answered, run.connections);
    return answered.perSecond;
  } finally {
    await system.close();
  }
};

const ofPeer = (redis: BenchRedis, run: Run, start: () => Promise<HttpPeer>, writes: boolean) => async () => {
  await redis.empty();
  const peer = await start();
  try {
    const headers = { authorization: KEY };
    const answered = await load({ url: `${peer.origin}/v1/email/send`, headers, body: contentOf(1), ...run });
    if (writes) mustHold("the peer", await peer.accepted(), answered, run.connections);
    return answered.perSecond;
  } finally {
    await peer.close();
  }
};

export const http: Group = {
  names: (form) =>
    meetingsOf(form).flatMap((meeting) =>
      Object.values(namesOf(form, meeting)).slice(0, meeting.fsync === "none" ? 2 : 1),
    ),
  run: async (bench) => {
    const { seconds, rounds, withinMs } = SIZES[bench.form];
    for (const meeting of meetingsOf(bench.form)) {
      const { fsync, connections } = meeting;
      const names = namesOf(bench.form, meeting);
      const run = { seconds, connections };
      if (!Object.values(names).some(bench.isWanted)) continue;
      const redis = await benchRedis(fsync);
      try {
        const contenders: Record<string, () => Promise<number>> = {
          sluice: ofSluice(redis, run),
          peer: ofPeer(redis, run, () => limitAndAdd(redis, KEY.slice("Bearer ".length), 1_000_000_000), true),
          ...(fsync === "none" ? { empty: ofPeer(redis, run, emptyHandler, false) } : {}),
        };
        const { sluice = [], peer = [], empty = [] } = await inRounds(rounds, contenders, { withinMs });
        const row = { kind: "measured", unit: "×" } as const;
        const note = (what: string, theirs: readonly number[]): string =>
          `${figure(median(sluice))}/s ÷ ${what} ${figure(median(theirs))}/s, ${connections} connections, fsync ${fsync}`;
        bench.tell({
          ...row,
          name: names.toPeer,
          values: ratios(sluice, peer),
          must: { atLeast: 1.3 },
          aim: { atLeast: 1.6 },
          note: note("@fastify/rate-limit + BullMQ add", peer),
        });
        if (fsync !== "none") continue;
        bench.tell({
          ...row,
          name: names.toEmpty,
          values: ratios(sluice, empty),
          must: { atLeast: 0.4 },
          aim: { atLeast: 0.55 },
          note: note("empty handler", empty),
        });
      } finally {
        await redis.close();
      }
    }
  },
};
