import { describe, expect, it } from "@jest/globals";
import { allTimeZones, aTimeZone, isTimeZone } from "../../src/domain/time-zone.ts";

describe("time zone names", () => {
  it("are taken as IANA spells them, with all that the runtime lists", () => {
    const spellings = [
      "UTC",
      "GMT",
      "Etc/UTC",
      "Etc/GMT+5",
      "Etc/GMT-14",
      "Asia/Kolkata",
      "Asia/Calcutta",
      "Asia/Kathmandu",
    ];
    const odd = ["America/Port-au-Prince", "America/Argentina/Buenos_Aires", "Antarctica/DumontDUrville", "US/Pacific"];
    const refused = [...allTimeZones(), ...spellings, ...odd, "America/Knox_IN", "Japan"].filter(
      (name) => !isTimeZone(name),
    );
    expect(refused).toEqual([]);
    expect(allTimeZones()).toContain("UTC");
  });

  const abbreviations = "PST EST MST HST PST8PDT EST5EDT CET IST BST Z +05:30 -03:00 UTC+5 GMT+5".split(" ");
  const misspelt =
    "utc asia/kolkata ASIA/KOLKATA asia/Kolkata Mars/Phobos Etc/Unknown Local Asia//Kolkata __proto__".split(" ");
  const broken = ["", " UTC", "UTC ", "UTC\n", "Asia/Kolkata\0", "../Kolkata", `A${"/Aaa".repeat(11)}`];
  it.each([...abbreviations, ...misspelt, ...broken])("refuses %j", (name) => {
    expect(isTimeZone(name)).toBe(false);
  });

  it.each([
    ["europe/berlin", "Europe/Berlin"],
    ["ASIA/KATHMANDU", "Asia/Kathmandu"],
    ["Kathmandu", "Asia/Kathmandu"],
    ["America/NewYork", "America/New_York"],
    ["new york", "America/New_York"],
    ["São Paulo", "America/Sao_Paulo"],
    [" Europe/Berlin", "Europe/Berlin"],
    ["us/pacific", "US/Pacific"],
    ["utc", "UTC"],
  ])("%j is told that %s may be meant, which is taken", (given, meant) => {
    expect(aTimeZone(given)).toBe(`an IANA time zone (did you mean "${meant}"?)`);
    expect([isTimeZone(given), isTimeZone(meant)]).toEqual([false, true]);
  });

  const alike = ["Asia/Beijing", "Mumbai", "India", "UTC+1", "", undefined, 5, "a".repeat(10_000)];
  it.each([...abbreviations, ...alike])("%j is told of no zone that it may not have meant", (given) => {
    expect(aTimeZone(given)).toBe('an IANA time zone such as "Asia/Kolkata"');
  });
});
