/** Real mail over SMTP to a sink in a process of its own: how soon one arrives, and how many a second. */
import { startApi } from "../api.ts";
import { startChild, type Child } from "../child.ts";
import type { Asked, Told } from "../children/mail-end.ts";
import { REQUEST_OF, REQUESTS_AT_ONCE } from "../contender.ts";
import { inParallel } from "../in-parallel.ts";
import { requestsOf } from "../messages.ts";
import { postfixHere, relayThrough } from "../peers/postfix.ts";
import { benchRedis, type BenchRedis } from "../redis.ts";
import { figure, median, percentile } from "../report.ts";
import { inRounds, ratios } from "../rounds.ts";
import { sized, type Bench, type Form, type Group } from "../row.ts";
import { aSystem } from "../system.ts";

const SIZES = {
  quick: { trials: 50, latencyRounds: 2, mails: 1_000, rounds: 3, withinMs: 10_000 },
  long: { trials: 200, latencyRounds: 5, mails: 20_000, rounds: 5, withinMs: 600_000 },
} as const;
/** SLUICE_CONCURRENCY's default for email. */
const CONCURRENCY = 50;
const ACCOUNTS = 10;

type MailEnd = Child<Asked, Told>;

const namesOf = (form: Form) => {
  const { mails } = SIZES[form];
  return {
    p50: `one-email-of-${SIZES[form].trials * SIZES[form].latencyRounds}-post-to-arrival-p50`,
    p99: `one-email-of-${SIZES[form].trials * SIZES[form].latencyRounds}-post-to-arrival-p99`,
    perSecond: `emails-over-smtp-${sized(mails)}`,
    toPostfix: `emails-over-smtp-${sized(mails)}-to-postfix`,
  };
};

const withMailEnd = async (work: (end: MailEnd, port: number) => Promise<void>): Promise<void> => {
  const end = startChild<Asked, Told>("children/mail-end.ts");
  try {
    await work(end, (await end.told("listening")).port);
  } finally {
    await end.end();
  }
};

const arrived = async (end: MailEnd, count: number): Promise<void> => {
  const { twice } = await end.told("reached", 300_000);
  if (twice > 0) throw new Error(`of ${count} mails, ${twice} arrived more than once`);
};

const tellLatency = (bench: Bench, redis: BenchRedis): Promise<void> =>
  withMailEnd(async (end, port) => {
    const { trials, latencyRounds } = SIZES[bench.form];
    const names = namesOf(bench.form);
    await redis.empty();
    const system = aSystem({ redis, concurrency: CONCURRENCY, smtpUrl: `smtp://127.0.0.1:${port}` });
    try {
      await system.startWorker();
      const { origin, key } = await startApi(system);
      const rounds: number[][] = [];
      // The first is for code that has not run yet.
      for (let round = 0; round <= latencyRounds; round++) {
        end.ask({ kind: "expect", count: trials });
        end.ask({ kind: "send", origin, key, from: round * trials, count: trials });
        const { ms } = await end.told("times");
        if (round > 0) rounds.push([...ms]);
      }
      const row = {
        kind: "measured",
        unit: "ms",
        note: `POST to its last byte at the sink, one at a time, ${trials} a round, fsync always`,
      } as const;
      bench.tell({
        ...row,
        name: names.p50,
        values: rounds.map((ms) => percentile(ms, 50)),
        must: { atMost: 10 },
        aim: { atMost: 5 },
      });
      bench.tell({
        ...row,
        name: names.p99,
        values: rounds.map((ms) => percentile(ms, 99)),
        must: { atMost: 40 },
        aim: { atMost: 20 },
      });
    } finally {
      await system.close();
    }
  });

/** From the first accepted to the last that arrived. */
const ofSluice = (redis: BenchRedis, end: MailEnd, port: number, mails: number) => async (): Promise<number> => {
  await redis.empty();
  const system = aSystem({ redis, concurrency: CONCURRENCY, smtpUrl: `smtp://127.0.0.1:${port}` });
  try {
    await system.accounts(0, ACCOUNTS, { hour: mails, day: mails });
    await system.startWorker();
    end.ask({ kind: "expect", count: mails });
    const all = arrived(end, mails);
    const startedAt = performance.now();
    await Promise.all([inParallel(requestsOf(mails, ACCOUNTS, REQUEST_OF), REQUESTS_AT_ONCE, system.accept), all]);
    const tookMs = performance.now() - startedAt;
    await system.settled(mails);
    return (mails / tookMs) * 1_000;
  } finally {
    await system.close();
  }
};

const tellThroughput = (bench: Bench, redis: BenchRedis): Promise<void> =>
  withMailEnd(async (end, port) => {
    const { mails, rounds, withinMs } = SIZES[bench.form];
    const names = namesOf(bench.form);
    const postfix = await postfixHere();
    const relay = postfix.kind === "here" ? await relayThrough(port) : null;
    try {
      const contenders = {
        sluice: ofSluice(redis, end, port, mails),
        peer: async () => {
          if (relay === null) return 0;
          end.ask({ kind: "expect", count: mails });
          const all = arrived(end, mails);
          const startedAt = performance.now();
          await Promise.all([relay.send(mails), all]);
          return (mails / (performance.now() - startedAt)) * 1_000;
        },
      };
      const { sluice, peer } = await inRounds(rounds, contenders, { withinMs });
      bench.tell({
        kind: "measured",
        name: names.perSecond,
        values: sluice,
        unit: "/s",
        note: `accept to arrival at the sink, ${CONCURRENCY} in flight, fsync always`,
      });
      if (postfix.kind === "absent") bench.tell({ kind: "skipped", name: names.toPostfix, why: postfix.why });
      else
        bench.tell({
          kind: "measured",
          name: names.toPostfix,
          values: ratios(sluice, peer),
          unit: "×",
          must: { atLeast: 2 },
          aim: { atLeast: 3 },
          note: `${figure(median(sluice))}/s ÷ Postfix ${postfix.version} ${figure(median(peer))}/s, to the same sink, both with what they took in on disk`,
        });
    } finally {
      await relay?.close();
    }
  });

export const mail: Group = {
  names: (form) => Object.values(namesOf(form)),
  run: async (bench) => {
    const names = namesOf(bench.form);
    // As `npm start` has it: what was answered with 202 is on the disk, as what Postfix has taken in is.
    const redis = await benchRedis("always");
    try {
      if (bench.isWanted(names.p50) || bench.isWanted(names.p99)) await tellLatency(bench, redis);
      if (bench.isWanted(names.perSecond) || bench.isWanted(names.toPostfix)) await tellThroughput(bench, redis);
    } finally {
      await redis.close();
    }
  },
};
