/** The names of time zones: which there are, and which was meant by another. */
import { IANAZone } from "luxon";

/**
 * Area/Location as IANA spells it, or a country's own name ("Japan"). The runtime itself would also take any mixture
 * of cases (each a zone row of its own), offsets, and abbreviations, which mean different zones to different people.
 */
const ZONE_NAME = /^(?:UTC|GMT|[A-Z][a-z]{3,}|(?:[A-Z][a-z]+|US)(?:\/[A-Z][A-Za-z_-]*){1,2}|Etc\/GMT[+-][0-9]{1,2})$/;
const SHOUTED = /[A-Z]{4}/;

/** Whether this is an IANA name that the runtime knows. */
export const isTimeZone = (name: string): boolean =>
  name.length <= 40 && ZONE_NAME.test(name) && !SHOUTED.test(name) && IANAZone.isValidZone(name);

/** The release of the tz database that the runtime carries, such as "2025c": windows differ between releases. */
export const tzRelease = (): string => process.versions["tz"] ?? "unknown";

/** The zones that the runtime lists. It knows further spellings of them. */
export const allTimeZones = (): readonly string[] => [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];

/** What is left of a name however it is written: "São Paulo" and "Sao_Paulo" are one. */
const bare = (name: string): string =>
  name
    .normalize("NFD")
    .replace(/[\s_\-\p{M}]/gu, "")
    .toLowerCase();
const cityOf = (zone: string): string => zone.slice(zone.lastIndexOf("/") + 1);

/** As IANA spells most names. */
const spelt = (name: string): string =>
  name
    .trim()
    .replace(/\s+/g, "_")
    .toLowerCase()
    .replace(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/^Us\//, "US/");

/** A zone of that name or in that city, written otherwise. Nothing that is merely like it: Beirut is not Beijing. */
const meantBy = (given: string): string | undefined => {
  const zones = allTimeZones();
  const areas = new Set(zones.map((zone) => zone.replace(/\/.*/, "")));
  return (
    zones.find((zone) => bare(zone) === bare(given)) ??
    zones.find((zone) => bare(cityOf(zone)) === bare(given)) ??
    // The runtime knows more spellings than it lists.
    [spelt(given), ...[...areas].map((area) => `${area}/${spelt(given)}`)].find(isTimeZone)
  );
};

/** What is said where the name of a zone should stand. */
export const aTimeZone = (given: unknown): string => {
  const meant = typeof given === "string" && given.length <= 64 ? meantBy(given) : undefined;
  return meant === undefined
    ? `an IANA time zone such as "Asia/Kolkata"`
    : `an IANA time zone (did you mean "${meant}"?)`;
};
