import { describe, expect, it } from "@jest/globals";
import { instant, seconds } from "../../src/domain/time.ts";
import { foundIn } from "../../src/providers/search.ts";

const BEGAN = 1_772_355_600_000;
const text = (sid: string, after: number, more = {}) => ({
  sid,
  body: "Your code is 4711",
  status: "sent",
  dateCreated: new Date(BEGAN + after),
  ...more,
});
const sought = { body: "Your code is 4711", beganAt: instant(BEGAN), createdWithin: seconds(22), atMost: 100 };

describe("the provider's list", () => {
  it("has what was created in the time of the attempt, clocks differing by five seconds, in order", () => {
    const listed = [
      text("SM3", 27_000),
      text("SM1", -5_000, { status: "accepted" }),
      text("SM2", 800, { status: "delivered" }),
      text("SM4", 900, { status: "canceled" }),
      text("SM5", 901, { status: "one that Twilio has added since" }),
    ];
    expect(foundIn(sought, listed)).toEqual({
      kind: "found",
      candidates: [
        { verdict: "sent", providerId: "SM1" },
        { verdict: "delivered", providerId: "SM2" },
        { verdict: "undelivered", providerId: "SM4" },
        { verdict: "sent", providerId: "SM5" },
        { verdict: "sent", providerId: "SM3" },
      ],
    });
  });

  it.each([
    ["before", text("SM1", -5_001)],
    ["later than any attempt lasts", text("SM1", 27_001)],
    ["of other words", text("SM1", 100, { body: "Your code is 4712" })],
    ["at no time", text("SM1", 0, { dateCreated: null })],
  ])("has nothing of it where all there is was created %s", (_, listed) => {
    expect(foundIn(sought, [listed])).toEqual({ kind: "absent" });
  });

  it("says nothing where so many came since that it does not reach back to the attempt", () => {
    const since = (count: number) =>
      Array.from({ length: count }, (_, at) => text(`SM${at}`, 900 + at, { body: "Other" }));
    const same = text("SM1", 800);
    expect(foundIn(sought, since(100))).toEqual({ kind: "unknown" });
    // Of the same words, and perhaps not the first of them.
    expect(foundIn(sought, [...since(99), same])).toEqual({ kind: "unknown" });
    expect(foundIn(sought, [...since(98), text("SM2", 0, { dateCreated: null }), same])).toEqual({ kind: "unknown" });
    expect(foundIn(sought, since(99))).toEqual({ kind: "absent" });
    expect(foundIn(sought, [...since(99), text("SM1", -5_001)])).toEqual({ kind: "absent" });
    expect(foundIn(sought, [...since(98), same, text("SM2", -5_001)])).toMatchObject({ kind: "found" });
  });
});
