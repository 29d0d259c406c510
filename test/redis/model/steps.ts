/** The steps that a history is made of. Each picks by number from what there is, and does nothing where there is nothing. */
import * as fc from "fast-check";
import { CLASSES } from "../../../src/domain/channel.ts";
import { WINDOW_KINDS } from "../../../src/domain/quota.ts";
import { milliseconds } from "../../../src/domain/time.ts";
import { addJobs, attempt, beginRun, crash, giveBack, releaseAll, settleOne, sweep, take, work } from "./acting.ts";
import { ZONES } from "./calendar.ts";
import { chainOf } from "./invariants.ts";
import { num } from "./state.ts";
import type { Outcome, World } from "./world.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const OUTCOMES: readonly Outcome[] = [
  "sent",
  "sent",
  "sent",
  "sent",
  "failed",
  "later",
  "throttled",
  "uncertain",
  "not_called",
];

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

const at = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
const nat = fc.nat({ max: 999 });
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

export type Step = fc.AsyncCommand<object, World>;

const step = <T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  run: (world: World, value: T) => unknown,
): fc.Arbitrary<Step> =>
  arbitrary.map((value) => ({
    check: () => true,
    run: async (_, world) => {
      if (!world.knows(name)) return;
      await run(world, value);
      await world.look();
    },
    toString: () => `${name}(${JSON.stringify(value)})`,
  }));

const channelOf = (world: World, n: number) => at(world.cast.channels, n) ?? "email";
const accountOf = (world: World, n: number): string => at(world.cast.accounts, n) ?? "";
const senderOf = (world: World, n: number): string => at(world.cast.senders, n) ?? "";
const scopeOf = (world: World, n: number): string => {
  const [account, channel, sender] = [accountOf(world, n >> 2), channelOf(world, n >> 4), senderOf(world, n >> 6)];
  return [`A|${account}`, `C|${account}|${channel}`, `S|${account}|${channel}|${sender}`][n % 3] as string;
};

const enqueue = step(
  "enqueue",
  fc.record({
    n: nat,
    count: fc.integer({ min: 1, max: 12 }),
    due: seldom(fc.nat(5 * MINUTE)),
    expires: seldom(fc.nat(10 * MINUTE)),
  }),
  async (world, { n, count, due, expires }) => {
    const account = accountOf(world, n);
    // It answers `gone`: nothing was written.
    if (world.state.acc[account]?.["removed"] === "1") return;
    const [channel, sender] = [channelOf(world, n >> 2), senderOf(world, n >> 4)];
    const own = at(CLASSES, n >> 5) ?? "low";
    const now = world.now() - world.origin;
    const wants = { channel, sender, class: own, recipient: `r${n % 6}@y.org`, bulk: (n >> 7) % 3 === 0 };
    const expiresAt = expires === null || !world.knows("expiry") ? null : now + expires + 1;
    const instants = { ...(due === null ? {} : { sendAt: now + due }), ...(expiresAt === null ? {} : { expiresAt }) };
    const ids = await world.stage.put(account, count, { ...wants, ...instants });
    for (const id of ids) world.messages.push({ id, account, channel, class: own, sender, expiresAt });
  },
);

const processes: fc.Arbitrary<Step>[] = [
  step(
    "release",
    fc.record({ n: nat, parcel: fc.constantFrom(1, 1, 3, 25), small: fc.boolean() }),
    async (world, given) => {
      const { n, parcel, small } = given;
      await releaseAll(world, channelOf(world, n), {
        parcel,
        small,
        fate: at(["add", "add", "late", "lost"], n >> 3) ?? "add",
      });
    },
  ),
  step("add late", nat, (world, n) => {
    const late = at(world.adds, n);
    if (!late) return;
    world.adds = world.adds.filter((other) => other !== late);
    addJobs(world, late.channel, late.jobs);
  }),
  step("take", nat, (world, n) => {
    const job = at(
      world.jobs.filter(({ state }) => state === "waiting"),
      n,
    );
    if (job) take(world, job);
  }),
  step("begin", fc.record({ n: nat, lost: fc.boolean() }), async (world, { n, lost }) => {
    const run = at(
      world.runs.filter(({ todo }) => todo.length > 0),
      n,
    );
    if (run) await beginRun(world, run, lost);
  }),
  step(
    "call",
    fc.record({ n: nat, latency: fc.constantFrom(0, 40, 3_000, 11_999), delay: fc.nat(20_000), arrives: fc.boolean() }),
    (world, { n, ...rest }) => {
      const which = at(world.attempts, n);
      if (which) attempt(world, which, { ...rest, outcome: at(OUTCOMES, n >> 3) ?? "sent" });
    },
  ),
  step("settle", fc.record({ n: nat, lost: fc.boolean() }), async (world, { n, lost }) => {
    const which = at(world.settlings, n);
    if (which) await settleOne(world, which, lost);
  }),
  step("crash", fc.record({ n: nat, stalls: fc.boolean() }), (world, { n, stalls }) => {
    const run = at(world.runs, n);
    if (run) crash(world, run, stalls);
  }),
  step("give back", nat, async (world, n) => {
    const run = at(world.runs, n);
    if (run) await giveBack(world, run);
  }),
  step("run an old job again", nat, (world, n) => {
    const job = at(
      world.jobs.filter(({ state }) => state === "done"),
      n,
    );
    if (job) job.state = "waiting";
  }),
  step("empty the queue", nat, (world, n) => {
    for (const job of world.jobs)
      if (job.channel === channelOf(world, n) && job.state === "waiting") job.state = "done";
  }),
  step("sweep", nat, (world, n) => sweep(world, channelOf(world, n), at(["add", "add", "late", "lost"], n >> 3))),
  step("expire", fc.constantFrom(1, 100), (world, most) => world.stage.expire(most)),
  step("reap", fc.constant(null), (world) => world.stage.reap()),
  step("ask", fc.constantFrom("absent", "unknown", "sent", "delivered"), (world, verdict) => world.stage.ask(verdict)),
];

/** The same for all of a channel at once, so that histories get deep. */
const masses: fc.Arbitrary<Step>[] = [
  step("start", nat, async (world, n) => {
    const channel = channelOf(world, n);
    await releaseAll(world, channel);
    for (const job of world.jobs) if (job.channel === channel && job.state === "waiting") take(world, job);
  }),
  step("limit what was released", fc.record({ n: nat, limit: fc.nat(3) }), async (world, { n, limit }) => {
    const [pair] =
      at(
        world.runs.filter(({ todo }) => todo.length > 0),
        n,
      )?.todo ?? [];
    const message = world.messages.find(({ id }) => id === pair?.id);
    const scope = message && at(chainOf(message), n >> 3);
    if (scope) await world.limit(scope, at(WINDOW_KINDS, n >> 5) ?? "hour", limit);
  }),
  step("begin all", fc.boolean(), async (world, lost) => {
    for (const run of world.runs) await beginRun(world, run, lost);
  }),
  step("call all", fc.record({ n: nat, latency: fc.constantFrom(0, 3_000) }), (world, { n, latency }) => {
    for (const [i, which] of world.attempts.entries())
      attempt(world, which, { outcome: at(OUTCOMES, n + i) ?? "sent", latency, delay: n * 20, arrives: n % 2 === 0 });
  }),
  step("settle all", fc.boolean(), async (world, lost) => {
    for (const which of world.settlings) await settleOne(world, which, lost);
  }),
  step("run again what seems stalled", nat, async (world, n) => {
    const run = at(world.runs, n);
    if (run) await beginRun(world, take(world, run.job), n % 2 === 0);
  }),
  step("reap in time", fc.constant(null), async (world) => {
    await world.pass(26 * SECOND);
    await world.stage.reap();
  }),
];

const limiting = step(
  "limit",
  fc.record({ n: nat, kind: fc.constantFrom(...WINDOW_KINDS), limit: fc.option(fc.nat(9)) }),
  (world, { n, kind, limit }) => world.limit(scopeOf(world, n), kind, limit),
);

const flipping = step("flip zone", nat, async (world, n) => {
  const account = accountOf(world, n);
  world.judge.flip(account);
  await world.stage.redis.hset(`${world.stage.cell}acc:${account}`, "zone", at(ZONES, n >> 2) ?? "Z0");
});

const losing = step("lose a zone's row", nat, (world, n) => world.stage.loseZoneRow(at(ZONES, n) ?? "Z0"));

const people: fc.Arbitrary<Step>[] = [
  step("cancel", nat, async (world, n) => {
    const message = at(world.messages, n);
    if (message) await world.stage.cancel(message.id);
  }),
  ...times(3, losing),
  step("write the zones", fc.constant(null), async (world) => {
    for (const zone of ZONES) await world.writeZone(zone);
  }),
  step("new tz data", fc.constant(null), async (world) => {
    world.tz = "t2";
    for (const account of world.cast.accounts) {
      const zone = world.state.acc[account]?.["zone"] ?? "";
      if (world.calendar.differs(zone)) world.judge.flip(account);
    }
  }),
  step("pause", fc.record({ n: nat, paused: fc.boolean() }), (world, { n, paused }) =>
    world.stage.pause(accountOf(world, n), channelOf(world, n >> 2), paused),
  ),
  step(
    "channel",
    fc.record({ n: nat, what: fc.nat(3), ms: fc.constantFrom(0, 300, 4_000) }),
    (world, { n, what, ms }) => {
      const length = milliseconds(ms);
      const changes = [{ paused: ms > 0 }, { close: length }, { interval: ms > 0 ? length : null }, { interval: null }];
      return world.stage.channel(channelOf(world, n), changes[what] ?? {});
    },
  ),
  step("sender's rate", fc.record({ n: nat, ms: fc.constantFrom(null, 300, 1_500, 71.43) }), (world, { n, ms }) =>
    world.stage.senderRate(accountOf(world, n), ms, senderOf(world, n >> 2), channelOf(world, n >> 3)),
  ),
  step("suppress", nat, (world, n) =>
    world.stage.suppress(accountOf(world, n), `r${n % 6}@y.org`, channelOf(world, n >> 2)),
  ),
  step("remove the last account", fc.constantFrom(0, 0, 0, 1), async (world, removed) => {
    if (removed) await world.stage.redis.hset(`${world.stage.cell}acc:a2`, "removed", 1);
  }),
  step("set the clock back", fc.nat(40 * SECOND), async (world, ms) => {
    world.behind = ms;
    await world.pass(0);
  }),
];

const working = (name: string, outcomes: readonly Outcome[], idle: number) =>
  step(name, nat, async (world, n) => {
    const outcome = (): Outcome => at(outcomes, Math.floor(world.chance() * 997)) ?? "sent";
    // As long as something goes, so that quotas are spent to the last.
    for (let round = 0; round < 6; round++) if ((await work(world, channelOf(world, n), outcome, idle)) === 0) break;
  });
const passing = (name: string, min: number, max: number) =>
  step(name, fc.integer({ min, max }), (world, ms) => world.pass(ms));

/** To where a row's window ends, a few ms before, at, or after it; and there everything works, until quotas are spent. */
const toTheEdge = step("pass to a window's edge", nat, async (world, n) => {
  const kind = at(["minute", "hour", "hour", "day"] as const, n >> 2) ?? "hour";
  const end = num(world.state.q[`A|${accountOf(world, n)}`], `${kind}.end`);
  if (end === 0) return;
  await world.pass(Math.max(0, end - world.now() - 2 + (n % 5)));
  await world.look();
  for (const channel of world.cast.channels)
    for (let round = 0; round < 4; round++) if ((await work(world, channel, () => "sent")) === 0) break;
});

/** Repeated as often as they should come up. */
export const STEPS: fc.Arbitrary<Step>[] = [
  ...times(12, enqueue),
  ...times(10, working("work", ["sent"], 0)),
  ...times(6, working("work badly", OUTCOMES, 0.2)),
  ...processes,
  ...times(2, masses).flat(),
  ...people,
  ...times(4, flipping),
  ...times(5, limiting),
  ...times(4, passing("pass a moment", 1, 3 * SECOND)),
  ...times(4, passing("pass a while", 3 * SECOND, 90 * SECOND)),
  ...times(3, passing("pass minutes", 2 * MINUTE, 20 * MINUTE)),
  ...times(6, toTheEdge),
  passing("pass hours", 40 * MINUTE, 200 * MINUTE),
];
