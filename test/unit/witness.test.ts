/** What a worker remembers of its attempts, and what it says again. */
import { describe, expect, it } from "@jest/globals";
import { milliseconds, minutes, type Instant, type MonotonicMillis } from "../../src/domain/time.ts";
import type { ScriptRunner } from "../../src/redis/script.ts";
import type { Settlement } from "../../src/redis/scripts/settle.ts";
import { BODIES_AT_MOST, witnessOf, type Testimony } from "../../workers/witness.ts";

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

/** Of what is said of each attempt: its body is the last (failover-restore.ts). */
const SAID_OF_EACH = 13;

const aWitness = () => {
  let now = 0;
  const said: string[] = [];
  const bodies: string[] = [];
  const scripts: ScriptRunner = {
    run: async (_, args) => {
      const ids = args.filter((arg): arg is string => typeof arg === "string" && arg.startsWith("msg_"));
      said.push(...ids);
      bodies.push(...ids.map((_id, at) => String(args[(at + 1) * SAID_OF_EACH])));
      return ids.map(() => 0);
    },
  };
  const witness = witnessOf({ now: () => 0 as Instant, monotonic: () => now as MonotonicMillis }, milliseconds(1));
  const began = (n: number, body = "{}") =>
    witness.began("email", { id: `msg_${n}`, release: 1, token: "T" }, { ...GO, body });
  const ends = (testimony: Testimony, action: Settlement["action"]): Testimony => {
    const { id, release, token } = testimony;
    const rest = { delay: milliseconds(1), tries: 1, mostTries: 3, close: null, record: null } as const;
    witness.outcome(testimony, { id, release, token, action, ...rest });
    return testimony;
  };
  return {
    witness,
    began,
    ends,
    /** An attempt that is over. */
    ended: (n: number, action: Settlement["action"], body: string) => ends(began(n, body), action),
    passes: (ms: number) => void (now += ms),
    said: async () => {
      said.length = 0;
      bodies.length = 0;
      await witness.handIn(scripts);
      return said;
    },
    /** Of what was said last: how long each body is, 0 where there is none any more. */
    bodyLengths: () => bodies.map((body) => body.length),
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

  /** 256 KB, or twice that where a character takes two bytes, as is reckoned: 128 of them are 64 MB. */
  const LARGEST = "x".repeat(262_144);

  it.each(["later", "uncertain"] as const)(
    "keeps 64 MB of the bodies of attempts that ended as %s, the latest, and remembers the others without",
    async (action) => {
      const { ended, said, bodyLengths } = aWitness();
      expect(BODIES_AT_MOST).toBe(64 * 1024 * 1024);
      for (let n = 0; n < 300; n++) ended(n, action, LARGEST);
      expect(await said()).toEqual(Array.from({ length: 300 }, (_, n) => `msg_${n}`));
      expect(bodyLengths()).toEqual(Array.from({ length: 300 }, (_, n) => (n < 300 - 128 ? 0 : LARGEST.length)));
    },
  );

  it.each([
    { characters: 3_300, without: 0 },
    { characters: 3_400, without: 132 },
  ])("of ten thousand bodies of $characters characters it drops $without", async ({ characters, without }) => {
    const { ended, said, bodyLengths } = aWitness();
    for (let n = 0; n < 10_000; n++) ended(n, "later", "x".repeat(characters));
    expect(await said()).toHaveLength(10_000);
    expect(bodyLengths().filter((length) => length === 0)).toHaveLength(without);
  });

  it("drops those that ended first, not those that began first, and none of what still runs", async () => {
    const { began, ended, ends, said, bodyLengths } = aWitness();
    began(0, LARGEST);
    const slow = began(1, LARGEST);
    for (let n = 2; n < 130; n++) ended(n, "later", LARGEST);
    ends(slow, "later");
    await said();
    expect(bodyLengths().slice(0, 4)).toEqual([LARGEST.length, LARGEST.length, 0, LARGEST.length]);
  });

  it("has room again for what it has forgotten: what is old, what was given back, what ended after it was forgotten", async () => {
    const { witness, began, ended, ends, passes, said, bodyLengths } = aWitness();
    for (let n = 0; n < 128; n++) ended(n, "later", LARGEST);
    const hangs = began(128, LARGEST);
    passes(minutes(5) + 1);
    for (let n = 200; n < 327; n++) ended(n, "later", LARGEST);
    ends(hangs, "later");
    witness.forget(ended(327, "later", LARGEST));
    ended(328, "later", LARGEST);
    expect(await said()).toHaveLength(128);
    expect(bodyLengths()).toEqual(Array.from({ length: 128 }, () => LARGEST.length));
  });
});
