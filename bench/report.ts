/** What the figures amount to: medians with their range, held against what must be and what is aimed at. */
import type { Bound, Measured, Row } from "./row.ts";

export type Verdict = "ok" | "short";

/** @param values not empty */
export const median = (values: readonly number[]): number => percentile(values, 50);

/** By interpolation between the nearest ranks; of an even number, the median is the middle of the middle two. */
export const percentile = (values: readonly number[], p: number): number => {
  if (values.length === 0) throw new RangeError("expected at least one value, got none");
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (p / 100) * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? Number.NaN;
  const above = sorted[Math.ceil(rank)] ?? Number.NaN;
  return below + (above - below) * (rank - Math.floor(rank));
};

export const isMet = (value: number, bound: Bound): boolean =>
  "atLeast" in bound ? value >= bound.atLeast : value <= bound.atMost;

/** By the must alone: an aim that is missed is a number to work on, not a failure. Null where there is none. */
export const verdictOf = ({ values, must }: Measured): Verdict | null =>
  must === undefined ? null : isMet(median(values), must) ? "ok" : "short";

/** Three digits that mean something, and no more zeros than that. */
export const figure = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en");
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
};

const boundText = (bound: Bound | undefined): string =>
  bound === undefined ? "–" : "atLeast" in bound ? `≥${figure(bound.atLeast)}` : `≤${figure(bound.atMost)}`;

const rangeOf = ({ values, unit }: Measured): string => {
  const middle = `${figure(median(values))} ${unit}`;
  return values.length === 1
    ? middle
    : `${figure(median(values))} [${figure(Math.min(...values))}–${figure(Math.max(...values))}] ${unit}`;
};

export const lineOf = (row: Row): string => {
  if (row.kind === "skipped") return `${row.name.padEnd(52)}  skipped: ${row.why}`;
  if (row.kind === "failed") return `${row.name.padEnd(52)}  FAILED: ${row.why}`;
  const { name, must, aim } = row;
  const verdict = verdictOf(row);
  const columns = [name.padEnd(52), rangeOf(row).padEnd(28), boundText(must).padEnd(8), boundText(aim).padEnd(8)];
  return `${columns.join("  ")}${verdict === null ? "" : `  ${verdict}`}`.trimEnd();
};

export const HEADING = `${"row".padEnd(52)}  ${"median [min–max]".padEnd(28)}  ${"must".padEnd(8)}  ${"aim".padEnd(8)}`;

/** The same as a table of Markdown, with what stands behind each figure. */
export const markdownOf = (rows: readonly Row[]): string => {
  const lines = rows.map((row) => {
    if (row.kind !== "measured") return [row.name, `${row.kind}: ${row.why}`, "", "", "", ""];
    const { name, must, aim, note } = row;
    return [name, rangeOf(row), boundText(must), boundText(aim), verdictOf(row) ?? "", note];
  });
  const heading = ["row", "median [min–max]", "must", "aim", "", "of"];
  return [heading, heading.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
};
