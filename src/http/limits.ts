/** Whose requests are counted, and by what: the facts that the API's policy counts by. Who asks is known by then (auth.ts). */
import type { FastifyRequest } from "fastify";
import { limitOfKey, type ApiLimits } from "../accounts/api-limits.ts";
import type { Facts } from "../ratelimit/caller.ts";
import { rateLimit } from "../ratelimit/plugin.ts";
import type { AccountCaller, App } from "./access.ts";
import type { Services } from "./services.ts";

/** Users are keys, and the organisation is the account. The names in `own` are the policy's layers. */
export const factsOf = ({ account, key, limits }: Omit<AccountCaller, "kind" | "scopes">): Facts =>
  Object.freeze({
    account,
    organisation: account,
    profile: account,
    key,
    user: key,
    plan: limits.plan,
    own: { endpoint: limitOfKey(limits), organisation: limits.ceiling },
  });

/** A key's limits are the same object for as long as nothing of them changes (accounts/known-key.ts). */
const remembering = (): ((caller: AccountCaller) => Facts) => {
  const known = new WeakMap<ApiLimits, Facts>();
  return (caller) => {
    const seen = known.get(caller.limits);
    if (seen?.key === caller.key && seen.account === caller.account) return seen;
    const facts = factsOf(caller);
    known.set(caller.limits, facts);
    return facts;
  };
};

/** Null: outside the limits. A caller whom nobody knows is its address. */
const identifying = () => {
  const facts = remembering();
  return ({ caller, is404, routeOptions }: FastifyRequest): Facts | null => {
    if (caller?.kind === "operator") return null;
    // What the router itself refuses has no route.
    if (!is404 && routeOptions.config?.unlimited === true) return null;
    return caller?.kind === "account" ? facts(caller) : {};
  };
};

/** After `authenticate`, so that its hook comes after that one's: what is counted depends on who asks. */
export const limitRequests = async (app: App, { limits }: Services): Promise<void> => {
  await app.register(rateLimit, { limiter: limits.limiter, identify: identifying() });
};
