/** Asking for many messages at once, and who is told what. */
import { describe, expect, it } from "@jest/globals";
import { milliseconds, systemClock } from "../../src/domain/time.ts";
import type { Reply, ScriptRunner } from "../../src/redis/script.ts";
import { beginningWith } from "../../workers/beginning.ts";

/** Of each message, release 2 may go, to the first that asks. */
const server = () => {
  const calls: string[][] = [];
  const taken = new Set<string>();
  const scripts: ScriptRunner = {
    run: async (_, [, ...runs]) => {
      calls.push(runs.map(String));
      const replies: Reply[] = [];
      for (let at = 0; at < runs.length; at += 3) {
        const [, id, release] = runs.slice(at, at + 3);
        if (release !== 2) replies.push(["stale"]);
        else if (taken.has(String(id))) replies.push(["taken"]);
        else replies.push(["go", 0, 0, 0, '{}\n{"to":"a@example.net"}', "acc_1", "a@x.org", "b@x.org", "", "0"]);
        if (release === 2) taken.add(String(id));
      }
      return replies;
    },
  };
  const stopping = new AbortController().signal;
  const begin = beginningWith({ scripts, durable: scripts, clock: systemClock, reapIn: milliseconds(1), stopping });
  return { calls, begin };
};

describe("asking whether messages may go", () => {
  it("answers each run for itself: the job of an older release is told that it is over", async () => {
    const { calls, begin } = server();
    const asked = [1, 2].map((release) => begin({ id: "msg_1", release, token: `run ${release}` }));
    const [older, newer] = await Promise.all(asked);
    expect(calls).toEqual([["run 1", "msg_1", "1", "run 2", "msg_1", "2"]]);
    expect([older?.begun.kind, newer?.begun.kind]).toEqual(["stale", "go"]);
  });

  it("lets one of two runs of the same release go", async () => {
    const { begin } = server();
    const runs = await Promise.all(["one", "two"].map((token) => begin({ id: "msg_1", release: 2, token })));
    expect(runs.map(({ begun }) => begun.kind)).toEqual(["go", "taken"]);
  });
});
