/** What a large backlog of accounts without quota costs everybody else: a fresh account's message, and Redis's rest. */
import { setTimeout as wait } from "node:timers/promises";
import { commandsDuring } from "../client-commands.ts";
import { newLedger } from "../ledger.ts";
import { REQUEST_OF, REQUESTS_AT_ONCE } from "../contender.ts";
import { inParallel } from "../in-parallel.ts";
import { requestsOf } from "../messages.ts";
import { quotasInTheProcessor } from "../peers/rate-limiter-flexible.ts";
import { atOnce, nullProvider } from "../provider.ts";
import { benchRedis, type BenchRedis } from "../redis.ts";
import { figure, percentile } from "../report.ts";
import { ratios } from "../rounds.ts";
import { sized, type Bench, type Form, type Group } from "../row.ts";
import { accountNumber, aSystem, type System } from "../system.ts";
import { until } from "../until.ts";

const SIZES = {
  quick: { waiting: 100_000, accounts: 10_000, rounds: 3, trials: 40, idleMs: 10_000, peerBlocked: 10_000 },
  long: { waiting: 1_000_000, accounts: 100_000, rounds: 5, trials: 100, idleMs: 30_000, peerBlocked: 50_000 },
} as const;
const FEW = 100;
/** No quota until tomorrow: an hour's end in the middle of the run would let all of them be looked at again. */
const NO_QUOTA = { day: 0 };
const PLENTY = { hour: 1_000, day: 10_000 };
/** Numbers of accounts, and of messages, that are nobody else's. */
const FRESH = 10_000_000;

const namesOf = (form: Form) => {
  const { waiting, accounts, peerBlocked } = SIZES[form];
  return {
    p50: `fresh-behind-${sized(waiting)}-p50`,
    p99: `fresh-behind-${sized(waiting)}-p99`,
    growth: `fresh-p50-${sized(accounts)}-accounts-to-${FEW}`,
    peer: `fresh-behind-${sized(peerBlocked)}-rlf`,
    idle: `idle-commands-${sized(waiting)}`,
    idleInScripts: `idle-commands-${sized(waiting)}-with-those-in-scripts`,
  };
};

/** A system whose messages all wait for tomorrow, and one that can be asked how soon a fresh account's goes. */
const blocked = async (redis: BenchRedis, cell: string, accounts: number, waiting: number) => {
  const system = aSystem({ redis, cell });
  let arrived = (_at: number): void => {};
  const provider = nullProvider((account) => {
    if (account < FRESH) throw new Error(`a message of account ${account} left, which has no quota`);
    arrived(performance.now());
  }, accountNumber);
  await system.accounts(0, accounts, NO_QUOTA);
  await inParallel(requestsOf(waiting, accounts, REQUEST_OF), 8, system.accept);
  await system.startWorker(provider);
  const parked = `${system.core.keys.cell}parked`;
  await until(`${accounts} parked accounts`, async () => (await redis.look.zcard(parked)) >= accounts);
  let trials = 0;
  return {
    system,
    prepare: (count: number) => system.accounts(FRESH + trials, count, PLENTY),
    trial: async (): Promise<number> => {
      const n = FRESH + trials++;
      const left = new Promise<number>((resolve) => {
        arrived = resolve;
      });
      const startedAt = performance.now();
      await system.acceptOne(n, n);
      const tookMs = (await left) - startedAt;
      await system.settled(trials);
      // Of chance length, so that trials do not fall into step with the gate's own ticks.
      await wait(5 + Math.random() * 40);
      return tookMs;
    },
  };
};

interface Trials {
  readonly p50: number[];
  readonly p99: number[];
}

const roundOf = async (of: Awaited<ReturnType<typeof blocked>>, trials: number, into: Trials): Promise<void> => {
  await of.prepare(trials);
  const times: number[] = [];
  for (let trial = 0; trial < trials; trial++) times.push(await of.trial());
  into.p50.push(percentile(times, 50));
  into.p99.push(percentile(times, 99));
};

const tellIdle = async (bench: Bench, redis: BenchRedis, system: System): Promise<void> => {
  const names = namesOf(bench.form);
  const { idleMs } = SIZES[bench.form];
  const values: number[] = [];
  const all: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { byClients, inScripts } = await commandsDuring(redis.socket, idleMs / 3);
    values.push((byClients / idleMs) * 3_000);
    all.push(((byClients + inScripts) / idleMs) * 3_000);
  }
  const queues = await system.services.looking.queues(null);
  const note = `one gate, one worker; ${figure(queues.email.queued + queues.email.throttled)} waiting`;
  bench.tell({
    kind: "measured",
    name: names.idle,
    values,
    unit: "/s",
    must: { atMost: 10 },
    aim: { atMost: 5 },
    note: `commands that clients send; ${note}`,
  });
  bench.tell({ kind: "measured", name: names.idleInScripts, values: all, unit: "/s", note: "as INFO counts them" });
};

/** A tenant's first job, handed in right after as many jobs of others as are blocked. */
const freshBehindThePeer = async (bench: Bench): Promise<void> => {
  const { peerBlocked } = SIZES[bench.form];
  const redis = await benchRedis("none");
  const ledger = newLedger(peerBlocked + 1);
  const limit = (account: number): number => (account === FEW ? 1_000 : 0);
  const peer = await quotasInTheProcessor({ redis, ledger, latency: atOnce, concurrency: 100, limit });
  try {
    await inParallel(requestsOf(peerBlocked, FEW, REQUEST_OF), REQUESTS_AT_ONCE, peer.add);
    const startedAt = performance.now();
    await peer.add({ account: FEW, numbers: [peerBlocked] });
    await ledger.reached(1, 120_000);
    bench.tell({
      kind: "measured",
      name: namesOf(bench.form).peer,
      values: [performance.now() - startedAt],
      unit: "ms",
      note: "BullMQ + rate-limiter-flexible: right behind as many blocked jobs of 100 tenants",
    });
  } finally {
    await peer.close();
    await redis.close();
  }
};

export const backlog: Group = {
  names: (form) => Object.values(namesOf(form)),
  run: async (bench) => {
    const names = namesOf(bench.form);
    const { waiting, accounts, rounds, trials } = SIZES[bench.form];
    if (bench.isWanted(names.peer)) await freshBehindThePeer(bench);
    if (!Object.values(names).some((name) => name !== names.peer && bench.isWanted(name))) return;
    const redis = await benchRedis("none");
    const opened: System[] = [];
    try {
      bench.say(`${figure(waiting)} waiting messages of ${figure(accounts)} accounts, and as many of ${FEW}`);
      const many = await blocked(redis, "many", accounts, waiting);
      opened.push(many.system);
      const few = await blocked(redis, "few", FEW, waiting);
      opened.push(few.system);
      const [ofMany, ofFew]: [Trials, Trials] = [
        { p50: [], p99: [] },
        { p50: [], p99: [] },
      ];
      for (let round = 0; round < rounds; round++) {
        await roundOf(many, trials, ofMany);
        await roundOf(few, trials, ofFew);
      }
      const note = `accept to worker, ${trials} trials a round, ${figure(accounts)} accounts without quota`;
      const timed = { kind: "measured", unit: "ms", note } as const;
      bench.tell({ ...timed, name: names.p50, values: ofMany.p50, must: { atMost: 4 }, aim: { atMost: 2 } });
      bench.tell({ ...timed, name: names.p99, values: ofMany.p99, must: { atMost: 20 }, aim: { atMost: 8 } });
      bench.tell({
        kind: "measured",
        name: names.growth,
        values: ratios(ofMany.p50, ofFew.p50),
        unit: "×",
        must: { atMost: 1.3 },
        aim: { atMost: 1.1 },
        note: `${figure(percentile(ofMany.p50, 50))} ms ÷ ${figure(percentile(ofFew.p50, 50))} ms`,
      });
      await few.system.close();
      opened.pop();
      if (bench.isWanted(names.idle)) await tellIdle(bench, redis, many.system);
    } finally {
      for (const system of opened) await system.close();
      await redis.close();
    }
  },
};
