/**
 * What is told of waiting messages, and when they then go if nothing else happens: in any zone, over any change of its clocks,
 * under any limits, rates and closings. SLUICE_FORECAST_RUNS plays more.
 */
import { afterEach, describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { CHANNELS } from "../../src/domain/channel.ts";
import { instant, milliseconds } from "../../src/domain/time.ts";
import { zoneRow } from "../../src/domain/zone-row.ts";
import { viewOf } from "../../src/gate/view.ts";
import type { Release } from "../../src/redis/scripts/begin.ts";
import { look } from "../../src/redis/scripts/look.ts";
import { gateStages } from "../support/gate-cell.ts";
import { DAY, HOUR, T0, type Stage } from "../support/gate-stage.ts";

const RUNS = Number(process.env["SLUICE_FORECAST_RUNS"] ?? 120);
const MINUTE = HOUR / 60;
const [EMAIL] = CHANNELS;

/** Zones that move by an hour or by half of one, at midnight and elsewhere, or never; each with a day before it moves in 2026. */
const ZONES: readonly (readonly [zone: string, day: string])[] = [
  ["UTC", "2026-06-30"],
  ["Asia/Kathmandu", "2026-06-30"],
  ["Europe/Berlin", "2026-03-28"],
  ["Europe/Berlin", "2026-10-24"],
  ["America/New_York", "2026-10-31"],
  ["America/St_Johns", "2026-03-07"],
  ["Australia/Lord_Howe", "2026-04-04"],
  ["Australia/Lord_Howe", "2026-10-03"],
  ["Antarctica/Troll", "2026-03-28"],
  ["Pacific/Chatham", "2026-04-03"],
  ["Asia/Beirut", "2026-03-28"],
  ["Africa/Cairo", "2026-10-28"],
  ["America/Havana", "2026-10-31"],
  ["America/Santiago", "2026-04-03"],
  ["Atlantic/Azores", "2026-10-24"],
  ["Africa/Casablanca", "2026-03-21"],
];

const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 2, nil: null });
const limits = fc.record({
  minute: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 1, nil: null }),
  hour: maybe(fc.integer({ min: 1, max: 12 })),
  day: maybe(fc.integer({ min: 1, max: 20 })),
});
const aWorld = fc.record({
  place: fc.constantFrom(...ZONES),
  startsAfterMinutes: fc.integer({ min: 0, max: 48 * 60 }),
  sender: limits,
  channel: limits,
  account: limits,
  senderRate: maybe(fc.constantFrom(1_000, 61_000, 300_000, 600_000)),
  channelRate: maybe(fc.constantFrom(400, 61_000, 300_000, 600_000)),
  usedBefore: fc.integer({ min: 0, max: 6 }),
  urgent: maybe(fc.integer({ min: 1, max: 8 })),
  waiting: fc.integer({ min: 1, max: 20 }),
  closedForMinutes: maybe(fc.integer({ min: 1, max: 200 })),
  dueInMinutes: maybe(fc.integer({ min: 1, max: 600 })),
});
type World = typeof aWorld extends fc.Arbitrary<infer Value> ? Value : never;

const pairsIn = ({ jobs }: Awaited<ReturnType<Stage["release"]>>): Release[] =>
  jobs.flatMap(({ messages }) => messages.map(([id, release]) => ({ id, release })));

describe("what is told of messages that wait", () => {
  const newStage = gateStages();
  let stage: Stage;
  afterEach(async () => {
    const keys = await stage.redis.keys(`${stage.cell}*`);
    if (keys.length > 0) await stage.redis.unlink(keys);
  });

  const knowZone = (zone: string) => stage.zoneRow(zone, zoneRow(zone, instant(T0 + stage.now())));

  /** Lets everything go as it may, until nothing is left: when each is called, in ms after T0. */
  const playOut = async (zone: string, ids: readonly string[]): Promise<ReadonlyMap<string, number>> => {
    const called = new Map<string, number>();
    let held: Release[] = [];
    let underWay: (Release & { readonly endsAt: number })[] = [];
    const until = stage.now() + 40 * DAY;
    while ((underWay.length > 0 || ids.some((id) => !called.has(id))) && stage.now() <= until) {
      await stage.settle(
        underWay.filter(({ endsAt }) => endsAt <= stage.now()),
        "sent",
      );
      underWay = underWay.filter(({ endsAt }) => endsAt > stage.now());
      const reply = await stage.release();
      held.push(...pairsIn(reply));
      for (const stale of reply.staleZones) await knowZone(stale);
      let next = reply.more || reply.staleZones.length > 0 ? stage.now() : stage.now() + (reply.nextIn ?? Infinity);
      const begun = await stage.begin(held);
      for (const [at, one] of begun.entries()) {
        if (one.kind === "go") {
          const endsAt = stage.now() + one.slotIn;
          called.set(held[at]!.id, endsAt);
          underWay.push({ ...held[at]!, endsAt });
        }
        next = one.kind === "wait" ? Math.min(next, stage.now() + one.waitFor) : stage.now();
      }
      held = held.filter((_, at) => begun[at]?.kind === "wait");
      next = Math.min(next, ...underWay.map(({ endsAt }) => endsAt));
      if (next === Infinity) break;
      if (next > stage.now()) await stage.at(next);
    }
    await knowZone(zone);
    return called;
  };

  const set = async (world: World): Promise<void> => {
    const [zone, day] = world.place;
    stage = await newStage();
    await stage.at(Date.parse(`${day}T00:00Z`) + world.startsAfterMinutes * MINUTE - T0);
    await knowZone(zone);
    await stage.account("a", { zone });
    const scopes = { "S|a|email|s0@x.org": world.sender, "C|a|email": world.channel, "A|a": world.account };
    for (const [scope, of] of Object.entries(scopes)) await stage.limit(scope, of);
    if (world.senderRate !== null) await stage.senderRate("a", world.senderRate);
    if (world.channelRate !== null) await stage.channel(EMAIL, { interval: milliseconds(world.channelRate) });
    await playOut(zone, await stage.put("a", world.usedBefore));
    if (world.closedForMinutes !== null)
      await stage.channel(EMAIL, { close: milliseconds(world.closedForMinutes * MINUTE) });
  };

  const told = async (id: string): Promise<number | null> => {
    const seen = await look(stage.scripts, "a", { id });
    const at = seen && viewOf(id, seen).estimatedSendAt;
    return at === null ? null : at - T0;
  };

  it(
    "comes true, to the millisecond, where nothing else happens",
    async () => {
      await fc.assert(
        fc.asyncProperty(aWorld, async (world) => {
          await set(world);
          if (world.urgent !== null) await stage.put("a", world.urgent, { class: "high" });
          const ids = await stage.put("a", world.waiting);
          if (world.dueInMinutes !== null)
            ids.push(...(await stage.put("a", 1, { sendAt: stage.now() + world.dueInMinutes * MINUTE })));
          const expected = new Map<string, number | null>();
          for (const id of ids) expected.set(id, await told(id));
          const called = await playOut(world.place[0], ids);
          expect(Object.fromEntries(called)).toMatchObject(Object.fromEntries(expected));
        }),
        { numRuns: RUNS },
      );
    },
    RUNS * 2_000 + 60_000,
  );
});
