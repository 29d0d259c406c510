/** What a program was given behind its name, or one sentence about what it takes. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { failToStart } from "./fail.ts";
import { startRefused } from "./refusal.ts";

/** Settings are environment variables: an argument would be heard by nobody. */
export const refuseArguments = (given: readonly string[] = process.argv.slice(2)): void => {
  const [first] = given;
  if (first !== undefined)
    throw startRefused(
      `expected no arguments, got ${first}: settings are environment variables, as in PORT=8080 (docs/operations.md)`,
    );
};

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<Given extends Options> = ReturnType<typeof parseArgs<{ options: Given }>>["values"];

/** @param usage as it is typed; whoever types something else is shown it, and the process ends */
export const optionsOf = <const Given extends Options>(options: Given, usage: string): Values<Given> => {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    // Node's sentences are about one argument each, and end with advice for those who have positional ones.
    const [sentence = ""] = (error as Error).message.split(/[.\n]/);
    return failToStart(startRefused(`${sentence}. Usage: ${usage}`));
  }
};

/** An option's number, or the process ends. */
export const numberOf = (name: string, text: string, [least, most]: readonly [number, number]): number => {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (number >= least && number <= most) return number;
  return failToStart(startRefused(`--${name}: expected a number from ${least} to ${most}, got ${text}`));
};
