/** What a worker remembers of its attempts, and what it says again. */
import { describe, expect, it } from "@jest/globals";
import { milliseconds, minutes, type Instant, type MonotonicMillis } from "../../src/domain/time.ts";
import type { ScriptRunner } from "../../src/redis/script.ts";
import { witnessOf } from "../../workers/witness.ts";

const GO = {
  kind: "go",
  slotIn: milliseconds(0),
  tries: 0,
  attempts: 0,
  account: "acc_1",
  sender: "a@x.org",
  recipient: "b@x.org",
  batchId: null,
  createdAt: 0 as Instant,
  body: "{}",
} as const;

const aWitness = () => {
  let now = 0;
  const said: string[] = [];
  const scripts: ScriptRunner = {
    run: async (_, args) => {
      const ids = args.filter((arg): arg is string => typeof arg === "string" && arg.startsWith("msg_"));
      said.push(...ids);
      return ids.map(() => 0);
    },
  };
  const witness = witnessOf({ now: () => 0 as Instant, monotonic: () => now as MonotonicMillis }, milliseconds(1));
  return {
    witness,
    began: (n: number) => witness.began("email", { id: `msg_${n}`, release: 1, token: "T" }, GO),
    passes: (ms: number) => void (now += ms),
    said: async () => {
      said.length = 0;
      await witness.handIn(scripts);
      return said;
    },
  };
};

describe("a witness", () => {
  it("says the latest ten thousand, in order", async () => {
    const { began, said } = aWitness();
    for (let n = 0; n < 25_000; n++) began(n);
    expect(await said()).toEqual(Array.from({ length: 10_000 }, (_, at) => `msg_${15_000 + at}`));
  });

  it("says nothing of what is more than five minutes old, nor of what was never handed to a provider", async () => {
    const { witness, began, passes, said } = aWitness();
    began(1);
    passes(minutes(5));
    began(2);
    witness.forget(began(3));
    began(4);
    expect(await said()).toEqual(["msg_1", "msg_2", "msg_4"]);
    passes(1);
    expect(await said()).toEqual(["msg_2", "msg_4"]);
    passes(minutes(5));
    expect(await said()).toEqual([]);
  });
});
