/** Which rules of a policy apply to a request, and on which counters of whom. Pure: nothing is asked of Redis. */
import { days, hours, minutes, type Millis } from "../domain/time.ts";
import { callerOf } from "./bucket-name.ts";
import type { Facts, LimitRequest, OwnLimit, RouteRequest } from "./caller.ts";
import type { LimitKind } from "../domain/limit-kind.ts";
import type { KeyPart, KeySource, Layer, OwnRule, PlanLimit, Policy, Rule } from "./policy.ts";
import { countedMethod, matchesQuery, matchesRoute, moreSpecific, type RoutePattern } from "./route-pattern.ts";

export interface AppliedWindow {
  readonly kind: LimitKind;
  readonly length: Millis;
  /** Null: counted, and never full. */
  readonly limit: number | null;
}

export interface AppliedRule {
  readonly rule: string;
  /** Of the caller's counters, within the cell. */
  readonly name: string;
  readonly shadow: boolean;
  readonly whenRedisIsAway: "open" | "closed";
  readonly windows: readonly AppliedWindow[];
}

const OWN_LENGTHS = { minute: minutes(1), hour: hours(1), day: days(1) } as const;

const limitFor = (limit: PlanLimit, plan: string | null | undefined, byDefault: string | null): number | null => {
  if (limit === null || typeof limit === "number") return limit;
  for (const name of [plan, byDefault]) {
    if (typeof name === "string" && Object.hasOwn(limit, name)) return limit[name] ?? null;
  }
  // A reader of policies lets none through that does not name its default plan: the smallest is the safe one.
  return Math.min(...Object.values(limit).filter((one) => one !== null));
};

/** Other windows are other counters: what one string holds is known from its name. */
const nameOf = (policy: Policy, rule: string, windows: readonly AppliedWindow[], caller: string): string => {
  const shape = `${windows[0]?.kind[0] ?? ""}${windows.map(({ length }) => length / 1_000).join(".")}`;
  return `${policy.name}:${rule}:${shape}:${caller}`;
};

interface Counting {
  readonly name: string;
  readonly key: readonly KeyPart[];
  readonly shadow: boolean;
  readonly whenRedisIsAway: "open" | "closed";
}

const applied = (
  policy: Policy,
  { name, key, shadow, whenRedisIsAway }: Counting,
  windows: readonly AppliedWindow[],
  request: LimitRequest,
): AppliedRule => ({
  rule: name,
  name: nameOf(policy, name, windows, callerOf(key, request)),
  shadow,
  whenRedisIsAway,
  windows,
});

const appliedRule = (policy: Policy, rule: Rule, request: LimitRequest): AppliedRule => {
  const windows = rule.windows.map(({ length, limit }) => ({
    kind: rule.kind,
    length,
    limit: limitFor(limit, request.facts.plan, policy.defaultPlan),
  }));
  return applied(policy, rule, windows, request);
};

/** Nothing is asked for the sake of what has no limit. */
const withLimits = (rule: AppliedRule): readonly AppliedRule[] =>
  rule.windows.some(({ limit }) => limit !== null) ? [rule] : [];

const ownLimitOf = ({ own }: Facts, layer: string): OwnLimit | null => {
  const stated = own?.[layer];
  if (!stated) return null;
  return Object.values(stated).some((limit) => typeof limit === "number") ? stated : null;
};

/** To the counters 0 is no limit at all: whoever may make no requests is to be turned away before. */
const insistOnRequests = (limit: number): number => {
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new RangeError(`expected limits of a caller's own to be whole numbers of requests from 1, got ${limit}`);
};

const appliedOwn = (policy: Policy, own: OwnRule, stated: OwnLimit, request: LimitRequest): AppliedRule => {
  const limits = new Map<Millis, number | null>(own.lengths.map((length) => [length, null]));
  for (const per of ["minute", "hour", "day"] as const) {
    const limit = stated[per];
    if (typeof limit === "number") limits.set(OWN_LENGTHS[per], insistOnRequests(limit));
  }
  const windows = [...limits]
    .toSorted(([a], [b]) => a - b)
    .map(([length, limit]) => ({ kind: own.kind, length, limit }));
  return applied(policy, { ...own, shadow: false, whenRedisIsAway: "open" }, windows, request);
};

interface Candidate {
  readonly rule: Rule;
  readonly pattern: RoutePattern | null;
}

const candidatesOf = ({ rules }: Layer, matches: (pattern: RoutePattern) => boolean): readonly Candidate[] =>
  rules
    .flatMap((rule) => rule.routes.filter(matches).map((pattern) => ({ rule, pattern })))
    .toSorted((a, b) => moreSpecific(a.pattern, b.pattern));

const candidatesFor = (layer: Layer, request: LimitRequest): readonly Candidate[] => {
  if (!("action" in request)) return candidatesOf(layer, (one) => matchesRoute(one, request.method, request.route));
  const named = layer.rules.find(({ actions }) => actions.includes(request.action));
  // An action that no rule names is limited as everything else is.
  return named
    ? [{ rule: named, pattern: null }]
    : candidatesOf(layer, ({ segments, method }) => segments === null && method === null);
};

/** What a policy has for a route, or an action. */
interface Place {
  readonly layers: readonly (readonly Candidate[])[];
  /** Whether some of them count by something that stands in the body. */
  readonly needsBody: boolean;
  /** Nothing but who asks decides which of them apply, and on which counters: no query, body or path. */
  readonly byCallerAlone: boolean;
}

const isOfFacts = ({ key }: Pick<Rule, "key">): boolean =>
  key.every((part) => part.every(({ from }) => from === "fact"));

const placeOf = (policy: Policy, request: LimitRequest): Place => {
  const layers = policy.layers.map((layer) => candidatesFor(layer, request));
  const all = layers.flat();
  return {
    layers,
    needsBody: all.some(({ rule }) => rule.key.some((part) => part.some(({ from }) => from === "body"))),
    byCallerAlone:
      policy.layers.every(({ own }) => own === null || isOfFacts(own)) &&
      all.every(({ rule, pattern }) => isOfFacts(rule) && (pattern?.query ?? null) === null),
  };
};

/** More routes than an application has. Routes are patterns, of which no caller can make more. */
const MOST_REMEMBERED = 5_000;

export interface RuleFinder {
  (request: LimitRequest): readonly AppliedRule[];
  /** Whether a rule that may apply there counts by something that stands in the body. */
  needsBody(method: string, route: string | null): boolean;
  /** The rules of a request, where they are some, follow from who asks alone, and the facts are frozen. */
  byCallerAlone(request: RouteRequest): readonly AppliedRule[] | null;
}

/**
 * Finds the rules of requests, remembering which rules each place has. Frozen facts that come again have the same list again: so
 * it is made once for a caller, and requests of one caller are known to be alike.
 */
export const ruleFinder = (policy: Policy): RuleFinder => {
  const places = new Map<string, Map<string, Place>>();
  const placeFor = (request: LimitRequest): Place => {
    const isAction = "action" in request;
    const name = isAction ? request.action : (request.route ?? "");
    const kind = isAction ? "an action" : countedMethod(request.method);
    const found = places.get(name)?.get(kind);
    if (found) return found;
    if (places.size >= MOST_REMEMBERED) places.clear();
    const place = placeOf(policy, request);
    places.set(name, (places.get(name) ?? new Map<string, Place>()).set(kind, place));
    return place;
  };
  const seek = ({ layers }: Place, request: LimitRequest): readonly AppliedRule[] => {
    const query = "action" in request ? undefined : request.query;
    return policy.layers.flatMap(({ name, own, rules }, at) => {
      const rule = layers[at]?.find(({ pattern }) => pattern === null || matchesQuery(pattern, query))?.rule;
      const stated = own === null ? null : ownLimitOf(request.facts, name);
      // A layer without rules is for callers with limits of their own alone.
      const mayBeOwn = rule === undefined ? rules.length === 0 : rule.overridable;
      if (own !== null && stated !== null && mayBeOwn) return [appliedOwn(policy, own, stated, request)];
      return rule === undefined ? [] : withLimits(appliedRule(policy, rule, request));
    });
  };
  const ofCallers = new WeakMap<Facts, WeakMap<Place, readonly AppliedRule[]>>();
  const isOfCallerAlone = (place: Place, { facts }: LimitRequest): boolean =>
    place.byCallerAlone && Object.isFrozen(facts);
  const ofCaller = (place: Place, request: LimitRequest): readonly AppliedRule[] => {
    let ofPlaces = ofCallers.get(request.facts);
    const known = ofPlaces?.get(place);
    if (known) return known;
    const rules = seek(place, request);
    if (!ofPlaces) ofCallers.set(request.facts, (ofPlaces = new WeakMap()));
    ofPlaces.set(place, rules);
    return rules;
  };
  const find = (request: LimitRequest): readonly AppliedRule[] => {
    const place = placeFor(request);
    return isOfCallerAlone(place, request) ? ofCaller(place, request) : seek(place, request);
  };
  const byCallerAlone = (request: RouteRequest): readonly AppliedRule[] | null => {
    const place = placeFor(request);
    const rules = isOfCallerAlone(place, request) ? ofCaller(place, request) : [];
    return rules.length > 0 ? rules : null;
  };
  const needsBody = (method: string, route: string | null): boolean => placeFor({ method, route, facts: {} }).needsBody;
  return Object.assign(find, { needsBody, byCallerAlone });
};

const isKnown = (source: KeySource, facts: Facts): boolean =>
  source.from === "fact" && (facts[source.name] ?? "") !== "";

/**
 * Every rule that may apply to this caller, whatever it asks for; not those that count by something in a request, or by what
 * is not known here: an account has no address, and what stands in nobody's bucket is not its own.
 */
export const rulesOf = (policy: Policy, facts: Facts): readonly AppliedRule[] => {
  const request: LimitRequest = { facts, action: "" };
  return policy.layers.flatMap(({ name, own, rules }) => {
    const stated = own === null ? null : ownLimitOf(facts, name);
    const ofTable = rules
      .filter(({ overridable }) => stated === null || !overridable)
      .filter(({ key }) => key.every((part) => part.some((source) => isKnown(source, facts))))
      .flatMap((rule) => withLimits(appliedRule(policy, rule, request)));
    return own !== null && stated !== null ? [appliedOwn(policy, own, stated, request), ...ofTable] : ofTable;
  });
};
