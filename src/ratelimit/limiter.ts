/** Whether a request may go on: asked of Redis, and of this process alone while Redis is away. */
import type { Clock, Millis } from "../domain/time.ts";
import { milliseconds } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import type { Admission, AdmitRequest } from "../redis/admissions.ts";
import { admit as admitOne, admitEach } from "../redis/scripts/admit.ts";
import { together } from "../redis/together.ts";
import type { Facts, LimitRequest, RouteRequest } from "./caller.ts";
import type { Decision, Standing } from "./decision.ts";
import { localLimiter } from "./local-limiter.ts";
import type { Policy } from "./policy.ts";
import { ruleFinder, rulesOf, type AppliedRule } from "./rules-for.ts";
import { redisWatch, type RedisState } from "./redis-watch.ts";

/** What was decided of one request, for those who keep the books. */
export interface Taken {
  readonly facts: Facts;
  readonly rules: readonly AppliedRule[];
  /** As the script has it, bucket by bucket in the order of the rules. */
  readonly admission: Admission;
}

export interface LimiterOptions {
  readonly policy: Policy;
  readonly scripts: ScriptRunner;
  readonly clock: Clock;
  /** Told of every request that was taken, those decided without Redis among them. Must not throw, and costs the caller its time. */
  readonly taken?: (taken: Taken) => void;
  /** Told once when Redis goes away, and once when it is back. */
  readonly changed?: (state: RedisState) => void;
  /** For Redis's answer; then it is taken to be away. */
  readonly patience?: Millis;
}

export interface Limiter {
  readonly policy: Policy;
  /** Charges every rule that applies, or none of them. Never throws for Redis's sake. */
  take(request: LimitRequest): Promise<Decision>;
  /**
   * What `take` would charge, for whoever has a call of its own to make of Redis in which to charge it, and then says so
   * (`taken`). Null where it cannot be told of the caller alone, or nothing applies, or Redis is away: `take` it is.
   */
  ahead(request: RouteRequest): readonly AppliedRule[] | null;
  /** What `take` answers, of what was charged elsewhere. */
  taken(taken: Taken): Decision;
  /** The same for what is no HTTP request: an action that rules name. */
  consume(action: string, facts: Facts): Promise<Decision>;
  /** What `take` would find, charging nothing. */
  look(request: LimitRequest): Promise<Decision>;
  /** All that may apply to the caller, whatever it asks for, charging nothing. */
  survey(facts: Facts): Promise<Decision>;
  /** Whether a rule that may apply there counts by something in the body. */
  needsBody(method: string, route: string | null): boolean;
  /** For /readyz. */
  state(): RedisState;
}

const NOTHING_APPLIES = { admitted: true, standings: [], violated: [], retryIn: milliseconds(0) } as const;

/** Shadow rules are in the books and in no answer: their callers are not to act on them. */
const decisionOf = (rules: readonly AppliedRule[], { admitted, at, retryIn, buckets }: Admission): Decision => {
  const standings: Standing[] = [];
  const violated: Standing[] = [];
  for (let place = 0; place < rules.length; place++) {
    const { rule, shadow, windows } = rules[place]!;
    if (shadow) continue;
    for (let index = 0; index < windows.length; index++) {
      const { kind, length, limit } = windows[index]!;
      const state = buckets[place]?.[index];
      if (state === undefined || limit === null) continue;
      const { used, resetIn, isFull } = state;
      const standing = { rule, kind, length, limit, remaining: Math.max(0, limit - used), resetIn };
      standings.push(standing);
      if (isFull && !admitted) violated.push(standing);
    }
  }
  return { admitted, at, standings, violated, retryIn };
};

/** A machine that is busy answers within this; one that is frozen must not hold every request of everybody. */
const PATIENCE = milliseconds(2_000);

/** Requests in one call: twice as many make none of them cheaper, and Redis has nothing to do meanwhile. */
const TOGETHER = 32;

export const limiterOn = (options: LimiterOptions): Limiter => {
  const { policy, scripts, clock, taken, changed, patience = PATIENCE } = options;
  const find = ruleFinder(policy);
  const local = localLimiter(clock);
  const redis = redisWatch({ clock, patience, ...(changed ? { changed } : {}) });

  const admit = together<AdmitRequest, Admission>(
    (requests) => redis.inTime(admitEach(scripts, requests)),
    TOGETHER,
    "all",
  );

  const asked = (mode: "take" | "look", rules: readonly AppliedRule[]): Promise<Admission> =>
    redis.ask(
      // Whoever asks whether Redis is back does not stand in line behind those who had no answer.
      () =>
        redis.state().redis === "here" ? admit({ mode, buckets: rules }) : redis.inTime(admitOne(scripts, mode, rules)),
      () => (mode === "take" ? local.take(rules) : local.look(rules)),
    );

  const looked = async (rules: readonly AppliedRule[]): Promise<Decision> =>
    rules.length === 0 ? { ...NOTHING_APPLIES, at: clock.now() } : decisionOf(rules, await asked("look", rules));

  const decided = (one: Taken): Decision => {
    taken?.(one);
    return decisionOf(one.rules, one.admission);
  };

  const take = async (request: LimitRequest): Promise<Decision> => {
    const rules = find(request);
    if (rules.length === 0) return { ...NOTHING_APPLIES, at: clock.now() };
    const admission = await asked("take", rules);
    return decided({ facts: request.facts, rules, admission });
  };

  return {
    policy,
    take,
    ahead: (request) => (redis.state().redis === "here" ? find.byCallerAlone(request) : null),
    taken: decided,
    consume: (action, facts) => take({ action, facts }),
    look: (request) => looked(find(request)),
    survey: (facts) => looked(rulesOf(policy, facts)),
    needsBody: find.needsBody,
    state: redis.state,
  };
};
