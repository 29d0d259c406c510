/** Asking for many messages at once, and who is told what. */
import { describe, expect, it } from "@jest/globals";
import { milliseconds, systemClock } from "../../src/domain/time.ts";
import type { Reply, ScriptRunner } from "../../src/redis/script.ts";
import { beginningWith } from "../../workers/beginning.ts";

/** Of each message, release 2 may go. */
const server = () => {
  const calls: string[][] = [];
  const scripts: ScriptRunner = {
    run: async (_, [, , ...pairs]) => {
      calls.push(pairs.map(String));
      const replies: Reply[] = [];
      for (let at = 1; at < pairs.length; at += 2)
        replies.push(
          Number(pairs[at]) === 2
            ? ["go", 0, 0, 0, '{}\n{"to":"a@example.net"}', "acc_1", "shop@example.com", "a@example.net", "", "0"]
            : ["stale"],
        );
      return replies;
    },
  };
  const stopping = new AbortController().signal;
  const begin = beginningWith({ scripts, durable: scripts, clock: systemClock, reapIn: milliseconds(1), stopping });
  return { calls, begin };
};

describe("asking whether messages may go", () => {
  it("answers each release of a message for itself: the job of an older one is told that it is over", async () => {
    const { calls, begin } = server();
    const asked = [1, 2].map((release) => begin({ id: "msg_1", release }));
    const [older, newer] = await Promise.all(asked);
    expect(calls).toEqual([["msg_1", "1", "msg_1", "2"]]);
    expect([older?.begun.kind, newer?.begun.kind]).toEqual(["stale", "go"]);
  });

  it("lets one of two runs of the same release go", async () => {
    const { calls, begin } = server();
    const runs = await Promise.all([1, 2].map(() => begin({ id: "msg_1", release: 2 })));
    expect(calls).toEqual([["msg_1", "2"]]);
    expect(runs.map(({ begun }) => begun.kind)).toEqual(["go", "taken"]);
  });
});
