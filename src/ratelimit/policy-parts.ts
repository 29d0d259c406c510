/** The parts of a policy that stand in more than one place: names, keys, windows, limits. */
import { fieldIn, readWhole, unmet, type Problems } from "../domain/expecting.ts";
import { LIMIT_KINDS, type LimitKind } from "../domain/limit-kind.ts";
import { days, hours, minutes, seconds, type Millis } from "../domain/time.ts";
import { KEY_FACTS, type KeyFact } from "./caller.ts";
import type { KeyPart, KeySource, PlanLimit } from "./policy.ts";

export const NAME_FORM = "lower-case letters, digits and -";

/** A token in a header, a part of a counter's name, and read by people. */
export const isName = (value: unknown): value is string =>
  typeof value === "string" && /^[a-z][a-z0-9-]{0,39}$/.test(value);

export const readKind = (value: unknown, field: string, problems: Problems): LimitKind =>
  LIMIT_KINDS.find((kind) => kind === value) ??
  unmet(problems, field, `one of ${LIMIT_KINDS.join(", ")}`, value) ??
  "rolling";

const NAMED: Readonly<Record<string, Millis>> = { minute: minutes(1), hour: hours(1), day: days(1) };
const LONGEST_SECONDS = 31 * 86_400;

export const readLength = (value: unknown, field: string, problems: Problems): Millis | undefined => {
  if (typeof value === "string" && Object.hasOwn(NAMED, value)) return NAMED[value];
  const count = Number(/^([1-9][0-9]{0,6})s$/.exec(String(value))?.[1]);
  return count <= LONGEST_SECONDS
    ? seconds(count)
    : unmet(problems, field, "windows of minute, hour, day or so many seconds, such as 10s", value);
};

/** A thousand requests a millisecond: beyond it, no limit was meant. 0 would be a route that nobody can call. */
const MOST_REQUESTS = 60_000_000;

const readCount = (value: unknown, field: string, problems: Problems): number | null | undefined =>
  value === null ? null : readWhole(value, field, [1, MOST_REQUESTS], problems);

/** Undefined when it is wrong. */
export const readLimit = (
  value: unknown,
  field: string,
  defaultPlan: string | null,
  problems: Problems,
): PlanLimit | undefined => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    if (value === null || typeof value === "number") return readCount(value, field, problems);
    return unmet(problems, field, "requests, null for no limit, or either by plan", value);
  }
  const limits: Record<string, number | null> = {};
  for (const [plan, limit] of Object.entries(value)) {
    if (!isName(plan)) unmet(problems, field, `names of plans in ${NAME_FORM}`, plan);
    limits[plan] = readCount(limit, fieldIn(field, plan), problems) ?? null;
  }
  if (defaultPlan === null || !Object.hasOwn(limits, defaultPlan))
    return unmet(problems, field, "a limit for the policy's default_plan among them", defaultPlan ?? undefined);
  return limits;
};

const KEY_FORM = `${KEY_FACTS.join(", ")}, body.<field> or path.<parameter>`;

const sourceOf = (text: string): KeySource | undefined => {
  const fact = KEY_FACTS.find((one): one is KeyFact => one === text);
  if (fact !== undefined) return { from: "fact", name: fact };
  const [, from, name] = /^(body|path)\.([A-Za-z_][\w-]{0,39})$/.exec(text) ?? [];
  return (from === "body" || from === "path") && name !== undefined ? { from, name } : undefined;
};

export const readKey = (value: unknown, field: string, problems: Problems): readonly KeyPart[] => {
  if (!Array.isArray(value) || value.length === 0) {
    unmet(problems, field, `a list such as [account|ip], of ${KEY_FORM}`, value);
    return [];
  }
  return value.map((part: unknown, at) => {
    const texts = typeof part === "string" ? part.split("|") : [String(part)];
    return texts.flatMap((text) => {
      const source = sourceOf(text.trim());
      if (source === undefined) unmet(problems, `${field}[${at}]`, KEY_FORM, text);
      return source ?? [];
    });
  });
};
