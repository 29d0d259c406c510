/** A policy: limits as data. Read from YAML by policy-reading.ts; config/policies/ holds those of the project. */
import type { Millis } from "../domain/time.ts";
import type { KeyFact } from "./caller.ts";
import type { LimitKind } from "../domain/limit-kind.ts";
import type { RoutePattern } from "./route-pattern.ts";

/** Where a part of a key is taken from. */
export type KeySource =
  { readonly from: "fact"; readonly name: KeyFact } | { readonly from: "body" | "path"; readonly name: string };

/** The first of these that is known. Where none is, the client's address stands in: no request is nobody's. */
export type KeyPart = readonly KeySource[];

/** Requests; null is no limit. By plan where plans differ. */
export type PlanLimit = number | null | { readonly [plan: string]: number | null };

export interface PolicyWindow {
  readonly length: Millis;
  readonly limit: PlanLimit;
}

export interface Rule {
  /** Stands in headers: a token. Unique in its policy. */
  readonly name: string;
  readonly routes: readonly RoutePattern[];
  /** What is limited and is no HTTP request. */
  readonly actions: readonly string[];
  readonly key: readonly KeyPart[];
  readonly kind: LimitKind;
  readonly windows: readonly PolicyWindow[];
  /** Counts and tells, and never refuses. */
  readonly shadow: boolean;
  /** `closed`: next to nothing passes while Redis is away, which is for what guards a door. */
  readonly whenRedisIsAway: "open" | "closed";
  /** Whether a caller's own limits take its place. */
  readonly overridable: boolean;
}

/** One bucket over all requests of a caller that has limits of its own. */
export interface OwnRule {
  readonly name: string;
  readonly key: readonly KeyPart[];
  readonly kind: LimitKind;
  /** Counted from the first request on, stated or not, so that a limit set later knows what went before. */
  readonly lengths: readonly Millis[];
}

/** Of each layer the most specific rule applies to a request; the layers add up. */
export interface Layer {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly own: OwnRule | null;
}

export interface Policy {
  readonly name: string;
  readonly dialect: string;
  /** Whose limits hold where the caller's plan is not named. */
  readonly defaultPlan: string | null;
  readonly layers: readonly Layer[];
}
