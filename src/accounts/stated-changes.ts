/** What the audit says of a change to an account: by what is in force, its own over its plan's, before and after. Pure. */
import type { Changed } from "../domain/audit.ts";
import { CHANNELS } from "../domain/channel.ts";
import type { Quotas } from "../domain/quota.ts";
import type { ApiLimit } from "../domain/api-limit-rules.ts";
import { firstStated } from "./api-limits.ts";
import type { SenderRule } from "./account.ts";
import type { Plans } from "./plan.ts";
import { rulesOf, type Stated } from "./record.ts";

const LEVELS = [...CHANNELS, "all"] as const;

/** Whatever order fields came in: Redis, plans and callers have their own. */
const sorted = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, inner]) => [name, sorted(inner)]),
      )
    : value;
export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

/** The levels on which two sets of quotas differ, as they are in the first. */
const differing = (quotas: Quotas, others: Quotas): Quotas =>
  Object.fromEntries(
    LEVELS.filter((level) => !isSame(quotas[level] ?? {}, others[level] ?? {})).map((level) => [
      level,
      quotas[level] ?? {},
    ]),
  );

const inForce = (stated: Stated, plans: Plans) => {
  const plan = stated.plan === null ? undefined : plans.get(stated.plan);
  const over = (own: ApiLimit | null, theirs: ApiLimit | null | undefined) => firstStated(own, theirs ?? null);
  return {
    ...rulesOf(stated, plans),
    apiLimit: over(stated.apiLimit, plan?.apiLimit),
    apiCeiling: over(stated.apiCeiling, plan?.apiCeiling),
  };
};

export const changesBetween = (account: string, before: Stated, after: Stated, plans: Plans): readonly Changed[] => {
  const [was, is] = [inForce(before, plans), inForce(after, plans)];
  const all = [
    { what: "account.name", from: before.name, to: after.name },
    { what: "zone", from: before.timezone, to: after.timezone },
    { what: "plan", from: before.plan, to: after.plan },
    { what: "weight", from: was.weight, to: is.weight },
    { what: "quotas", from: differing(was.quotas, is.quotas), to: differing(is.quotas, was.quotas) },
    { what: "account.on_uncertain", from: before.onUncertain, to: after.onUncertain },
    { what: "api_limit", from: was.apiLimit, to: is.apiLimit },
    { what: "api_ceiling", from: was.apiCeiling, to: is.apiCeiling },
  ] as const;
  return all.filter(({ from, to }) => !isSame(from, to)).map((change) => ({ account, ...change }));
};

export const accountInAudit = ({
  name,
  timezone,
  plan,
  weight,
  quotas,
  onUncertain,
  apiLimit,
  apiCeiling,
}: Stated) => ({
  name,
  timezone,
  plan,
  weight,
  quotas,
  on_uncertain: onUncertain,
  api_limit: apiLimit,
  api_ceiling: apiCeiling,
});

/** A rule that limits nothing is none. */
export const ruleInAudit = ({ channel, sender, quota, rate }: SenderRule) => ({
  channel,
  sender,
  ...quota,
  rate_interval_ms: rate,
});
