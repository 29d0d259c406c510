/** A cell that finds itself elsewhere, or older than it was: who notices, what is held, and what is put back. */
import { describe, expect, it } from "@jest/globals";
import { instant, milliseconds, type MonotonicMillis } from "../../src/domain/time.ts";
import { failoverWith } from "../../src/gate/failover.ts";
import { failoverOf } from "../../src/redis/failover-facts.ts";
import { beat } from "../../src/redis/scripts/beat.ts";
import type { Release } from "../../src/redis/scripts/begin.ts";
import { declareFailover } from "../../src/redis/scripts/failover-declare.ts";
import { endFailover } from "../../src/redis/scripts/failover-end.ts";
import { restore } from "../../src/redis/scripts/failover-restore.ts";
import { look } from "../../src/redis/scripts/look.ts";
import { viewOf } from "../../src/gate/view.ts";
import { witnessOf } from "../../workers/witness.ts";
import { gateStages } from "../support/gate-cell.ts";
import { REAP_IN, T0, type Stage } from "../support/gate-stage.ts";
import { momentOf } from "../support/rollback.ts";
import { keptLog } from "../support/log-lines.ts";
import { silent } from "../start/scratch.ts";
import { kinds, only } from "./model/rule.ts";

const LONG = milliseconds(600_000);

const aWorker = (stage: Stage, name = "w", handIn = async () => 0, log = silent) =>
  failoverWith({ scripts: stage.scripts, worker: name, handIn, log });
const looks = async (stage: Stage, worker: ReturnType<typeof aWorker>) => worker.isHeld((await stage.tick()).home);

/** Of account `a`, as its worker remembers that it was sent. */
const sent = (message: Release, token: string, more: object = {}) => ({
  ...message,
  token,
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
  ...more,
});

describe("a cell", () => {
  const aStage = gateStages();
  const withJobs = async (count = 3) => {
    const stage = await aStage();
    await stage.account("a");
    const worker = aWorker(stage);
    await looks(stage, worker);
    await stage.put("a", count);
    return { stage, worker, pairs: await stage.released() };
  };

  it("that is new has nothing to wait for", async () => {
    const { stage, worker, pairs } = await withJobs();
    expect(kinds(await stage.begin(pairs))).toEqual(["go", "go", "go"]);
    expect(await looks(stage, worker)).toBe(false);
    expect(failoverOf(await stage.fields("home"), null)).toMatchObject({ moves: 0, restored: 0 });
  });

  it("on another server lets nothing begin, leave, expire or be canceled until its workers have spoken", async () => {
    const { stage, worker, pairs } = await withJobs();
    await stage.put("a", 5, { expiresAt: 500 });
    await stage.elsewhere();
    await stage.at(1_000);
    expect(kinds(await stage.begin(pairs))).toEqual(["wait", "wait", "wait"]);
    expect(await stage.released()).toEqual([]);
    expect(await stage.expire()).toMatchObject({ expired: 0 });
    expect(await stage.rerelease(pairs)).toEqual([]);
    expect(await stage.cancel(only(pairs).id)).toEqual(["already_sending"]);
    expect(await looks(stage, worker)).toBe(false);
    expect(kinds(await stage.begin(pairs))).toEqual(["go", "go", "go"]);
    expect(await stage.expire()).toMatchObject({ expired: 5 });
  });

  it("tells a waiting message that it waits for that", async () => {
    const { stage, pairs } = await withJobs();
    await stage.elsewhere();
    await declareFailover(stage.scripts, 0);
    const seen = await look(stage.scripts, "a", { id: only(pairs).id });
    expect(seen && viewOf("m1", seen)).toMatchObject({ status: "queued", heldBy: "failover", estimatedSendAt: null });
  });

  it("waits for every worker that lived, and for none of them for ever", async () => {
    const { stage, worker } = await withJobs();
    await beat(stage.scripts, "other", { email: 1 }, true);
    await stage.elsewhere();
    expect(await looks(stage, worker)).toBe(true);
    expect(await endFailover(stage.scripts, "w", false, LONG)).toEqual({ kind: "held", silent: 1, lost: false });
    expect(await endFailover(stage.scripts, "other", false, LONG)).toEqual({ kind: "ended", silent: 0, lost: false });
    await stage.elsewhere();
    await declareFailover(stage.scripts, 0);
    const late = await endFailover(stage.scripts, "w", false, milliseconds(0));
    expect(late).toEqual({ kind: "ended", silent: 1, lost: false });
  });

  it("that is older than a worker has seen it is noticed on the same server, by looking and by beating", async () => {
    const { stage, worker } = await withJobs();
    const { lines, log } = keptLog();
    const witness = aWorker(stage, "w", undefined, log);
    const old = await momentOf(stage);
    for (let n = 0; n < 3; n++) {
      await looks(stage, witness);
      await beat(stage.scripts, "w", { email: 5 }, true, witness.generation());
    }
    await looks(stage, witness);
    const here = (await stage.tick()).home.here;
    await old.comeBack();
    await stage.redis.hset(`${stage.cell}home`, "at", here);
    expect(await looks(stage, witness)).toBe(false);
    expect(lines()).toContainEqual(expect.objectContaining({ event: "failover_ended", level: "warn", lost: true }));
    expect(failoverOf(await stage.fields("home"), here)).toMatchObject({ held: false, moves: 1, lost_moves: 1 });

    await old.comeBack();
    await stage.redis.hset(`${stage.cell}home`, "at", here);
    await beat(stage.scripts, "w", { email: 5 }, true, witness.generation());
    expect(failoverOf(await stage.fields("home"), here).held).toBe(true);
    expect(await looks(stage, worker)).toBe(false);
    expect(failoverOf(await stage.fields("home"), here)).toMatchObject({ held: false, lost_moves: 1 });
  });

  it("that is empty is noticed, and what nobody can give back is not invented", async () => {
    const { stage, pairs } = await withJobs();
    const witness = witnessOf({ now: () => 0 as never, monotonic: () => 0 as MonotonicMillis }, REAP_IN);
    const worker = aWorker(stage, "w", () => witness.handIn(stage.scripts));
    await looks(stage, worker);
    await beat(stage.scripts, "w", { email: 5 }, true, worker.generation());
    await looks(stage, worker);
    const [go] = await stage.begin(pairs);
    if (go?.kind === "go") witness.began("email", { ...only(pairs), token: "T" }, go);
    const keys = await stage.redis.keys(`${stage.cell}*`);
    await stage.redis.unlink(keys.filter((key) => !key.endsWith("test_clock")));
    expect(await looks(stage, worker)).toBe(false);
    expect(failoverOf(await stage.fields("home"), null)).toMatchObject({ moves: 1, lost_moves: 1, restored: 0 });
    expect(await stage.fields("acc:a")).toEqual({});
  });

  it("gives out no job id twice", async () => {
    const { stage } = await withJobs();
    const before = Number(await stage.redis.get(`${stage.cell}seq`));
    await stage.elsewhere();
    await declareFailover(stage.scripts, 0);
    expect(Number(await stage.redis.get(`${stage.cell}seq`))).toBeGreaterThan(before + 100_000);
  });
});

describe("what a worker remembers", () => {
  const aStage = gateStages();
  /** One mail that two workers tried in turn, and Redis knows of neither. */
  const twiceTried = async (mutations = {}) => {
    const stage = await aStage(mutations);
    await stage.account("a");
    await stage.limit("A|a", { day: 2 });
    const [id = ""] = await stage.put("a", 1);
    await stage.elsewhere();
    const first = sent({ id, release: 1 }, "T1");
    const second = sent({ id, release: 2 }, "T2");
    const tell = async (one: typeof first) => {
      const [became] = await restore(stage.scripts, REAP_IN, [one]);
      if (became === "restored") await stage.settle([one], "sent", {}, one.token);
      return became;
    };
    return { stage, id, first, second, tell };
  };

  it("of an earlier attempt counts, though another worker has told of the later one", async () => {
    const { stage, first, second, tell } = await twiceTried();
    expect([await tell(second), await tell(first), await tell(first), await tell(second)]).toEqual([
      "restored",
      "none",
      "none",
      "none",
    ]);
    expect(await stage.used("A|a", "day")).toBe(2);
    expect(await stage.held("A|a")).toBe(0);
  });

  it("of an earlier attempt would be forgotten if it were not counted so", async () => {
    const find = "  put(x, told, moves)\n  charge(m, now)";
    const { stage, first, second, tell } = await twiceTried({ mutations: [{ find, replace: "" }] });
    await tell(second);
    await tell(first);
    expect(stage.matched().size).toBe(1);
    expect(await stage.used("A|a", "day")).toBe(1);
  });

  it("of a later attempt than Redis knows is being sent, and is reaped if nobody settles it", async () => {
    const stage = await aStage();
    await stage.account("a");
    const [id = ""] = await stage.put("a", 1);
    await stage.begin(await stage.released(), "T1");
    await stage.elsewhere();
    expect(await restore(stage.scripts, REAP_IN, [sent({ id, release: 2 }, "T2")])).toEqual(["restored"]);
    expect(await stage.redis.zscore(`${stage.cell}sending`, id)).not.toBeNull();
  });

  /** Tried by one worker, tried again by another and under way there; Redis knows all of it. */
  const triedAgain = async (mutations = {}) => {
    const stage = await aStage(mutations);
    await stage.account("a");
    await stage.put("a", 1);
    const first = await stage.released();
    await stage.begin(first, "T1");
    await stage.settle(first, "later", {}, "T1");
    const second = await stage.released();
    await stage.begin(second, "T2");
    await stage.elsewhere();
    await restore(stage.scripts, REAP_IN, [sent(only(first), "T1", { charged: false })]);
    return stage.settle(second, "sent", {}, "T2");
  };

  it("of what is over long since changes nothing", async () => {
    expect(await triedAgain()).toEqual(["ok"]);
  });

  it("of what is over long since would take the message from whoever sends it now", async () => {
    const find = "if (x.f.release or 0) > release then";
    expect(await triedAgain({ mutations: [{ find, replace: "if false then" }] })).toEqual(["refused"]);
  });

  it("too late, when somebody else has sent it meanwhile, still counts: it went twice", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.put("a", 1);
    const pairs = await stage.released();
    await stage.begin(pairs);
    await stage.settle(pairs, "sent");
    for (let n = 0; n < 2; n++)
      expect(await restore(stage.scripts, REAP_IN, [sent(only(pairs), "late")])).toEqual(["none"]);
    expect(await stage.used("A|a", "day")).toBe(2);
    expect(await stage.state(only(pairs).id)).toBe("sent");
  });

  it("and is not over yet goes on: nobody else begins it, and its outcome is taken", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.put("a", 1);
    const old = await momentOf(stage);
    const pairs = await stage.released();
    await stage.begin(pairs, "T");
    await old.comeBack();
    expect(await stage.settle(pairs, "sent", {}, "T")).toEqual(["refused"]);
    expect(await restore(stage.scripts, REAP_IN, [sent(only(pairs), "T", { settled: false })])).toEqual(["restored"]);
    await endFailover(stage.scripts, "w", true, milliseconds(0));
    expect(await stage.held("A|a")).toBe(1);
    expect(await stage.settle(pairs, "sent", {}, "T")).toEqual(["ok"]);
    expect([await stage.held("A|a"), await stage.used("A|a")]).toEqual([0, 1]);
  });

  it("of what was accepted last makes its record again, with its body as long as it may have to go again", async () => {
    const stage = await aStage();
    await stage.account("a");
    const body = '{"text":"hello 100 %s"}';
    await restore(stage.scripts, REAP_IN, [sent({ id: "n1", release: 1 }, "T", { settled: false, body })]);
    expect((await stage.redis.get(`${stage.cell}m:n1`))?.split("\n")[2]).toBe(body);
    expect(await stage.fields("acc:a")).toMatchObject({ open: "1" });
    await stage.settle([{ id: "n1", release: 1 }], "sent");
    expect(await stage.state("n1")).toBe("sent");
    expect(await stage.fields("acc:a")).toMatchObject({ open: "0" });
    expect(await stage.redis.zrange(`${stage.cell}idx:a`, "0", "-1")).toEqual(["n1"]);
  });

  it("is bounded in number and in time", async () => {
    const stage = await aStage();
    let now = 0;
    const witness = witnessOf({ now: () => 0 as never, monotonic: () => now as MonotonicMillis }, REAP_IN);
    await stage.account("a");
    await stage.put("a", 3);
    const pairs = await stage.released();
    const begun = await stage.begin(pairs);
    const old = await momentOf(stage);
    for (const [n, go] of begun.entries()) {
      now = n * 200_000;
      const message = pairs[n];
      if (!message || go.kind !== "go") continue;
      const run = { ...message, token: "T" };
      witness.outcome(witness.began("email", run, go), {
        ...run,
        action: "sent",
        delay: milliseconds(0),
        tries: 1,
        mostTries: 3,
        close: null,
        record: null,
      });
    }
    await old.comeBack();
    await witness.handIn(stage.scripts);
    // The first is further back than five minutes.
    expect(await Promise.all(pairs.map(({ id }) => stage.state(id)))).toEqual(["sending", "sent", "sent"]);
  });
});
