/**
 * Every script that changes something, in every way in which it does: on a stage that is set as `set` sets it. What these
 * leave must be the same when they are run twice, because a reply was lost.
 */
import { SYSTEM, type AuditNote } from "../../src/domain/audit.ts";
import { instant, milliseconds } from "../../src/domain/time.ts";
import { accept } from "../../src/redis/scripts/accept.ts";
import { dropAccount } from "../../src/redis/scripts/accounts-drop.ts";
import { giveAccount } from "../../src/redis/scripts/accounts-give.ts";
import { markRemoved } from "../../src/redis/scripts/accounts-mark-removed.ts";
import { takeAccount } from "../../src/redis/scripts/accounts-take.ts";
import { writeAccount } from "../../src/redis/scripts/accounts-write.ts";
import { writeSender } from "../../src/redis/scripts/accounts-write-sender.ts";
import { addApiKey } from "../../src/redis/scripts/api-keys-add.ts";
import { patchApiKey } from "../../src/redis/scripts/api-keys-patch.ts";
import { revokeApiKey } from "../../src/redis/scripts/api-keys-revoke.ts";
import { rotateApiKey } from "../../src/redis/scripts/api-keys-rotate.ts";
import { noteApiKeyUse } from "../../src/redis/scripts/api-keys-used.ts";
import { asked } from "../../src/redis/scripts/asked.ts";
import { askingDue } from "../../src/redis/scripts/asking-due.ts";
import { beginFamily } from "../../src/redis/scripts/auth-begin.ts";
import { refreshFamily } from "../../src/redis/scripts/auth-refresh.ts";
import { authSecrets } from "../../src/redis/scripts/auth-secrets.ts";
import type { Release } from "../../src/redis/scripts/begin.ts";
import { declareFailover } from "../../src/redis/scripts/failover-declare.ts";
import { endFailover } from "../../src/redis/scripts/failover-end.ts";
import { restore } from "../../src/redis/scripts/failover-restore.ts";
import { giveBack } from "../../src/redis/scripts/give-back.ts";
import { cancelSome } from "../../src/redis/scripts/cancel-some.ts";
import { decideIdempotent } from "../../src/redis/scripts/idempotency-decide.ts";
import { endIdempotent } from "../../src/redis/scripts/idempotency-end.ts";
import { startIdempotent } from "../../src/redis/scripts/idempotency-start.ts";
import { noteLimits } from "../../src/redis/scripts/note-limits.ts";
import { openBatch } from "../../src/redis/scripts/open-batch.ts";
import { writePlans } from "../../src/redis/scripts/plans-write.ts";
import type { IdSeed } from "../../src/domain/id.ts";
import { DAY, row, T0, type Stage } from "../support/gate-stage.ts";

export interface Case {
  readonly name: string;
  /** The script's file; that of the name's first word when absent. */
  readonly script?: string;
  readonly prepare?: (stage: Stage, pairs: readonly Release[]) => Promise<unknown>;
  readonly act: (stage: Stage, pairs: readonly Release[]) => Promise<unknown>;
}

/** What every case begins on: accounts, messages in every state but the ends, a batch; some have been released. */
export const set = async (stage: Stage): Promise<readonly Release[]> => {
  await stage.account("a", { on_uncertain: "{}" });
  await openBatch(stage.scripts, { ...batch, id: "b0" });
  await stage.put("a", 10, { expiresAt: 60_000, batch: "b0" });
  await stage.put("a", 8);
  await stage.put("a", 2, { sendAt: 30_000 });
  await stage.limit("A|a", { day: 8 });
  return stage.released();
};

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

/** As a worker remembers that it sent it. */
const remembered = (message: Release) => ({
  ...message,
  release: message.release + 1,
  token: "U",
  settled: true,
  charged: true,
  begunAgo: milliseconds(100),
  account: "a",
  channel: "email" as const,
  sender: "s0@x.org",
  recipient: "r@y.org",
  batchId: null,
  createdAt: instant(T0),
  body: "",
});

const MINUTE = milliseconds(60_000);
const DAYS = milliseconds(86_400_000);

const aNote: AuditNote = {
  id: "evt_1",
  account: "n",
  what: "key.patched",
  from: null,
  to: { name: "K" },
  who: SYSTEM,
};
const NOTES = [aNote, { ...aNote, id: "evt_2", account: null }];

const aNewAccount = async (stage: Stage): Promise<void> => {
  await takeAccount(stage.scripts, "n", "T", { atMost: MINUTE, isNew: true });
  await writeAccount(stage.scripts, "n", "T", { name: "New", zone: "Z0", weight: "1" });
};
const aNewKey = async (stage: Stage): Promise<void> => {
  await aNewAccount(stage);
  await addApiKey(stage.scripts, "n", "k1", { name: "K" });
};
const aFamily = (stage: Stage) =>
  beginFamily(stage.scripts, { id: "f1", key: "k1", scopes: "send", digest: "d0", length: DAYS, most: 2 });
const aRefresh = (digest: string, successor: string) => (stage: Stage) =>
  refreshFamily(stage.scripts, { family: "f1", digest, successor, grace: MINUTE, length: DAYS });
const startOnce = (stage: Stage) =>
  startIdempotent(stage.scripts, "a:r:k", {
    fingerprint: "f",
    run: "R",
    seed: "0123456789" as IdSeed,
    runFor: MINUTE,
    keepForSeconds: 60,
  });
/** m21, a text whose worker died; its provider is to be asked. */
const inDoubt = async (stage: Stage): Promise<void> => {
  await stage.limit("A|a", { day: null });
  await stage.put("a", 1, { channel: "sms", sender: "+15005550006", recipient: "+15005550007" });
  await stage.begin(await stage.released("sms"));
  await stage.at(26_000);
  await stage.reap(3);
  await stage.at(60_000);
};

/** Mails go once more, because nobody knew, and are being sent; their provider tells meanwhile that it had them. */
const knownMeanwhile = async (stage: Stage, pairs: readonly Release[]): Promise<void> => {
  await stage.limit("A|a", { day: null });
  await stage.begin(pairs);
  await stage.settle(pairs, "uncertain", { tries: 1 });
  await stage.at(1);
  await stage.begin(await stage.released());
  for (const { id } of pairs) await stage.heard(id, "delivered");
};
const onceMore = (pairs: readonly Release[]) => pairs.map(({ id, release }) => ({ id, release: release + 1 }));

const answers = {
  found: { kind: "found", candidates: [{ verdict: "delivered", providerId: "SM1" }] },
  absent: { kind: "absent" },
} as const;

export const CASES: readonly Case[] = [
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
  ...[1, 3].map((tries) => ({
    name: `settle of late news, ${tries === 1 ? "after the end" : "before it goes again"}`,
    prepare: async (stage: Stage, pairs: readonly Release[]) => {
      await stage.begin(pairs);
      await stage.at(26_000);
      await stage.reap(tries);
    },
    act: (stage: Stage, pairs: readonly Release[]) => stage.settle(pairs, "sent", { providerId: "p1" }),
  })),
  ...(["failed", "later"] as const).map((action) => ({
    name: `settle as ${action} of what is known meanwhile`,
    prepare: knownMeanwhile,
    act: (stage: Stage, pairs: readonly Release[]) => stage.settle(onceMore(pairs), action),
  })),
  {
    name: "begin that finds what is known meanwhile",
    prepare: async (stage, pairs) => {
      await knownMeanwhile(stage, pairs);
      await stage.unrelease(onceMore(pairs), "T");
      await stage.released();
    },
    act: (stage, pairs) => stage.begin(pairs.map(({ id, release }) => ({ id, release: release + 2 }))),
  },
  { name: "unrelease of what was not begun", act: (stage, pairs) => stage.unrelease(pairs) },
  { name: "unrelease of what was begun", prepare: began, act: (stage, pairs) => stage.unrelease(pairs, "T") },
  {
    name: "give-back",
    prepare: (stage) => stage.beat(false),
    act: (stage) => giveBack(stage.scripts, "email"),
  },
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
  { name: "accounts-take", act: (stage) => takeAccount(stage.scripts, "n", "T", { atMost: MINUTE, isNew: true }) },
  {
    name: "accounts-write",
    prepare: (stage) => takeAccount(stage.scripts, "n", "T", { atMost: MINUTE, isNew: true }),
    act: (stage) => writeAccount(stage.scripts, "n", "T", { name: "New", zone: "Z0", plan: "free" }, NOTES),
  },
  ...(["whole", "half"] as const).map((rules) => ({
    name: `accounts-give of ${rules} rules`,
    prepare: aNewAccount,
    act: (stage: Stage) => giveAccount(stage.scripts, "n", "T", rules),
  })),
  {
    name: "accounts-mark-removed",
    prepare: aNewAccount,
    act: (stage) => markRemoved(stage.scripts, "n", false, NOTES),
  },
  {
    name: "accounts-drop",
    prepare: async (stage) => {
      await aNewAccount(stage);
      await addApiKey(stage.scripts, "n", "k1", { name: "K" });
      await giveAccount(stage.scripts, "n", "T", "whole");
      await markRemoved(stage.scripts, "n", false);
    },
    act: (stage) => dropAccount(stage.scripts, "n"),
  },
  {
    name: "api-keys-add",
    prepare: aNewAccount,
    act: (stage) => addApiKey(stage.scripts, "n", "k1", { name: "K" }, NOTES),
  },
  {
    name: "api-keys-revoke",
    prepare: async (stage) => {
      await aNewAccount(stage);
      await addApiKey(stage.scripts, "n", "k1", { name: "K" });
    },
    act: (stage) => revokeApiKey(stage.scripts, "n", "k1", 0, NOTES),
  },
  {
    name: "api-keys-patch",
    prepare: aNewKey,
    act: (stage) => patchApiKey(stage.scripts, "n", "k1", 0, { name: "L" }, NOTES),
  },
  {
    name: "api-keys-rotate",
    prepare: aNewKey,
    act: (stage) =>
      rotateApiKey(
        stage.scripts,
        { account: "n", old: "k1", seen: 0, id: "k2", fields: { name: "K" }, overlap: MINUTE },
        NOTES,
      ),
  },
  {
    name: "api-keys-used",
    prepare: aNewKey,
    act: (stage) => noteApiKeyUse(stage.scripts, "k1", instant(T0)),
  },
  {
    name: "accounts-write-sender",
    prepare: aNewAccount,
    act: (stage) => {
      const rule = { account: "n", token: "T", name: "sms:+1555", rule: "{}" };
      return writeSender(stage.scripts, rule, NOTES);
    },
  },
  {
    name: "plans-write",
    act: (stage) => writePlans(stage.scripts, [{ name: "free", seen: "", json: '{"quotas":{},"weight":1}' }], NOTES),
  },
  {
    name: "auth-secrets",
    act: (stage) =>
      authSecrets(stage.scripts, { signing: { kid: "k", secret: "s" }, refresh: "r" }, { oldest: DAYS, still: MINUTE }),
  },
  { name: "auth-begin", act: aFamily },
  ...[1, 2].map((time) => ({
    name: `auth-refresh, the ${time === 1 ? "first" : "second"} time`,
    prepare: async (stage: Stage) => {
      await aFamily(stage);
      if (time === 2) await aRefresh("d0", "d1")(stage);
    },
    act: aRefresh(`d${time - 1}`, `d${time}`),
  })),
  { name: "idempotency-start", act: startOnce },
  {
    name: "idempotency-decide",
    prepare: startOnce,
    act: (stage) => decideIdempotent(stage.scripts, "a:r:k", "f", "j[]"),
  },
  {
    name: "idempotency-end with an answer",
    prepare: startOnce,
    act: (stage) => endIdempotent(stage.scripts, "a:r:k", "f", { status: 202, body: "{}" }, 60),
  },
  {
    name: "idempotency-end without one",
    prepare: startOnce,
    act: (stage) => endIdempotent(stage.scripts, "a:r:k", "f", { made: "nothing" }, 60),
  },
  {
    name: "failover-declare",
    prepare: (stage) => stage.elsewhere(),
    act: (stage) => declareFailover(stage.scripts, 7),
  },
  {
    name: "failover-end",
    prepare: async (stage) => {
      await stage.elsewhere();
      await declareFailover(stage.scripts, 0);
    },
    act: (stage) => endFailover(stage.scripts, "w", true, milliseconds(0)),
  },
  {
    name: "failover-restore",
    prepare: (stage) => stage.elsewhere(),
    act: (stage, pairs) =>
      restore(
        stage.scripts,
        MINUTE,
        pairs.map((pair) => remembered(pair)),
      ),
  },
  { name: "cancel-some", act: (stage) => cancelSome(stage.scripts, "a") },
  {
    name: "note-limits",
    act: (stage) =>
      noteLimits(stage.scripts, "p1", {
        number: 1,
        counts: [{ owner: "a", day: 20_000, field: "1728000000000|email-send|-|admitted", requests: 3 }],
        events: ['{"id":"evt_1"}'],
      }),
  },
  { name: "asking-due", prepare: inDoubt, act: (stage) => askingDue(stage.scripts, 10, MINUTE) },
  ...(["found", "absent"] as const).map((verdict) => ({
    name: `asked, and told ${verdict}`,
    prepare: inDoubt,
    act: (stage: Stage) => asked(stage.scripts, { id: "m21", asked: 0 }, answers[verdict], 3, MINUTE),
  })),
  { name: "heard of a text in doubt", prepare: inDoubt, act: (stage) => stage.heard("m21", "delivered") },
  {
    name: "heard of a mail that was canceled in doubt",
    prepare: async (stage, pairs) => {
      await stage.begin(pairs);
      await stage.settle(pairs, "uncertain", { tries: 1 });
      await stage.cancel(...pairs.map(({ id }) => id));
    },
    act: (stage, [first]) => stage.heard(first?.id ?? "", "delivered"),
  },
  {
    name: "heard of a mail that is being sent",
    prepare: began,
    act: (stage, [first]) => stage.heard(first?.id ?? "", "sent"),
  },
];

/**
 * The scripts that read only; release, whose repetition lets more go; admit, whose repetition charges once more and lets nobody
 * through by it; and nothing else may be without a case.
 */
export const WITHOUT_CASE = [
  "admit",
  "let-in",
  "live-workers",
  "look",
  "release",
  "snapshot",
  "standing",
  "stuck",
  "tick",
];

export const scriptOf = ({ script, name }: Case): string => script ?? name.split(/[ ,]/, 1)[0] ?? "";
