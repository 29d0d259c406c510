/** How many HTTP requests may be made: what each of those says who have a say. Kept here, enforced by the API limits. */

import type { ApiLimit } from "../domain/api-limit-rules.ts";

const API_WINDOWS = ["minute", "hour"] as const satisfies readonly (keyof ApiLimit)[];

/** Learned in the look-up that authenticates a key, so that each request goes by what is stated when it comes. */
export interface ApiLimits {
  /** The key's own. */
  readonly key: ApiLimit | null;
  /** The account's own, for each of its keys. */
  readonly account: ApiLimit | null;
  /** The account's plan; null for none. */
  readonly plan: string | null;
  /** The plan's, for each key. */
  readonly planLimit: ApiLimit | null;
  /** The organisation's, over all its keys together: the account's own goes before its plan's. Null: none. */
  readonly ceiling: ApiLimit | null;
}

/** Window by window, the first that states one. Null: nobody does. */
export const firstStated = (...limits: readonly (ApiLimit | null)[]): ApiLimit | null => {
  const stated: ApiLimit = Object.assign({}, ...limits.toReversed());
  return Object.keys(stated).length > 0 ? stated : null;
};

/** Whether whoever has the one may do no more than whoever has the other, in any window that this one states. */
export const isWithin = (limit: ApiLimit | null, bound: ApiLimit | null): boolean =>
  bound === null || API_WINDOWS.every((window) => (limit?.[window] ?? Infinity) <= (bound[window] ?? Infinity));

/** For one key: its own goes before its account's, that before the plan's. Null: what the API's policy says. */
export const limitOfKey = ({ key, account, planLimit }: ApiLimits): ApiLimit | null =>
  firstStated(key, account, planLimit);

/** As it is kept: JSON, or nothing. */
export const limitIn = (text: string | undefined): ApiLimit | null => (text ? (JSON.parse(text) as ApiLimit) : null);
