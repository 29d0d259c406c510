/** What others import as `sluice/ratelimit`: the plugin, the policies, and the limiter for what is no HTTP request. */
export { loadPolicy } from "../config/policies.ts";
export { cellTag } from "./redis/keys.ts";
export { scriptRunner } from "./redis/script.ts";
export { systemClock } from "./domain/time.ts";
export type { Facts } from "./ratelimit/caller.ts";
export type { Decision, Standing } from "./ratelimit/decision.ts";
export type { Dialect } from "./ratelimit/dialect.ts";
export { dialectNamed } from "./ratelimit/dialects/by-name.ts";
export { limiterOn, type Limiter } from "./ratelimit/limiter.ts";
export { rateLimit, type RateLimitOptions } from "./ratelimit/plugin.ts";
export type { Policy } from "./ratelimit/policy.ts";
