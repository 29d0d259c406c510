/** The API limits of this process: the policy that the configuration names, counted on the cell's Redis, with its books. */
import { loadPolicy, policyNamed } from "../config/policies.ts";
import type { Core } from "./compose.ts";
import { systemClock } from "./domain/time.ts";
import type { ApiLimiting } from "./http/services.ts";
import { limitEventReader } from "./ratelimit/limit-event.ts";
import { limiterOn } from "./ratelimit/limiter.ts";
import type { RedisState } from "./ratelimit/redis-watch.ts";
import { usageCounter } from "./ratelimit/usage-counter.ts";
import { apiUsageReader } from "./ratelimit/usage-report.ts";

export const composeLimits = ({ config, commands, keys, scripts, log }: Core): ApiLimiting => {
  const counter = usageCounter({ scripts, log });
  const changed = (state: RedisState): void => {
    if (state.redis === "here") log.info({ event: "limits_on_redis" }, "API limits are counted on Redis again");
    else
      log.warn(
        { event: "limits_in_process", why: state.why },
        "Redis does not answer: API limits are this process's own for now, and those of tokens next to nothing",
      );
  };
  const limiter = limiterOn({
    policy: loadPolicy(policyNamed(config.apiPolicy)),
    scripts,
    clock: systemClock,
    taken: counter.note,
    changed,
  });
  return {
    limiter,
    usage: apiUsageReader(commands, keys),
    events: limitEventReader(commands, keys),
    close: counter.close,
  };
};
