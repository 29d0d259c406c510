/** The top of the hour: every account's window opens at the same instant, and all of them have something waiting. */
import { hours, systemClock } from "../../src/domain/time.ts";
import { zoneRow } from "../../src/domain/zone-row.ts";
import { putZoneRow } from "../../src/redis/scripts/put-zone-row.ts";
import { newLedger } from "../ledger.ts";
import { inParallel } from "../in-parallel.ts";
import { requestsOf } from "../messages.ts";
import { scriptsSeen, summed, watchScripts } from "../profile/redis-time.ts";
import { nullProvider } from "../provider.ts";
import { benchRedis, type BenchRedis } from "../redis.ts";
import { figure, percentile } from "../report.ts";
import { sized, type Form, type Group } from "../row.ts";
import { accountNumber, aSystem, type System } from "../system.ts";
import { until } from "../until.ts";

const SIZES = {
  quick: { accounts: 2_000, rounds: 2 },
  long: { accounts: 10_000, rounds: 5 },
} as const;
const LIMIT = 10;
/** Two more than may go, so that a window that lets too much through is seen. */
const WAITING_EACH = 12;
const ZONE = "Etc/GMT";
/** Microseconds: below it a script holds up nobody, and each that is written down takes time itself. */
const SCRIPTS_FROM = 100;

const namesOf = (form: Form) => {
  const size = sized(SIZES[form].accounts);
  return {
    first: `storm-${size}-first-of-everybody`,
    p99: `storm-${size}-script-p99`,
    longest: `storm-${size}-script-max`,
  };
};

/** The zone's row, its hours beginning at `opensAt`, so that nobody waits for a real one. */
const hoursFrom = (opensAt: number, row: string): string => {
  const boundaries = Array.from({ length: 50 }, (_, at) => opensAt + (at - 1) * hours(1));
  return row.replace(/;h [^;]*/, `;h ${boundaries.join(" ")}`);
};

const USE_UP = `
local row = cmsgpack.unpack(redis.call('GET', KEYS[1]))
row['hour.start'], row['hour.end'], row['hour.used'] = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('SET', KEYS[1], cmsgpack.pack(row))`;

/** Each as it stands near the end of an hour in which it sent all that it may. */
const useUp = async ({ core }: System, accounts: number, opensAt: number): Promise<void> => {
  const { commands, keys, scripts } = core;
  await putZoneRow(scripts, ZONE, hoursFrom(opensAt, zoneRow(ZONE, systemClock.now())));
  const ids = await commands.keys(`${keys.cell}q:C|*|email`);
  if (ids.length !== accounts) throw new Error(`expected the rows of ${accounts} accounts, got ${ids.length}`);
  await inParallel(ids, 100, (key) => commands.eval(USE_UP, 1, key, opensAt - hours(1), opensAt, LIMIT));
};

interface Storm {
  readonly firstMs: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly longest: string;
}

const aStorm = async (redis: BenchRedis, accounts: number): Promise<Storm> => {
  await redis.empty();
  const system = aSystem({ redis });
  try {
    await system.accounts(0, accounts, { hour: LIMIT, day: 1_000 }, ZONE);
    const messages = accounts * WAITING_EACH;
    await inParallel(requestsOf(messages, accounts, WAITING_EACH), 8, system.accept);
    // Time enough for all of them to be parked first.
    const opensAt = systemClock.now() + 3_000 + accounts;
    await useUp(system, accounts, opensAt);
    const ledger = newLedger(messages);
    let begun = 0;
    let lastBegunAt = 0;
    const provider = nullProvider((account, n) => {
      if (systemClock.now() < opensAt) throw new Error(`account ${account} sent before its window opened`);
      if (ledger.ofAccount(account) === 0 && ++begun === accounts) lastBegunAt = systemClock.now();
      ledger.arrive(account, n);
    }, accountNumber);
    await system.startWorker(provider);
    const parked = `${system.core.keys.cell}parked`;
    await until(`${accounts} parked accounts`, async () => (await redis.look.zcard(parked)) >= accounts);
    if (systemClock.now() >= opensAt)
      throw new Error("the window opened before everybody was parked: too slow a machine");
    await watchScripts(redis.look, SCRIPTS_FROM);
    await ledger.reached(accounts * LIMIT, 180_000);
    await system.settled(accounts * LIMIT);
    const scripts = await scriptsSeen(redis.look);
    for (let account = 0; account < accounts; account++)
      if (ledger.ofAccount(account) !== LIMIT)
        throw new Error(`account ${account} sent ${ledger.ofAccount(account)} in a window of ${LIMIT}`);
    const times = scripts.map(({ microseconds }) => microseconds / 1_000);
    const longest = scripts.toSorted((a, b) => b.microseconds - a.microseconds)[0]?.what ?? "none";
    const most = summed(scripts)
      .slice(0, 4)
      .map(({ what, calls }) => `${calls} ${what}`);
    return {
      firstMs: lastBegunAt - opensAt,
      p99Ms: times.length === 0 ? 0 : percentile(times, 99),
      longestMs: Math.max(0, ...times),
      longest: `${longest}; of ${times.length} scripts over ${SCRIPTS_FROM} µs: ${most.join(", ")}`,
    };
  } finally {
    await system.close();
  }
};

export const storm: Group = {
  names: (form) => Object.values(namesOf(form)),
  run: async (bench) => {
    const { accounts, rounds } = SIZES[bench.form];
    const names = namesOf(bench.form);
    const redis = await benchRedis("none");
    try {
      const storms: Storm[] = [];
      for (let round = 0; round < rounds; round++) {
        const seen = await aStorm(redis, accounts);
        bench.say(
          `storm: first of everybody after ${figure(seen.firstMs)} ms; longest ${figure(seen.longestMs)} ms, ${seen.longest}`,
        );
        storms.push(seen);
      }
      const measured = { kind: "measured", unit: "ms" } as const;
      bench.tell({
        ...measured,
        name: names.first,
        values: storms.map(({ firstMs }) => firstMs),
        must: { atMost: 4_000 },
        aim: { atMost: 1_000 },
        note: `${accounts} accounts, limit ${LIMIT}, ${WAITING_EACH} waiting each: from the opening to the last account's first`,
      });
      const server = `in Redis, by its slow log, of scripts over ${SCRIPTS_FROM} µs, until all ${LIMIT} of each have left`;
      bench.tell({
        ...measured,
        name: names.p99,
        values: storms.map(({ p99Ms }) => p99Ms),
        must: { atMost: 5 },
        aim: { atMost: 2 },
        note: server,
      });
      bench.tell({
        ...measured,
        name: names.longest,
        values: storms.map(({ longestMs }) => longestMs),
        must: { atMost: 10 },
        aim: { atMost: 5 },
        note: server,
      });
    } finally {
      await redis.close();
    }
  },
};
