/** Each window of a decision with a name of its own: the rule's, and its length where the rule has several. */
import type { Standing } from "../decision.ts";

const UNITS: ReadonlyMap<number, string> = new Map([
  [1_000, "second"],
  [60_000, "minute"],
  [3_600_000, "hour"],
  [86_400_000, "day"],
]);

const lengthName = (length: number): string => UNITS.get(length) ?? `${Math.ceil(length / 1_000)}s`;

/**
 * The finest name that is needed and no finer: clients recognise a policy by it from answer to answer. All windows of a
 * rule are in every decision about it, so a name does not depend on how the request went.
 */
export const windowName = (window: Standing, all: readonly Standing[]): string => {
  let ofRule = 0;
  let ofLength = 0;
  for (const { rule, length } of all) {
    if (rule !== window.rule) continue;
    ofRule++;
    if (length === window.length) ofLength++;
  }
  if (ofRule === 1) return window.rule;
  const name = `${window.rule}-${lengthName(window.length)}`;
  return ofLength === 1 ? name : `${name}-${window.kind}`;
};
