/** Turns at a channel that its provider closes again and again, whoever waits and whoever is throttled. */
import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { gateStages } from "../support/gate-cell.ts";
import { aChannel, REFUSED } from "./model/openings.ts";

const RUNS = 25;
const OPENINGS = 40;
const account = fc.record({
  weight: fc.integer({ min: 1, max: 3 }),
  class: fc.constantFrom("normal", "low"),
  count: fc.integer({ min: 1, max: 60 }),
  isRefused: fc.boolean(),
  /** The opening before which it comes. */
  from: fc.integer({ min: 0, max: 6 }),
});
const history = fc.record({
  accounts: fc.array(account, { minLength: 2, maxLength: 6 }),
  inFlight: fc.integer({ min: 1, max: 4 }),
  by: fc.constantFrom("begin", "worker"),
});

describe("a channel that is closed again and again", () => {
  const aStage = gateStages();

  it("calls everybody who waits within one opening for each account", async () => {
    const property = fc.asyncProperty(history, async ({ accounts, inFlight, by }) => {
      const stage = await aStage();
      const channel = await aChannel(stage);
      const waited = accounts.map(() => 0);
      for (let opening = 0; opening < OPENINGS; opening++) {
        for (const [i, { weight, count, isRefused, from, class: own }] of accounts.entries())
          if (from === opening) {
            await stage.account(`a${i}`, { weight });
            await channel.put(`a${i}`, count, { class: own, ...(isRefused ? REFUSED : {}) });
          }
        const called = await channel.open({ inFlight, by });
        for (const i of accounts.keys()) {
          const { queued = 0 } = await stage.fields(`ac:a${i}:sms`);
          waited[i] = called.includes(`a${i}`) || queued === 0 ? 0 : (waited[i] ?? 0) + 1;
        }
        expect(Math.max(...waited)).toBeLessThan(accounts.length);
      }
    });
    await fc.assert(property, { numRuns: RUNS });
  }, 120_000);
});
