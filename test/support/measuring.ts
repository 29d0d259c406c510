/** Long forms of tests, and the figures that they yield: `SLUICE_LONG=1 SLUICE_FIGURES=figures.jsonl npm test -- <file>`. */
import { appendFileSync } from "node:fs";

const { SLUICE_LONG, SLUICE_FIGURES } = process.env;

/** `npm test` has the short forms. */
export const isLong = SLUICE_LONG === "1";

/** One line of JSON, where a file is named for them. */
export const note = (figure: string, values: Readonly<Record<string, unknown>>): void => {
  if (SLUICE_FIGURES) appendFileSync(SLUICE_FIGURES, `${JSON.stringify({ figure, ...values })}\n`);
};
