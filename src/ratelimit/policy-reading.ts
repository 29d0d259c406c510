/** A policy from plain data, as YAML gives it. All that is wrong is collected, so that it is told at once. */
import { fieldIn, readFields, unmet, type Problems } from "../domain/expecting.ts";
import { minutes, hours, type Millis } from "../domain/time.ts";
import type { LimitKind } from "../domain/limit-kind.ts";
import { isName, NAME_FORM, readKey, readKind, readLength, readLimit } from "./policy-parts.ts";
import type { KeyPart, Layer, OwnRule, Policy, PolicyWindow, Rule } from "./policy.ts";
import { parametersOf, parsePattern, type RoutePattern } from "./route-pattern.ts";

/** What a rule has where it says nothing itself. */
interface Defaults {
  readonly key: readonly KeyPart[] | null;
  readonly kind: LimitKind | null;
}

const entriesOf = (value: unknown, field: string, expected: string, problems: Problems): [string, unknown][] => {
  if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0)
    return Object.entries(value);
  unmet(problems, field, expected, value);
  return [];
};

const readFlag = (value: unknown, field: string, problems: Problems): boolean | undefined =>
  value === undefined || typeof value === "boolean" ? value : unmet(problems, field, "true or false", value);

const ROUTE_FORM = "routes such as POST /v1/email/send, GET /v1/reports/*, GET /data?query=aggregate or *";

const readRoutes = (value: unknown, field: string, problems: Problems): RoutePattern[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0) {
    unmet(problems, field, `a list of ${ROUTE_FORM}`, value);
    return [];
  }
  return value.flatMap((text: unknown, at) => {
    const pattern = typeof text === "string" ? parsePattern(text) : undefined;
    if (pattern === undefined) unmet(problems, `${field}[${at}]`, `${ROUTE_FORM} (a HEAD counts as its GET)`, text);
    return pattern ?? [];
  });
};

const readActions = (value: unknown, field: string, problems: Problems): string[] => {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.length > 0 && value.every(isName)) return value;
  unmet(problems, field, `a list of names in ${NAME_FORM}`, value);
  return [];
};

const readWindows = (value: unknown, field: string, plan: string | null, problems: Problems): PolicyWindow[] =>
  entriesOf(value, field, "limits by window, such as { minute: 60, hour: 1000 }", problems)
    .flatMap(([per, limit]) => {
      const length = readLength(per, field, problems);
      const read = readLimit(limit, fieldIn(field, per), plan, problems);
      return length === undefined || read === undefined ? [] : [{ length, limit: read }];
    })
    .toSorted((a, b) => a.length - b.length);

const RULE_FIELDS = [
  "routes",
  "actions",
  "key",
  "kind",
  "limits",
  "shadow",
  "when_redis_is_away",
  "overridable",
] as const;

const readRule = (
  name: string,
  value: unknown,
  field: string,
  defaults: Defaults,
  plan: string | null,
  problems: Problems,
): Rule => {
  const given = readFields(value, field, RULE_FIELDS, problems) ?? {};
  const within = (part: string): string => fieldIn(field, part);
  const routes = readRoutes(given.routes, within("routes"), problems);
  const actions = readActions(given.actions, within("actions"), problems);
  if (given.routes === undefined && given.actions === undefined)
    unmet(problems, within("routes"), `a list of ${ROUTE_FORM}`, undefined);
  const key = given.key === undefined && defaults.key ? defaults.key : readKey(given.key, within("key"), problems);
  for (const source of key.flat().filter(({ from }) => from === "path")) {
    const without = routes.find((route) => !parametersOf(route).includes(source.name));
    if (without) unmet(problems, within("key"), `routes that all have the parameter :${source.name}`, without.text);
  }
  const away = given.when_redis_is_away ?? "open";
  if (away !== "open" && away !== "closed") unmet(problems, within("when_redis_is_away"), "open or closed", away);
  return {
    name,
    routes,
    actions,
    key,
    kind: given.kind === undefined && defaults.kind ? defaults.kind : readKind(given.kind, within("kind"), problems),
    windows: readWindows(given.limits, within("limits"), plan, problems),
    shadow: readFlag(given.shadow, within("shadow"), problems) ?? false,
    whenRedisIsAway: away === "closed" ? "closed" : "open",
    overridable: readFlag(given.overridable, within("overridable"), problems) ?? true,
  };
};

const readOwn = (value: unknown, field: string, problems: Problems): OwnRule => {
  const given = readFields(value, field, ["rule", "key", "kind", "windows"], problems) ?? {};
  if (!isName(given.rule)) unmet(problems, fieldIn(field, "rule"), `a name in ${NAME_FORM}`, given.rule);
  const lengths: Millis[] = [];
  if (given.windows === undefined) lengths.push(minutes(1), hours(1));
  else if (Array.isArray(given.windows) && given.windows.length > 0)
    for (const per of given.windows) {
      const length = readLength(per, fieldIn(field, "windows"), problems);
      if (length !== undefined) lengths.push(length);
    }
  else unmet(problems, fieldIn(field, "windows"), "a list such as [minute, hour]", given.windows);
  return {
    name: isName(given.rule) ? given.rule : "",
    key: readKey(given.key, fieldIn(field, "key"), problems),
    kind: readKind(given.kind, fieldIn(field, "kind"), problems),
    lengths,
  };
};

/** Two rules for one route would leave it to chance which one holds. */
const insistOnOneRuleForEach = (rules: readonly Rule[], field: string, problems: Problems): void => {
  const taken = new Map<string, string>();
  for (const rule of rules) {
    for (const what of [...rule.routes.map(({ text }) => text), ...rule.actions]) {
      const other = taken.get(what);
      if (other !== undefined) unmet(problems, fieldIn(field, rule.name), `${what} in one rule of the layer`, other);
      taken.set(what, rule.name);
    }
  }
};

const readLayer = (name: string, value: unknown, field: string, plan: string | null, problems: Problems): Layer => {
  const given = readFields(value, field, ["key", "kind", "rules", "own"], problems) ?? {};
  const defaults: Defaults = {
    key: given.key === undefined ? null : readKey(given.key, fieldIn(field, "key"), problems),
    kind: given.kind === undefined ? null : readKind(given.kind, fieldIn(field, "kind"), problems),
  };
  const inRules = fieldIn(field, "rules");
  const stated =
    given.rules === undefined && given.own !== undefined
      ? []
      : entriesOf(given.rules, inRules, "rules by name", problems);
  const rules = stated.map(([rule, of]) => readRule(rule, of, fieldIn(inRules, rule), defaults, plan, problems));
  insistOnOneRuleForEach(rules, inRules, problems);
  return { name, rules, own: given.own === undefined ? null : readOwn(given.own, fieldIn(field, "own"), problems) };
};

/** Names stand in headers and in the names of counters: each is one rule's. */
const insistOnNames = (layers: readonly Layer[], problems: Problems): void => {
  const seen = new Set<string>();
  for (const { name, rules, own } of layers) {
    if (!isName(name)) unmet(problems, "layers", `names in ${NAME_FORM}`, name);
    for (const rule of [...rules, ...(own ? [own] : [])].map((one) => one.name)) {
      if (!isName(rule) && rule !== "") unmet(problems, `layers.${name}`, `names of rules in ${NAME_FORM}`, rule);
      if (seen.has(rule)) unmet(problems, `layers.${name}`, "a name for each rule in the policy", `${rule} again`);
      seen.add(rule);
    }
  }
};

/** @param dialects that there are */
export const readPolicy = (name: string, value: unknown, dialects: readonly string[], problems: Problems): Policy => {
  const fields = ["dialect", "default_plan", "layers"] as const;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    unmet(problems, "the file", `an object with ${fields.join(", ")}`, value);
    return { name, dialect: "", defaultPlan: null, layers: [] };
  }
  const given = readFields(value, "", fields, problems) ?? {};
  const { dialect, default_plan: plan = null } = given;
  if (typeof dialect !== "string" || !dialects.includes(dialect))
    unmet(problems, "dialect", `one of ${dialects.join(", ")}`, dialect);
  if (plan !== null && !isName(plan)) unmet(problems, "default_plan", `a plan's name in ${NAME_FORM}`, plan);
  const defaultPlan = isName(plan) ? plan : null;
  // No layers is a policy, too: no limits.
  const stated =
    typeof given.layers === "object" && given.layers !== null && Object.keys(given.layers).length === 0
      ? []
      : entriesOf(given.layers, "layers", "layers by name, or {} for no limits", problems);
  const layers = stated.map(([layer, of]) => readLayer(layer, of, fieldIn("layers", layer), defaultPlan, problems));
  insistOnNames(layers, problems);
  return { name, dialect: typeof dialect === "string" ? dialect : "", defaultPlan, layers };
};
