import { setMaxListeners } from "node:events";
import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { seconds, systemClock, type Clock, type MonotonicMillis } from "../../src/domain/time.ts";
import { connectionsOf } from "../../src/providers/smtp-connections.ts";

const moved = () => {
  let now = 0;
  const clock: Clock = { now: systemClock.now, monotonic: () => now as MonotonicMillis };
  return { clock, by: (ms: number) => void (now += ms) };
};
const never = new AbortController().signal;
setMaxListeners(0, never);
/** At once, or so soon that nothing else has been done meanwhile. */
const PATIENT = { patience: seconds(5), askAgainEvery: 1 };

/** What those who came in one after the other have been told, as far as they have. */
const comers = (borne: ReturnType<typeof connectionsOf>) => {
  const told: string[] = [];
  return {
    told,
    come: async (n: number, signal: AbortSignal = never) => {
      for (let one = 0; one < n; one++) void borne.enter(signal).then((answer) => told.push(answer));
      await new Promise(setImmediate);
    },
  };
};

describe("how many connections a server bears", () => {
  it("is one fewer with each that is refused, and one more every five seconds", async () => {
    const { clock, by } = moved();
    const borne = connectionsOf(50, clock);
    const { told, come } = comers(borne);
    await come(60);
    expect(told).toHaveLength(50);
    for (let n = 0; n < 30; n++) expect(borne.refused()).toBe(true);
    // Thirty come again, behind the ten: nobody before one of the twenty leaves.
    await come(30);
    expect(told).toHaveLength(50);
    for (let n = 0; n < 20; n++) borne.leave();
    await come(0);
    expect(told).toHaveLength(70);
    by(seconds(5));
    borne.leave();
    await come(0);
    expect(told).toHaveLength(72);
    expect(new Set(told)).toEqual(new Set(["go"]));
  });

  it("is none for whoever is refused alone, who tries again until it has had enough, and with it those that wait", async () => {
    const { clock, by } = moved();
    const borne = connectionsOf(2, clock, PATIENT);
    const { told, come } = comers(borne);
    await come(3);
    expect(told).toEqual(["go", "go"]);
    expect([borne.refused(), borne.refused()]).toEqual([true, true]);
    // After its pause the one that waits tries.
    await new Promise<void>((tried) => {
      const look = (): void => void (told.length === 3 ? tried() : setImmediate(look));
      look();
    });
    await come(4);
    expect(told).toHaveLength(3);
    by(seconds(5));
    expect(borne.refused()).toBe(false);
    await come(0);
    expect(told.slice(3)).toEqual(["refused", "refused", "refused", "refused"]);
    // And afterwards it is as before, with one.
    await come(2);
    expect(told.slice(7)).toEqual(["go"]);
  });

  it("is waited for no longer than one's time is", async () => {
    const borne = connectionsOf(1, moved().clock);
    const { told, come } = comers(borne);
    const over = new AbortController();
    await come(1);
    await come(1, over.signal);
    over.abort();
    await come(1, over.signal);
    expect(told).toEqual(["go", "late", "late"]);
    borne.leave();
    await come(1);
    expect(told).toHaveLength(4);
  });

  it("never has more inside than were asked for, and nobody who waits while it has room", async () => {
    const step = fc.oneof(
      fc.constant("come" as const),
      fc.constant("leave" as const),
      fc.constant("refused" as const),
      fc.integer({ min: 0, max: 20_000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), async (most, steps) => {
        const { clock, by } = moved();
        const borne = connectionsOf(most, clock, { patience: Infinity, askAgainEvery: 0 });
        const { told, come } = comers(borne);
        let came = 0;
        let left = 0;
        for (const one of steps) {
          const inside = told.length - left;
          if (typeof one === "number") by(one);
          else if (one === "come") came++;
          else if (inside > 0) left++;
          if (one === "come") await come(1);
          else if (one === "leave" && inside > 0) borne.leave();
          else if (one === "refused" && inside > 0) borne.refused();
          await come(0);
          expect(told.length - left).toBeLessThanOrEqual(most);
          // A pause of no length ends in a turn of the event loop or two.
          for (let turn = 0; turn < 20 && told.length === left && came > told.length; turn++)
            await new Promise((next) => setTimeout(next));
          expect(told.length - left > 0 || came === told.length).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
