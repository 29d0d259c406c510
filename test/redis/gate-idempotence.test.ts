/**
 * A reply that is lost makes the client send its command again. Every script that changes something may be run twice in a
 * row with the same arguments: Redis then holds what it held after the first. (`release` may not: what a lost reply of it
 * let go is the sweeper's.)
 */
import { describe, expect, it } from "@jest/globals";
import { instant, milliseconds } from "../../src/domain/time.ts";
import { accept } from "../../src/redis/scripts/accept.ts";
import type { Release } from "../../src/redis/scripts/begin.ts";
import { openBatch } from "../../src/redis/scripts/open-batch.ts";
import { gateStages } from "../support/gate-cell.ts";
import { DAY, row, T0, type Stage } from "../support/gate-stage.ts";
import { dump } from "./model/dump.ts";

interface Case {
  readonly name: string;
  readonly prepare?: (stage: Stage, pairs: readonly Release[]) => Promise<unknown>;
  readonly act: (stage: Stage, pairs: readonly Release[]) => Promise<unknown>;
}

const began = (stage: Stage, pairs: readonly Release[]) => stage.begin(pairs);
const batch = { id: "b1", account: "a", channel: "email" as const, total: 3, template: '{"text":"hi"}' };
const draft = (id: string, due: number | null) => ({
  id,
  channel: "email" as const,
  class: "high" as const,
  sender: "s0@x.org",
  recipient: "r@y.org",
  sendAt: due === null ? null : instant(T0 + due),
  expiresAt: instant(T0 + 9_000),
  kept: "{}",
  body: "{}",
});

const CASES: readonly Case[] = [
  {
    name: "accept",
    act: (stage) => accept(stage.scripts, "a", 1e6, "b1", [draft("n1", null), draft("n2", 5_000), draft("n3", null)]),
  },
  { name: "open-batch", act: (stage) => openBatch(stage.scripts, batch) },
  { name: "begin that answers go", act: began },
  {
    name: "begin that returns",
    prepare: (stage) => stage.pause("a", "email", true),
    act: began,
  },
  { name: "begin that finds the messages expired", prepare: (stage) => stage.at(60_000), act: began },
  {
    name: "begin that says wait",
    prepare: (stage) => stage.channel("email", { interval: milliseconds(5_000) }),
    act: began,
  },
  ...(["sent", "failed", "later", "uncertain"] as const).map((action) => ({
    name: `settle as ${action}`,
    prepare: began,
    act: (stage: Stage, pairs: readonly Release[]) =>
      stage.settle(pairs, action, {
        delay: milliseconds(1_000),
        tries: 1,
        close: { about: "sender", for: milliseconds(2_000) },
        record: '{"outcome":"x"}',
        suppress: "nobody there",
      }),
  })),
  {
    name: "settle of late news",
    prepare: async (stage, pairs) => {
      await stage.begin(pairs);
      await stage.at(26_000);
      await stage.reap(1);
    },
    act: (stage, pairs) => stage.settle(pairs, "sent", { providerId: "p1" }),
  },
  { name: "unrelease of what was not begun", act: (stage, pairs) => stage.unrelease(pairs) },
  { name: "unrelease of what was begun", prepare: began, act: (stage, pairs) => stage.unrelease(pairs, "T") },
  { name: "cancel", act: (stage) => stage.cancel("m1", "m5", "m19", "m20", "m21") },
  {
    name: "expire",
    prepare: async (stage, pairs) => {
      await stage.begin(pairs.slice(0, 3));
      await stage.at(60_000);
    },
    act: (stage) => stage.expire(),
  },
  { name: "rerelease", act: (stage, pairs) => stage.rerelease(pairs) },
  {
    name: "reap",
    prepare: async (stage, pairs) => {
      await stage.begin(pairs);
      await stage.at(26_000);
    },
    act: (stage) => stage.reap(),
  },
  {
    name: "purge",
    prepare: async (stage, pairs) => {
      await stage.begin(pairs);
      await stage.settle(pairs, "sent");
      await stage.at(8 * DAY);
    },
    act: (stage) => stage.purge(),
  },
  ...["A|a", "C|a|email", "S|a|email|s0@x.org"].map((scope) => ({
    name: `set-limits of ${scope}`,
    act: (stage: Stage) => stage.limit(scope, { hour: 7, day: null, month: 100 }),
  })),
  { name: "set-pause", act: (stage) => stage.pause("a", "email", true) },
  {
    name: "set-pause that resumes",
    prepare: async (stage) => {
      await stage.pause("a", "email", true);
      await stage.at(1);
      await stage.released();
    },
    act: (stage) => stage.pause("a", "email", false),
  },
  { name: "set-sender-rate", act: (stage) => stage.senderRate("a", 71.43) },
  {
    name: "set-channel",
    act: (stage) => stage.channel("email", { interval: milliseconds(71.43), paused: true, close: milliseconds(500) }),
  },
  { name: "put-zone-row", act: (stage) => stage.zoneRow("Z0", row({}, "t2")) },
  { name: "beat", act: (stage) => stage.beat(true, "other") },
  { name: "beat of a worker that goes", act: (stage) => stage.beat(false) },
];

describe("sent twice, because a reply was lost,", () => {
  const aStage = gateStages();

  it.each(CASES)("$name leaves what it left the first time", async ({ name, prepare, act }) => {
    const stage = await aStage();
    await stage.account("a", { on_uncertain: "{}" });
    await openBatch(stage.scripts, { ...batch, id: "b0" });
    await stage.put("a", 10, { expiresAt: 60_000, batch: "b0" });
    await stage.put("a", 8);
    await stage.put("a", 2, { sendAt: 30_000 });
    await stage.limit("A|a", { day: 8 });
    const pairs = await stage.released();
    await prepare?.(stage, pairs);
    const before = await dump(stage);
    await act(stage, pairs);
    const once = await dump(stage);
    // A script that did nothing proves nothing; `wait` alone is meant to leave no trace.
    if (!name.endsWith("wait")) expect(once).not.toEqual(before);
    await act(stage, pairs);
    expect(await dump(stage)).toEqual(once);
  });
});
