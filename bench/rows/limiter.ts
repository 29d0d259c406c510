/** What the limits on HTTP requests cost: their script in Redis, and a request with them beside one without. */
import { hours, minutes } from "../../src/domain/time.ts";
import { connect } from "../../src/redis/connect.ts";
import { cellTag } from "../../src/redis/keys.ts";
import { scriptRunner } from "../../src/redis/script.ts";
import type { AdmitBucket } from "../../src/redis/admissions.ts";
import { admit } from "../../src/redis/scripts/admit.ts";
import { load } from "../http-load.ts";
import { inParallel } from "../in-parallel.ts";
import { withFastifys, withFlexible, withoutLimits, withOurs, type LimitedServer } from "../peers/limiters.ts";
import { benchRedis, silent, type BenchRedis } from "../redis.ts";
import { figure, median } from "../report.ts";
import { inRounds, ratios } from "../rounds.ts";
import { sized, type Bench, type Form, type Group } from "../row.ts";

const SIZES = {
  quick: { calls: 10_000, rounds: 3, seconds: 1, httpRounds: 2, withinMs: 14_000 },
  long: { calls: 20_000, rounds: 5, seconds: 5, httpRounds: 5, withinMs: 600_000 },
} as const;
/** Each asks as often as the smaller of its windows has room for. */
const CALLS_EACH = 100;

const namesOf = (form: Form) => {
  const { calls, seconds } = SIZES[form];
  const http = (who: string, windows: 1 | 3) =>
    `api-limits-on-to-off-${who}-${windows === 1 ? "1-window" : "3-windows"}-${seconds}s`;
  return {
    rolling: `api-limiter-script-2-windows-${sized(calls)}`,
    fixed: `api-limiter-script-2-windows-${sized(calls)}-fixed`,
    ours1: http("sluice", 1),
    ours3: http("sluice", 3),
    fastify1: http("fastify-rate-limit", 1),
    flexible1: http("rate-limiter-flexible", 1),
    flexible3: http("rate-limiter-flexible", 3),
  };
};

const bucket = (kind: "rolling" | "fixed", caller: number): AdmitBucket => ({
  name: `bench:${kind}:${caller}`,
  shadow: false,
  windows: [
    { kind, length: minutes(1), limit: 300 },
    { kind, length: hours(1), limit: 10_000 },
  ],
});

/** Microseconds a call, by the server's own statistics: the way there and back is not in it. */
const scriptTime = async (redis: BenchRedis, kind: "rolling" | "fixed", calls: number): Promise<number> => {
  await redis.empty();
  const commands = connect(redis.address, "commands", silent);
  try {
    const scripts = scriptRunner(commands, cellTag("bench"));
    const callers = calls / CALLS_EACH;
    const turns = Array.from({ length: calls }, (_, at) => at % callers);
    await admit(scripts, "look", [bucket(kind, 0)]);
    await redis.look.config("RESETSTAT");
    await inParallel(turns, 50, async (caller) => {
      const { admitted } = await admit(scripts, "take", [bucket(kind, caller)]);
      if (!admitted) throw new Error("a request was refused that is within its limits");
    });
    for (let caller = 0; caller < callers; caller++) {
      const { buckets } = await admit(scripts, "look", [bucket(kind, caller)]);
      const used = buckets[0]?.map((window) => window.used).join();
      if (used !== `${CALLS_EACH},${CALLS_EACH}`)
        throw new Error(`expected ${CALLS_EACH} counted in each window, got ${used}`);
    }
    const statistics = await redis.look.info("commandstats");
    return Number(/^cmdstat_evalsha:.*usec_per_call=([\d.]+)/m.exec(statistics)?.[1]);
  } finally {
    commands.disconnect();
  }
};

const tellScripts = async (bench: Bench, redis: BenchRedis): Promise<void> => {
  const { calls, rounds } = SIZES[bench.form];
  const names = namesOf(bench.form);
  const { rolling, fixed } = await inRounds(rounds, {
    rolling: () => scriptTime(redis, "rolling", calls),
    fixed: () => scriptTime(redis, "fixed", calls),
  });
  const note = `all allowed, ${CALLS_EACH} by each of ${calls / CALLS_EACH} callers; Redis's own time a call (commandstats)`;
  bench.tell({
    kind: "measured",
    name: names.rolling,
    values: rolling,
    unit: "µs",
    must: { atMost: 25 },
    aim: { atMost: 14 },
    note: `rolling, as config/policies/sluice.yaml has them; ${note}`,
  });
  bench.tell({ kind: "measured", name: names.fixed, values: fixed, unit: "µs", note: `fixed; ${note}` });
};

const tellRequests = async (bench: Bench, redis: BenchRedis): Promise<void> => {
  const { seconds, httpRounds, withinMs } = SIZES[bench.form];
  const names = namesOf(bench.form);
  const perSecond = (start: (redis: BenchRedis) => Promise<LimitedServer>) => async (): Promise<number> => {
    await redis.empty();
    const server = await start(redis);
    try {
      return (await load({ url: server.origin, headers: { authorization: "Bearer a-key" }, seconds })).perSecond;
    } finally {
      await server.close();
    }
  };
  const contenders = {
    off: perSecond(withoutLimits),
    ours1: perSecond((on) => withOurs(on, 1)),
    ours3: perSecond((on) => withOurs(on, 3)),
    fastify1: perSecond(withFastifys),
    flexible1: perSecond((on) => withFlexible(on, 1)),
    flexible3: perSecond((on) => withFlexible(on, 3)),
  };
  const rates = await inRounds(httpRounds, contenders, { withinMs });
  for (const contender of ["ours1", "ours3", "fastify1", "flexible1", "flexible3"] as const)
    bench.tell({
      kind: "measured",
      name: names[contender],
      values: ratios(rates[contender], rates.off),
      unit: "×",
      note: `${figure(median(rates[contender]))}/s ÷ ${figure(median(rates.off))}/s without limits`,
    });
};

export const limiter: Group = {
  names: (form) => Object.values(namesOf(form)),
  run: async (bench) => {
    const { rolling, fixed, ...http } = namesOf(bench.form);
    const redis = await benchRedis("none");
    try {
      if (bench.isWanted(rolling) || bench.isWanted(fixed)) await tellScripts(bench, redis);
      if (Object.values(http).some(bench.isWanted)) await tellRequests(bench, redis);
    } finally {
      await redis.close();
    }
  },
};
