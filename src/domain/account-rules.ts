/** What an account may be, as a caller or the seed file writes it: snake_case, checked field by field. */
import { readApiLimit, type ApiLimit } from "./api-limit-rules.ts";
import { CHANNELS, type Channel } from "./channel.ts";
import type { FieldError } from "./errors.ts";
import { fieldIn, readFields, readWhole, unmet, type Problems } from "./expecting.ts";
import { readQuotas } from "./quota-rules.ts";
import type { Quotas } from "./quota.ts";
import { aTimeZone, isTimeZone } from "./time-zone.ts";

export const LARGEST_WEIGHT = 100;

export const ACCOUNT_FIELDS = [
  "name",
  "timezone",
  "plan",
  "quotas",
  "weight",
  "on_uncertain",
  "api_limit",
  "api_ceiling",
] as const;

type Uncertainty = { readonly [channel in Channel]?: "hold" | "resend" };

export interface AccountFields {
  readonly name?: string;
  readonly timezone?: string;
  readonly plan?: string | null;
  readonly quotas?: Quotas;
  readonly weight?: number | null;
  readonly onUncertain?: Uncertainty;
  readonly apiLimit?: ApiLimit | null;
  readonly apiCeiling?: ApiLimit | null;
}

const readName = (value: unknown, field: string, problems: Problems): string | undefined =>
  // No control characters, no lone surrogates: the name is shown in terminals, pages and logs.
  typeof value === "string" && /^(?!\s)[^\p{Cc}\p{Cs}\u2028\u2029]{1,100}$/u.test(value)
    ? value
    : unmet(problems, field, "a name of 1 to 100 characters on one line", value);

const readUncertainty = (value: unknown, field: string, problems: Problems): Uncertainty => {
  const choices: { [channel in Channel]?: "hold" | "resend" } = {};
  const given = readFields(value, field, CHANNELS, problems) ?? {};
  for (const channel of CHANNELS) {
    const choice = given[channel];
    if (choice === undefined) continue;
    if (channel === "voice" && choice === "resend")
      unmet(problems, fieldIn(field, channel), `"hold": nobody is called twice for one message`, choice);
    else if (choice === "hold" || choice === "resend") choices[channel] = choice;
    else unmet(problems, fieldIn(field, channel), `"hold" or "resend"`, choice);
  }
  return choices;
};

const read = (value: unknown, field: string, plans: readonly string[], problems: Problems): AccountFields => {
  const given = readFields(value, field, ACCOUNT_FIELDS, problems) ?? {};
  const fields: { -readonly [name in keyof AccountFields]: AccountFields[name] } = {};
  const at = (name: (typeof ACCOUNT_FIELDS)[number]): string => fieldIn(field, name);
  if (given.name !== undefined) {
    const name = readName(given.name, at("name"), problems);
    if (name !== undefined) fields.name = name;
  }
  if (given.timezone !== undefined) {
    if (typeof given.timezone === "string" && isTimeZone(given.timezone)) fields.timezone = given.timezone;
    else unmet(problems, at("timezone"), aTimeZone(given.timezone), given.timezone);
  }
  if (given.plan !== undefined) {
    if (given.plan === null || (typeof given.plan === "string" && plans.includes(given.plan))) fields.plan = given.plan;
    else
      unmet(
        problems,
        at("plan"),
        plans.length > 0 ? `one of ${plans.join(", ")}` : "no plan: none is defined",
        given.plan,
      );
  }
  if (given.weight !== undefined) {
    const weight = given.weight === null ? null : readWhole(given.weight, at("weight"), [1, LARGEST_WEIGHT], problems);
    if (weight !== undefined) fields.weight = weight;
  }
  if (given.quotas !== undefined) fields.quotas = readQuotas(given.quotas, at("quotas"), problems);
  if (given.on_uncertain !== undefined)
    fields.onUncertain = readUncertainty(given.on_uncertain, at("on_uncertain"), problems);
  const limit = (name: "api_limit" | "api_ceiling") =>
    given[name] === null ? null : readApiLimit(given[name], at(name), problems);
  if (given.api_limit !== undefined) fields.apiLimit = limit("api_limit");
  if (given.api_ceiling !== undefined) fields.apiCeiling = limit("api_ceiling");
  return fields;
};

/** A change to an account: anything may be absent. What may be null goes back to none by it. */
export const parseAccountPatch = (
  value: unknown,
  field: string,
  plans: readonly string[],
): { patch: AccountFields } | { errors: readonly FieldError[] } => {
  const errors: Problems = [];
  const patch = read(value, field, plans, errors);
  return errors.length > 0 ? { errors } : { patch };
};

export type WholeAccount = AccountFields & { readonly name: string; readonly timezone: string };

/** A new account: the name and the time zone must be there. */
export const parseAccount = (
  value: unknown,
  field: string,
  plans: readonly string[],
): { account: WholeAccount } | { errors: readonly FieldError[] } => {
  const errors: Problems = [];
  const fields = read(value, field, plans, errors);
  const { name, timezone } = fields;
  const complained = (wanted: string): boolean => errors.some((error) => error.field === fieldIn(field, wanted));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    if (name === undefined && !complained("name"))
      unmet(errors, fieldIn(field, "name"), "a name of 1 to 100 characters on one line", undefined);
    if (timezone === undefined && !complained("timezone"))
      unmet(errors, fieldIn(field, "timezone"), aTimeZone(undefined), undefined);
  }
  if (errors.length > 0 || name === undefined || timezone === undefined) return { errors };
  return { account: { ...fields, name, timezone } };
};
