/** What one variable says. Each reader takes the text and answers with its value or with what was expected instead. */
import { isIP } from "node:net";
import { type Millis } from "../src/domain/time.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { shown } from "./problem.ts";

export type Reading<T> =
  | { readonly kind: "value"; readonly value: T }
  /** `got` never holds a secret: readers of secrets describe it instead. */
  | { readonly kind: "unmet"; readonly expected: string; readonly got: string };

export type Reader<T> = (text: string) => Reading<T>;

export const value = <T>(it: T): Reading<T> => ({ kind: "value", value: it });
export const unmet = (expected: string, got: string): Reading<never> => ({ kind: "unmet", expected, got });

export const whole =
  (least: number, most: number): Reader<number> =>
  (text) =>
    /^[0-9]{1,12}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? value(Number(text))
      : unmet(`a whole number from ${least} to ${most}`, shown(text));

export const oneOf =
  <const T extends string>(choices: readonly T[]): Reader<T> =>
  (text) => {
    const choice = choices.find((one) => one === text);
    return choice === undefined ? unmet(`one of ${choices.join(", ")}`, shown(text)) : value(choice);
  };

export const onOff: Reader<boolean> = (text) => {
  if (["on", "true", "1", "yes"].includes(text)) return value(true);
  if (["off", "false", "0", "no"].includes(text)) return value(false);
  return unmet("on or off", shown(text));
};

export const matching =
  (pattern: RegExp, expected: string): Reader<string> =>
  (text) =>
    pattern.test(text) ? value(text) : unmet(expected, shown(text));

export const parsed =
  <T>(parse: (text: string) => T | undefined, expected: string): Reader<T> =>
  (text) => {
    const found = parse(text);
    return found === undefined ? unmet(expected, shown(text)) : value(found);
  };

/** Like `matching`, for what must not be echoed. */
export const secret =
  (pattern: RegExp, expected: string): Reader<string> =>
  (text) =>
    pattern.test(text) ? value(text) : unmet(expected, `something else (${text.length} characters, not shown)`);

export const duration =
  (least: Millis, most: Millis): Reader<Millis> =>
  (text) => {
    const length = parseDuration(text);
    return length !== undefined && length >= least && length <= most
      ? value(length)
      : unmet(
          `a length of time from ${formatDuration(least)} to ${formatDuration(most)} such as 7d, 24h, 90m or 30s`,
          shown(text),
        );
  };

/** Of proxies whose X-Forwarded-For is believed. Trusting everybody would make limits by address void: refused. */
export const networks: Reader<readonly string[]> = (text) => {
  if (text === "none") return value([]);
  const found = text.split(",").map((part) => part.trim());
  for (const network of found) {
    const [address = "", bits, ...rest] = network.split("/");
    const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    const isNetwork =
      rest.length === 0 && most > 0 && (bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= most));
    if (!isNetwork) return unmet("addresses and networks such as 10.0.0.0/8,fd00::/8", shown(network));
    if (Number(bits) === 0) return unmet("the networks of your own proxies", `${shown(network)}, which is everybody`);
  }
  return value(found);
};
