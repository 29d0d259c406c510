/** Windows computed apart from the product: from what Intl says the wall clock reads, and from nothing of src/. */
export type Kind = "hour" | "day";

const formats = new Map<string, Intl.DateTimeFormat>();
const formatOf = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    timeZoneName: "longOffset",
  });
  formats.set(zone, made);
  return made;
};

/**
 * Names the window that holds `at`. An hour that the wall clock runs through twice is two windows, hence the offset;
 * runs stay clear of the zones whose clocks move by half an hour while they move.
 */
export const windowName = (kind: Kind, zone: string, at: number): string => {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const day = `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
  return kind === "day" ? day : `${day}T${parts.get("hour")} ${parts.get("timeZoneName")}`;
};

const QUARTER = 15 * 60_000;

/** The next instant at which an hour begins in one of the zones: today's offsets are all whole quarters. */
export const nextBoundary = (zones: readonly string[], after: number): number => {
  for (let at = after - (after % QUARTER) + QUARTER; ; at += QUARTER)
    if (zones.some((zone) => windowName("hour", zone, at) !== windowName("hour", zone, at - 1))) return at;
};
