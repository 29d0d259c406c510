/** The judge of the chaos runs is judged: each thing that it is there to find, made on purpose. */
import { describe, expect, it } from "@jest/globals";
import { nextBoundary, windowName } from "../chaos/calendar.ts";
import { markerIn, markerOf, type Acceptance, type ProviderEntry } from "../chaos/entries.ts";
import { judge, type Evidence } from "../chaos/judge.ts";
import { largestLimit } from "../chaos/limits.ts";

const AT = Date.parse("2026-03-07T18:40:00Z");

const accepted = (marker: string): Acceptance => ({
  marker,
  id: `id of ${marker}`,
  account: 0,
  channel: marker.split("-")[2] as Acceptance["channel"],
  realAt: 0,
});
const came = (marker: string, more: Partial<ProviderEntry> = {}): ProviderEntry => ({
  kind: "arrival",
  marker,
  channel: accepted(marker).channel,
  at: AT,
  realAt: 100,
  behaviour: "fine",
  letter: "letter",
  ...more,
});
const verdictOn = (
  provider: readonly ProviderEntry[],
  statuses: Readonly<Record<string, string>>,
  deaths: Evidence["deaths"] = [],
) =>
  judge({
    accepted: Object.keys(statuses).map(accepted),
    provider,
    states: new Map(
      Object.entries(statuses).map(([marker, status]) => [accepted(marker).id, { status, reason: null }]),
    ),
    deaths,
  });

const [MAIL, TEXT] = [markerOf(0, "email", 1), markerOf(0, "sms", 1)];

describe("the judge of the chaos runs", () => {
  it("has nothing to say about what went well", () => {
    const { violations, figures } = verdictOn([came(MAIL), came(TEXT)], { [MAIL]: "sent", [TEXT]: "sent" });
    expect(violations).toEqual([]);
    expect(figures).toMatchObject({ accepted: 2, arrivals: 2, lost: 0, windows: 2, windows_over: 0 });
  });

  it.each([
    ["is queued for ever", [], "queued"],
    ["is sent, and never arrived", [], "sent"],
    ["failed, and nobody refused it", [], "failed"],
    ["was canceled by nobody", [came(TEXT)], "canceled"],
  ])("finds what was lost: it %s", (_, provider, status) => {
    const { violations, figures } = verdictOn(provider, { [TEXT]: status });
    expect(violations).toHaveLength(1);
    expect(figures["lost"]).toBe(1);
  });

  it("finds a message that the API does not know, and one that nobody asked for", () => {
    const evidence = { accepted: [accepted(TEXT)], provider: [came(MAIL)], states: new Map(), deaths: [] };
    expect(judge(evidence).violations).toEqual([
      expect.stringMatching(/^LOST: .* nowhere$/),
      expect.stringMatching(/^UNASKED/),
    ]);
  });

  it("lets a message arrive that was asked for and never answered", () => {
    const evidence = { accepted: [], provider: [came(MAIL)], states: new Map(), deaths: [] };
    expect(judge({ ...evidence, unanswered: [MAIL] }).violations).toEqual([]);
    expect(judge({ ...evidence, unanswered: [TEXT] }).violations).toEqual([expect.stringMatching(/^UNASKED/)]);
  });

  it("lets a message fail that was refused, and be uncertain", () => {
    const provider = [came(MAIL, { kind: "refused", behaviour: "550" })];
    expect(verdictOn(provider, { [MAIL]: "failed", [TEXT]: "uncertain" }).violations).toEqual([]);
  });

  const death: Evidence["deaths"] = [{ program: "worker", realAt: 150, cause: "kill" }];
  it("finds a text that came twice, whoever died", () => {
    const twice = [came(TEXT), came(TEXT, { realAt: 5_000 })];
    expect(verdictOn(twice, { [TEXT]: "sent" }, death).violations).toEqual([`TWICE: ${TEXT} on sms`]);
  });

  it("lets a mail come twice as the same letter if somebody died meanwhile or the answer was lost, and else not", () => {
    const again = came(MAIL, { realAt: 30_000 });
    const sent = { [MAIL]: "sent" };
    expect(verdictOn([came(MAIL), again], sent, death)).toMatchObject({
      violations: [],
      figures: { duplicates_email: 1, duplicates_email_after_a_death: 1, duplicates_other: 0 },
    });
    expect(verdictOn([came(MAIL, { behaviour: "lost" }), again], sent)).toMatchObject({
      violations: [],
      figures: { duplicates_email_unanswered: 1, duplicates_email_after_a_death: 0 },
    });
    expect(verdictOn([came(MAIL), again], sent).violations).toHaveLength(1);
    expect(verdictOn([came(MAIL), again], sent, [{ ...death[0]!, realAt: 90_000 }]).violations).toHaveLength(1);
    expect(verdictOn([came(MAIL), { ...again, letter: "another" }], sent, death).violations).toHaveLength(1);
  });

  it("finds the eleventh text of an hour whose limit is ten, and lets it come in the next hour", () => {
    const markers = Array.from({ length: 11 }, (_, n) => markerOf(0, "sms", n));
    const statuses = Object.fromEntries(markers.map((marker) => [marker, "sent"]));
    const over = verdictOn(
      markers.map((marker) => came(marker)),
      statuses,
    );
    expect(over.violations).toEqual([expect.stringMatching(/^OVER: 11 arrivals of 10 in account 0, sms\.hour/)]);
    const spread = markers.map((marker, n) => came(marker, { at: n === 10 ? Date.parse("2026-03-07T19:00:00Z") : AT }));
    expect(verdictOn(spread, statuses)).toMatchObject({ violations: [], figures: { windows: 2, windows_full: 1 } });
  });
});

describe("limits that change under way", () => {
  const changes = [
    { account: 0, channel: "email", hour: 5, askedAt: 100, answeredAt: 110 },
    { account: 0, channel: "email", hour: 30, askedAt: 200, answeredAt: 210 },
  ] as const;

  it("are in force at the earliest when asked for, and at the latest when answered", () => {
    const at = (from: number, to = from) => largestLimit(24, changes, from, to);
    expect([at(99), at(105), at(111), at(199), at(205), at(211)]).toEqual([24, 24, 5, 5, 30, 30]);
    expect(at(111, 250)).toBe(30);
    expect(at(90, 150)).toBe(24);
  });

  it("make a window over when it is beyond the limit that was lowered long before", () => {
    const markers = Array.from({ length: 6 }, (_, n) => markerOf(0, "email", n));
    const evidence = {
      accepted: markers.map(accepted),
      states: new Map(markers.map((marker) => [accepted(marker).id, { status: "sent", reason: null }])),
      deaths: [],
      changes: changes.slice(0, 1),
    };
    const arriving = (realAt: number) => markers.map((marker) => came(marker, { realAt }));
    expect(judge({ ...evidence, provider: arriving(150) }).violations).toEqual([]);
    expect(judge({ ...evidence, provider: arriving(60_000) }).violations).toEqual([
      expect.stringMatching(/^OVER: 6 arrivals of 5/),
    ]);
  });
});

describe("its calendar", () => {
  it("knows hours that begin at half and at a quarter past, and a day of 23 hours", () => {
    const name = (zone: string, at: string) => windowName("hour", zone, Date.parse(at));
    expect(name("Asia/Kolkata", "2026-03-07T18:29:59Z")).not.toBe(name("Asia/Kolkata", "2026-03-07T18:30:00Z"));
    expect(name("Asia/Kathmandu", "2026-03-07T18:14:59Z")).not.toBe(name("Asia/Kathmandu", "2026-03-07T18:15:00Z"));
    const hours = Array.from({ length: 24 }, (_, n) => Date.parse("2026-03-08T05:00:00Z") + n * 3_600_000);
    const days = hours.map((at) => windowName("day", "America/New_York", at));
    expect(days.filter((day) => day === "2026-03-08")).toHaveLength(23);
    expect(new Set(hours.map((at) => windowName("hour", "America/New_York", at))).size).toBe(24);
  });

  it("finds the next instant at which an hour begins somewhere", () => {
    const at = Date.parse("2026-03-07T18:01:00Z");
    expect(new Date(nextBoundary(["UTC", "Asia/Kolkata"], at)).toISOString()).toBe("2026-03-07T18:30:00.000Z");
    expect(new Date(nextBoundary(["UTC"], at)).toISOString()).toBe("2026-03-07T19:00:00.000Z");
  });

  it("reads the producer's name for a message wherever a provider finds it", () => {
    expect(markerIn(`<Say>Good day ${markerOf(3, "voice", 17)}.</Say>`)).toBe(markerOf(3, "voice", 17));
  });
});
