/** Requests that share a call of accept: each is taken or refused for itself, and told what `look` would tell. */
import { describe, expect, it } from "@jest/globals";
import { instant } from "../../src/domain/time.ts";
import { acceptEach, type AcceptMessage, type AcceptRequest } from "../../src/redis/scripts/accept.ts";
import { look } from "../../src/redis/scripts/look.ts";
import { standingOf, viewOf } from "../../src/gate/view.ts";
import { gateStages } from "../support/gate-cell.ts";
import { T0 } from "../support/gate-stage.ts";
import { dump } from "./model/dump.ts";

const message = (id: string, more: Partial<AcceptMessage> = {}): AcceptMessage => ({
  id,
  channel: "email",
  class: "normal",
  sender: "shop@x.org",
  recipient: "r@y.org",
  sendAt: null,
  expiresAt: null,
  kept: "{}",
  body: '{"text":"hello"}',
  ...more,
});
const asking = (account: string, ids: readonly string[], more: Partial<AcceptRequest> = {}): AcceptRequest => ({
  account,
  backlogCap: 100,
  batchId: null,
  messages: ids.map((id) => message(id)),
  told: true,
  ...more,
});

describe("requests that are accepted in one call", () => {
  const aStage = gateStages();

  it("leave what they would have left one after the other", async () => {
    const [apart, together] = [await aStage(), await aStage()];
    const requests = [
      asking("a", ["m1", "m2"]),
      asking("b", ["m3"], { messages: [message("m3", { class: "high" })] }),
      asking("a", ["m4"], {
        messages: [message("m4", { sendAt: instant(T0 + 5_000), expiresAt: instant(T0 + 9_000) })],
      }),
      asking("a", ["m5"]),
    ];
    for (const stage of [apart, together]) for (const account of ["a", "b"]) await stage.account(account);
    for (const request of requests) await acceptEach(apart.scripts, [request]);
    await acceptEach(together.scripts, requests);
    expect(await dump(together)).toEqual(await dump(apart));
  });

  it("are refused alone: one that finds no account, one that would not fit, whose neighbours are taken", async () => {
    const stage = await aStage();
    await stage.account("a");
    const replies = await acceptEach(stage.scripts, [
      asking("a", ["m1", "m2"], { backlogCap: 3 }),
      asking("nobody", ["m3"]),
      asking("a", ["m4", "m5"], { backlogCap: 3 }),
      asking("a", ["m6"], { backlogCap: 3 }),
      asking("a", ["m7"], { backlogCap: 3 }),
    ]);
    expect(replies.map(({ kind }) => kind)).toEqual(["accepted", "gone", "full", "accepted", "full"]);
    expect(await stage.released()).toEqual(["m1", "m2", "m6"].map((id) => ({ id, release: 1 })));
  });

  it("and are the same, twice, are one", async () => {
    const stage = await aStage();
    await stage.account("a");
    const replies = await acceptEach(stage.scripts, [asking("a", ["m1"]), asking("a", ["m1"])]);
    expect(replies.map((reply) => reply.kind === "accepted" && reply.records[0]?.state)).toEqual(["queued", "queued"]);
    expect(await stage.released()).toEqual([{ id: "m1", release: 1 }]);
  });

  it("are told of each message what a look at it tells", async () => {
    const stage = await aStage();
    for (const account of ["a", "b"]) await stage.account(account);
    await stage.limit("A|a", { hour: 40, month: 1_000 });
    await stage.limit("S|a|email|shop@x.org", { minute: 3 });
    await stage.limit("C|b|email", { day: 0 });
    await stage.put("a", 5, { class: "high" });
    await stage.put("b", 2);
    await stage.released();
    const requests = [
      asking("a", ["m101"]),
      asking("a", ["m102"]),
      asking("b", ["m103"]),
      asking("a", ["m104"], { messages: [message("m104", { sendAt: instant(T0 + 60_000) })] }),
      asking("a", ["m105"], { messages: [message("m105", { class: "low", sender: "other@x.org" })] }),
    ];
    const replies = await acceptEach(stage.scripts, requests);
    for (const [at, reply] of replies.entries()) {
      const { account, messages } = requests[at]!;
      const { id, channel, class: urgency } = messages[0]!;
      const record = reply.kind === "accepted" ? reply.records[0] : undefined;
      const seen = await look(stage.scripts, account, { id });
      const { status, heldBy, estimatedSendAt, position } = viewOf(id, seen!);
      expect([id, standingOf(record!.seen!, { number: record!.number, channel, class: urgency })]).toEqual([
        id,
        { status, heldBy, estimatedSendAt, position },
      ]);
    }
  });
});
