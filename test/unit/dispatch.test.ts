/** When a worker may call its provider, and under whose name it settles: over a Redis that answers as it is told to. */
import { describe, expect, it } from "@jest/globals";
import type { Outcome } from "../../src/domain/outcome.ts";
import { milliseconds, seconds, type Instant, type MonotonicMillis } from "../../src/domain/time.ts";
import type { Reply, Script, ScriptRunner } from "../../src/redis/script.ts";
import { dispatcher } from "../../workers/dispatch.ts";
import { witnessOf } from "../../workers/witness.ts";
import { silent } from "../start/scratch.ts";

const BUDGET = seconds(2);
const ONE = { id: "msg_1", release: 7 };
const GO: Reply = ["go", 0, 0, 0, "header\n{}", "acc_1", "a@x.org", "b@x.org", "", "1700000000000"];
const SENT: Outcome = { kind: "sent", providerId: "p1" };
const REFUSED: Outcome = { kind: "permanent", why: "no such number" };

type Answer = () => Reply;

/** @param begins what each call of begin is answered, in order; then `go` */
const aWorker = ({
  begins = [],
  outcome = async () => SENT,
  settling = async () => {},
}: { begins?: Answer[]; outcome?: () => Promise<Outcome>; settling?: () => Promise<void> } = {}) => {
  let now = 1_000_000;
  const calls: { script: string; args: readonly (string | number)[] }[] = [];
  const attempts: string[] = [];
  const took: number[] = [];
  const stop = new AbortController();
  const clock = { now: () => 0 as Instant, monotonic: () => now as MonotonicMillis };
  const scripts: ScriptRunner = {
    run: async ({ name }: Script, args) => {
      calls.push({ script: name, args });
      if (name === "begin") return [(begins.shift() ?? (() => GO))()];
      if (name !== "settle") return [1];
      await settling();
      return Array.from({ length: args.length / 11 }, () => "ok");
    },
  };
  const dispatch = dispatcher(
    {
      scripts,
      durable: scripts,
      contents: { of: async () => ({ body: "Hello" }) },
      clock,
      random: () => 0.5,
      log: silent,
      onAttempt: ({ tookMs }) => void took.push(tookMs),
      pass: () => {},
      witness: witnessOf(clock, seconds(5)),
      stopping: stop.signal,
    },
    {
      name: "fake",
      channels: ["sms"],
      attempt: async ({ id }) => {
        attempts.push(id);
        return outcome();
      },
      close: async () => {},
    },
    {
      concurrency: 1,
      retry: { base: seconds(5), cap: seconds(60), tries: 3 },
      callBudget: BUDGET,
      attemptTimeout: milliseconds(20),
      reapMargin: seconds(3),
    },
  );
  return {
    dispatch,
    attempts,
    /** By each attempt, in ms. */
    took,
    stop,
    passes: (ms: number): void => void (now += ms),
    /** The arguments of each call of this script. */
    asked: (script: string) => calls.filter((call) => call.script === script).map(({ args }) => args),
  };
};
type Worker = ReturnType<typeof aWorker>;

/** Of the first settlement: token, id, release, action, delay, tries. */
const settled = (worker: Worker) => {
  const [token, id, release, action, , tries] = worker.asked("settle")[0] ?? [];
  return { token, id, release, action, tries };
};
const lost = (): never => {
  throw new Error("Connection is closed.");
};
const broken = (): never => {
  throw new Error("ERR user_script:7: attempt to index a nil value script: 12, on @user_script:7.");
};
const message = (n: number) => ({ id: `msg_${n}`, release: 1 });

describe("a worker", () => {
  it("calls its provider after begin has said go, and settles under the token and the release of that begin", async () => {
    const worker = aWorker();
    await worker.dispatch("sms", [ONE]);
    const [[, token] = []] = worker.asked("begin");
    expect(worker.attempts).toEqual(["msg_1"]);
    expect(settled(worker)).toEqual({ token, id: "msg_1", release: 7, action: "sent", tries: 1 });
  });

  it("settles soon, however long the attempt took: others are waited for a moment, and no longer", async () => {
    const worker: Worker = aWorker({ outcome: async () => (worker.passes(3_600_000), SENT) });
    await worker.dispatch("sms", [ONE]);
    expect(settled(worker)).toMatchObject({ id: "msg_1", action: "sent" });
  });

  it("measures its provider, and not how long Redis was away afterwards", async () => {
    const worker: Worker = aWorker({
      outcome: async () => (worker.passes(40), SENT),
      settling: async () => worker.passes(60_000),
    });
    await worker.dispatch("sms", [ONE]);
    expect(worker.took).toEqual([40]);
  });

  it.each([["taken"], ["stale"], ["ended", "expired"], ["returned", "quota"]])(
    "is told %s, and calls nobody",
    async (...reply) => {
      const worker = aWorker({ begins: [() => reply] });
      await worker.dispatch("sms", [ONE]);
      expect(worker.attempts).toEqual([]);
      expect(worker.asked("settle")).toEqual([]);
    },
  );

  it("calls nobody when the go came after its time, for the reaper may have the message by then: no try is spent", async () => {
    const late: Worker = aWorker({ begins: [() => (late.passes(BUDGET + 1), GO)] });
    await late.dispatch("sms", [ONE]);
    expect(late.attempts).toEqual([]);
    expect(settled(late)).toMatchObject({ release: 7, action: "later", tries: 0 });
    const justInTime: Worker = aWorker({ begins: [() => (justInTime.passes(BUDGET), GO)] });
    await justInTime.dispatch("sms", [ONE]);
    expect(justInTime.attempts).toEqual(["msg_1"]);
  });

  it("counts its time from the call that was answered, and asks again under the same token", async () => {
    const worker: Worker = aWorker({ begins: [() => (worker.passes(BUDGET + 1), lost())] });
    await worker.dispatch("sms", [ONE]);
    const [first, second] = worker.asked("begin");
    expect(second).toEqual(first);
    expect(worker.attempts).toEqual(["msg_1"]);
    expect(settled(worker)).toMatchObject({ token: first?.[1], action: "sent" });
  });

  it("has another token in each run: of two that have the same job, Redis lets one go", async () => {
    const worker = aWorker();
    await worker.dispatch("sms", [ONE]);
    await worker.dispatch("sms", [ONE]);
    const another = aWorker();
    await another.dispatch("sms", [ONE]);
    const tokens = [worker, another].flatMap(({ asked }) => asked("begin").map(([, token]) => token));
    expect(new Set(tokens).size).toBe(3);
  });

  it("tells the reaper of the budget, the attempt and the margin together", async () => {
    const worker = aWorker();
    await worker.dispatch("sms", [ONE]);
    expect(worker.asked("begin")[0]?.[0]).toBe(2_000 + 20 + 3_000);
  });

  it("waits for its slot as long as it is told to, and then asks again with its time begun anew", async () => {
    const worker: Worker = aWorker({ begins: [() => ["wait", 1], () => (worker.passes(BUDGET), GO)] });
    await worker.dispatch("sms", [ONE]);
    expect(worker.attempts).toEqual(["msg_1"]);
    const [first, second, ...more] = worker.asked("begin");
    expect(more).toEqual([]);
    // Its own, though the first had marked it and its reply was lost before it was told to wait.
    expect(second).toEqual(first);
  });

  it("does not keep a hand waiting for Redis: while one is settled the next is called, and two are open at most", async () => {
    let settle = (): void => {};
    const held = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const worker = aWorker({ settling: () => held });
    const all = worker.dispatch("sms", [1, 2, 3, 4].map(message));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(worker.attempts).toEqual(["msg_1", "msg_2"]);
    settle();
    await all;
    expect(worker.attempts).toEqual(["msg_1", "msg_2", "msg_3", "msg_4"]);
  });

  it("sends what its jobs carry in the order in which it got them, and answers for each job by itself", async () => {
    const worker = aWorker({ outcome: async () => (worker.attempts.length === 2 ? REFUSED : SENT) });
    const jobs = [
      [1, 2],
      [3, 4],
    ].map((numbers) => worker.dispatch("sms", numbers.map(message)));
    expect(await Promise.all(jobs)).toEqual([["no such number"], []]);
    expect(worker.attempts).toEqual(["msg_1", "msg_2", "msg_3", "msg_4"]);
  });

  it("lets a job fail, and the others go on, when one of its messages cannot be begun at all", async () => {
    const worker = aWorker({ begins: [broken, () => GO] });
    expect(await worker.dispatch("sms", [1, 2].map(message))).toEqual([expect.stringContaining("user_script")]);
    expect(worker.attempts).toEqual(["msg_2"]);
  });

  it.each<[string, () => Promise<Outcome>]>([
    ["throws", () => Promise.reject(new Error("a mistake of the adapter"))],
    ["never answers", () => new Promise(() => {})],
  ])("takes it for uncertain when its adapter %s", async (_, outcome) => {
    const worker = aWorker({ outcome });
    await worker.dispatch("sms", [ONE]);
    expect(settled(worker)).toMatchObject({ action: "uncertain", tries: 1 });
  });

  it("gives back what it has not begun when it is to stop, and calls nobody", async () => {
    const worker = aWorker();
    worker.stop.abort();
    await worker.dispatch("sms", [ONE]);
    expect(worker.attempts).toEqual([]);
    expect(worker.asked("begin")).toEqual([]);
    expect(worker.asked("unrelease")).toEqual([[expect.any(String), "msg_1", 7]]);
  });

  it("gives back, in their order, those that wait for a hand when it is to stop; what is in hand it finishes", async () => {
    let answer: (outcome: Outcome) => void = () => {};
    const worker = aWorker({ outcome: () => new Promise((resolve) => (answer = resolve)) });
    const jobs = [
      [1, 2],
      [3, 4],
    ].map((numbers) => worker.dispatch("sms", numbers.map(message)));
    for (let turn = 0; turn < 20 && worker.attempts.length === 0; turn++) await new Promise(setImmediate);
    worker.stop.abort();
    answer(SENT);
    await Promise.all(jobs);
    const given = worker.asked("unrelease").flatMap((args) => args.filter((_, at) => at % 3 === 1));
    expect(given).toEqual(["msg_2", "msg_3", "msg_4"]);
    expect(settled(worker)).toMatchObject({ id: "msg_1", action: "sent" });
  });

  it("gives back under its token what begin may have marked and never answered for, when it is to stop", async () => {
    const worker: Worker = aWorker({ begins: [() => (worker.stop.abort(), lost())] });
    await worker.dispatch("sms", [ONE]);
    const [[, token] = []] = worker.asked("begin");
    expect(worker.attempts).toEqual([]);
    expect(worker.asked("unrelease")).toEqual([[token, "msg_1", 7]]);
  });
});
