/** Whose requests are counted, and by what: the facts that the API's policy counts by. Who asks is known by then (auth.ts). */
import type { FastifyRequest } from "fastify";
import { limitOfKey, type ApiLimits } from "../accounts/api-limits.ts";
import type { Facts } from "../ratelimit/caller.ts";
import { rateLimit } from "../ratelimit/plugin.ts";
import type { AccountCaller, App } from "./access.ts";
import type { Services } from "./services.ts";

const known = new WeakMap<ApiLimits, Facts>();

/**
 * Users are keys, and the organisation is the account. The names in `own` are the policy's layers. A key's limits are the same
 * object for as long as nothing of them changes (accounts/known-key.ts), and so are its facts.
 */
export const factsOf = ({ account, key, limits }: Omit<AccountCaller, "kind" | "scopes">): Facts => {
  const seen = known.get(limits);
  if (seen?.key === key && seen.account === account) return seen;
  const facts = Object.freeze({
    account,
    organisation: account,
    profile: account,
    key,
    user: key,
    plan: limits.plan,
    own: { endpoint: limitOfKey(limits), organisation: limits.ceiling },
  });
  known.set(limits, facts);
  return facts;
};

/** Null: outside the limits. A caller whom nobody knows is its address. */
const identify = ({ caller, route }: FastifyRequest): Facts | null => {
  if (caller?.kind === "operator" || route.unlimited === true) return null;
  return caller?.kind === "account" ? factsOf(caller) : {};
};

/** After `authenticate`, so that its hook comes after that one's: what is counted depends on who asks. */
export const limitRequests = async (app: App, { limits }: Services): Promise<void> => {
  await app.register(rateLimit, { limiter: limits.limiter, identify });
};
