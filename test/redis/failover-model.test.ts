/**
 * Random histories across a failover that forgets their end, on the real scripts: two workers remember, and nothing is over,
 * nothing goes twice, and every count equals what it counts. A failure prints the smallest history with its seed.
 */
import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Channel } from "../../src/domain/channel.ts";
import { milliseconds, type MonotonicMillis } from "../../src/domain/time.ts";
import { failoverWith } from "../../src/gate/failover.ts";
import type { Begun, Release, Run } from "../../src/redis/scripts/begin.ts";
import type { ReleasedJob } from "../../src/redis/scripts/release.ts";
import { witnessOf, type Testimony, type Witness } from "../../workers/witness.ts";
import { gateStages } from "../support/gate-cell.ts";
import { HOUR, REAP_IN, type Mutation, type Stage } from "../support/gate-stage.ts";
import { momentOf, type Moment } from "../support/rollback.ts";
import { silent } from "../start/scratch.ts";
import { violations, type Message } from "./model/invariants.ts";
import { readState } from "./model/state.ts";

const RUNS = Number(process.env["SLUICE_MODEL_RUNS"] ?? 60);
const LIMIT = { "A|a": 12, "C|a|sms": 6, "S|a|email|s0@x.org": 5 } as const;
const SENDERS = { email: ["s0@x.org", "s1@x.org"], sms: ["+1", "+2"] } as const;
const CHANNELS = ["email", "sms"] as const;
type Go = Extract<Begun, { kind: "go" }>;
type Action = "sent" | "failed" | "later" | "uncertain";

interface Attempt {
  readonly channel: (typeof CHANNELS)[number];
  readonly run: Run;
  readonly witness: Witness;
  readonly testimony: Testimony;
}

/** What must not be missing from the scripts, or these histories would prove nothing. */
const LOSSES: readonly (Mutation & { readonly lost: string })[] = [
  { lost: "all that is put back", find: "replies[#replies + 1] = restore(at)", replace: "replies[#replies + 1] = 0" },
  { lost: "that nobody begins meanwhile", script: "begin", find: "not at_home and {", replace: "false and {" },
  { lost: "the hold of what is put back", find: "  hold(m, 1)\nend", replace: "end" },
  { lost: "that it leaves its lane", find: "if state == 'queued' then lane_lost(m, 1) end\n  if", replace: "if" },
  {
    lost: "that it is released no more",
    find: "if state == 'released' then return leave_released(m) end",
    replace: "",
  },
  {
    lost: "that it is scheduled no more",
    find: "redis.call('ZREM', cell .. 'scheduled', m.id)\n    add(ac_of(m.account, m.channel), 'scheduled', -1)\n  end\n  if state == 'asking'",
    replace: "end\n  if state == 'asking'",
  },
  { lost: "the record of one whose acceptance was lost", find: "m = record_again(at)", replace: "return 0" },
  {
    lost: "that what is known is left alone",
    find: "if x.f.release == release and x.f.token == token then",
    replace: "if false then",
  },
];

const pairsOf = ({ messages }: ReleasedJob): Release[] => messages.map(([id, release]) => ({ id, release }));

const aHistory = async (stage: Stage) => {
  await stage.account("a");
  for (const [scope, hour] of Object.entries(LIMIT)) await stage.limit(scope, { hour });
  const clock = { now: () => 0 as never, monotonic: () => stage.now() as MonotonicMillis };
  const workers = ["w", "v"].map((name) => {
    const witness = witnessOf(clock, REAP_IN);
    const handIn = () => witness.handIn(stage.scripts);
    return { name, witness, failover: failoverWith({ scripts: stage.scripts, worker: name, handIn, log: silent }) };
  });
  const messages: Message[] = [];
  const running: Attempt[] = [];
  const jobs: Record<(typeof CHANNELS)[number], Release[]> = { email: [], sms: [] };
  const kept: typeof jobs = { email: [], sms: [] };
  /** By the provider: what arrived, and when it was handed over. */
  const ledger: { id: string; channel: Channel; sender: string; hour: number }[] = [];
  let tokens = 0;
  let moment: Moment | null = null;

  const at = async (ms: number): Promise<void> => {
    await stage.at(ms);
    await stage.beat(true, "v");
  };
  const looks = async (): Promise<boolean> => {
    const held = [];
    for (const { failover } of workers) held.push(await failover.isHeld((await stage.tick()).home));
    return held.some(Boolean);
  };
  const put = async (channel: (typeof CHANNELS)[number], count: number, urgent: boolean, soon: boolean) => {
    const sender = SENDERS[channel][messages.length % 2] ?? "";
    const klass = urgent ? "high" : "low";
    const sendAt = soon ? {} : { sendAt: stage.now() + 5_000 };
    const ids = await stage.put("a", count, { channel, sender, class: klass, ...sendAt });
    messages.push(...ids.map((id) => ({ id, account: "a", channel, class: klass, sender, expiresAt: null })));
  };
  const release = async (channel: (typeof CHANNELS)[number]): Promise<void> => {
    jobs[channel].push(...(await stage.released(channel)));
  };
  /** So many of the jobs; what may not begin yet stays with its worker. */
  const begin = async (channel: (typeof CHANNELS)[number], worker: number, most = 99): Promise<number> => {
    // A job of before may be there beside a new one; a worker asks once for each message (workers/beginning.ts).
    const pairs = [...new Map(jobs[channel].splice(0, most).map((pair) => [pair.id, pair])).values()];
    const token = `T${tokens++}`;
    const begun = await stage.begin(pairs, token);
    for (const [n, reply] of begun.entries()) {
      const message = pairs[n];
      if (message && reply.kind === "wait") jobs[channel].push(message);
      if (!message || reply.kind !== "go") continue;
      const go: Go = reply;
      const { witness } = workers[worker % 2] ?? {};
      const run = { ...message, token };
      if (witness) running.push({ channel, run, witness, testimony: witness.began(channel, run, go) });
    }
    return begun.filter(({ kind }) => kind === "go").length;
  };
  const settleOne = async (which: number, wanted: Action): Promise<void> => {
    const [attempt] = running.splice(which % Math.max(1, running.length), 1);
    if (!attempt) return;
    const { channel, run, witness, testimony } = attempt;
    const action = channel === "sms" && wanted === "uncertain" ? "sent" : wanted;
    const sender = messages.find(({ id }) => id === run.id)?.sender ?? "";
    if (action === "sent" || action === "uncertain")
      ledger.push({ id: run.id, channel, sender, hour: Math.floor(stage.now() / HOUR) });
    const rest = { delay: milliseconds(100), tries: 0 as const, mostTries: 9, close: null, record: "{}" };
    witness.outcome(testimony, { ...run, action, ...rest });
    const [told] = await stage.settle([run], action, rest, run.token);
    if (told) witness.told(testimony, told);
  };
  return {
    at,
    put,
    release,
    begin,
    settleOne,
    ledger,
    running,
    remember: async () => {
      moment = await momentOf(stage);
      for (const channel of CHANNELS) kept[channel] = [...jobs[channel]];
    },
    /** The server is another, and knows less; some outcomes come in before anybody has noticed. */
    failOver: async (early: number): Promise<void> => {
      await moment?.comeBack();
      // BullMQ's jobs are of the same moment; later ones may come late.
      for (const channel of CHANNELS) jobs[channel].unshift(...kept[channel]);
      for (let n = 0; n < early; n++) await settleOne(n, "sent");
      for (const channel of CHANNELS) {
        await release(channel);
        await begin(channel, 0);
      }
      let rounds = 0;
      while (await looks()) expect(++rounds).toBeLessThan(5);
    },
    looks,
    /** All of it in the first hour: nothing has been charged in a later window than it was spent in. */
    chargesAreTrue: async (): Promise<void> => {
      expect(await stage.used("A|a")).toBe(ledger.length);
      expect(await stage.used("C|a|sms")).toBe(ledger.filter(({ channel }) => channel === "sms").length);
    },
    countsAreTrue: async (): Promise<void> => {
      const cast = { accounts: ["a"], channels: CHANNELS, senders: Object.values(SENDERS).flat(), zones: ["Z0"] };
      const state = await readState(
        stage.redis,
        stage.cell,
        cast,
        messages.map(({ id }) => id),
      );
      // What was accepted last may be forgotten; what is put back of such a one has lost its priority.
      const records = await Promise.all(messages.map(({ id }) => stage.redis.get(`${stage.cell}m:${id}`)));
      const known = messages.flatMap((message, n) => {
        const letters = records[n]?.split(" ", 3)[2];
        return letters === undefined ? [] : [{ ...message, class: letters.endsWith("n") ? "normal" : message.class }];
      });
      expect(violations(state, cast, known)).toEqual([]);
    },
    /** Everything that may go does, for as many hours as it takes. */
    drain: async (): Promise<void> => {
      const left = async (): Promise<number> => {
        const rows = await Promise.all(CHANNELS.map((channel) => stage.fields(`stat:${channel}`)));
        const states = ["queued", "scheduled", "released", "sending"];
        return rows.reduce((sum, row) => states.reduce((all, state) => all + Number(row[state] ?? 0), sum), 0);
      };
      for (let hour = Math.floor(stage.now() / HOUR); hour < 90 && (await left()) > 0; hour++) {
        if (stage.now() < hour * HOUR) await at(hour * HOUR);
        for (let idle = 0; idle < 2; idle++) {
          while (running.length > 0) await settleOne(0, "sent");
          for (const channel of CHANNELS) {
            jobs[channel].push(...(await stage.rerelease(await stage.stuck(channel))).flatMap(pairsOf));
            await release(channel);
            if ((await begin(channel, 0)) > 0) idle = 0;
          }
          await at(stage.now() + 3_100);
        }
      }
      expect(await left()).toBe(0);
    },
  };
};

type History = Awaited<ReturnType<typeof aHistory>>;
type Step = (history: History, stage: Stage) => Promise<unknown>;

const channel = fc.constantFrom(...CHANNELS);
const action = fc.constantFrom<Action>("sent", "sent", "failed", "later", "later", "uncertain");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(channel, fc.integer({ min: 1, max: 6 }), fc.boolean(), fc.boolean()).map(
    ([on, count, urgent, soon]): Step =>
      (history) =>
        history.put(on, count, urgent, soon),
  ),
  {
    weight: 3,
    arbitrary: channel.map(
      (on): Step =>
        (history) =>
          history.release(on),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(channel, fc.nat(1), fc.integer({ min: 1, max: 4 })).map(
      ([on, worker, most]): Step =>
        (history) =>
          history.begin(on, worker, most),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(20), action).map(
      ([which, what]): Step =>
        (history) =>
          history.settleOne(which, what),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 10, max: 4_000 }).map(
      (ms): Step =>
        (history, stage) =>
          history.at(stage.now() + ms),
    ),
  },
);

describe("any history across a failover that forgets its end", () => {
  const aStage = gateStages();
  const judge = (mutations: readonly Mutation[] = []) =>
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60, size: "max" }),
      fc.array(step, { minLength: 1, maxLength: 60, size: "max" }),
      fc.nat(3),
      async (before, forgotten, early) => {
        const stage = await aStage({ mutations });
        const history = await aHistory(stage);
        await history.at(1_000);
        await history.looks();
        for (const one of before) await one(history, stage);
        await history.remember();
        for (const one of forgotten) await one(history, stage);
        await history.failOver(early);
        await history.chargesAreTrue();
        await history.countsAreTrue();
        await history.drain();
        await history.countsAreTrue();
        const once = history.ledger.filter(({ channel: on }) => on === "sms").map(({ id }) => id);
        expect(once).toHaveLength(new Set(once).size);
        for (const [scope, limit] of Object.entries(LIMIT)) {
          const [level, , on, sender] = scope.split("|");
          const counted = history.ledger.filter(
            (entry) => level === "A" || (entry.channel === on && (level === "C" || entry.sender === sender)),
          );
          const perHour = new Map<number, number>();
          for (const { hour } of counted) perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
          const most = Math.max(0, ...perHour.values());
          expect([scope, Math.max(most, limit)]).toEqual([scope, limit]);
        }
      },
    );

  it.each(LOSSES)(
    "shows it when $lost is lost",
    async (mutation) => {
      const found = await fc.check(judge([mutation]), { numRuns: 100, endOnFailure: true, seed: 7 });
      expect(found.failed).toBe(true);
      expect(String(found.errorInstance)).toContain("expect(");
    },
    120_000,
  );

  it("is never over, sends no text twice, and counts what it counts", async () => {
    await fc.assert(judge(), { numRuns: RUNS });
  }, 120_000);
});
