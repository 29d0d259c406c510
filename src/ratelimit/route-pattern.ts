/** Which requests a rule means: `POST /v1/email/send`, `/reports/*`, `GET /data?query=aggregate`, `*`. */

export interface RoutePattern {
  readonly text: string;
  /** Null: any. */
  readonly method: string | null;
  /** Null: every route, those that nobody knows included. */
  readonly segments: readonly string[] | null;
  /** Ends with `/*`: whatever lies below, and the place itself. */
  readonly isPrefix: boolean;
  readonly query: { readonly name: string; readonly value: string } | null;
}

const FORM = /^(?:([A-Z]+) +)?(\*|\/[^\s?*]*(?:\*)?)(?:\?([\w.-]+)=([\w.-]+))?$/;

const segmentsOf = (path: string): string[] => path.split("/").filter((segment) => segment !== "");

/** Undefined for text of another form. */
export const parsePattern = (text: string): RoutePattern | undefined => {
  const [, method = null, path = "", name, value] = FORM.exec(text) ?? [];
  if (path === "" || method === "HEAD" || (path.endsWith("*") && path !== "*" && !path.endsWith("/*")))
    return undefined;
  const segments = segmentsOf(path.replace(/\*$/, ""));
  return {
    text,
    method,
    segments: path === "*" ? null : segments,
    isPrefix: path.endsWith("/*"),
    query: name === undefined || value === undefined ? null : { name, value },
  };
};

export const parametersOf = (pattern: RoutePattern): string[] =>
  (pattern.segments ?? []).filter((segment) => segment.startsWith(":")).map((segment) => segment.slice(1));

/**
 * Sorts the more specific of two patterns that match one route first: literal before parameter before `*`, segment by
 * segment, then a method before any, then a query before any.
 */
const specificity = ({ segments, isPrefix, method, query }: RoutePattern): string => {
  const path = (segments ?? []).map((segment) => (segment.startsWith(":") ? "2" : "3")).join("");
  const end = segments === null ? "0" : isPrefix ? "1" : "4";
  return `${path}${end}${method === null ? "0" : "1"}${query === null ? "0" : "1"}`;
};

export const moreSpecific = (a: RoutePattern, b: RoutePattern): number => {
  const [left, right] = [specificity(a), specificity(b)];
  return left === right ? 0 : left > right ? -1 : 1;
};

/** A HEAD is answered by its GET, and costs as much. */
export const countedMethod = (method: string): string => {
  const upper = method.toUpperCase();
  return upper === "HEAD" ? "GET" : upper;
};

/** @param route as the router knows it, itself a pattern: `/device/:device_id` */
export const matchesRoute = (pattern: RoutePattern, method: string, route: string | null): boolean => {
  if (pattern.method !== null && pattern.method !== countedMethod(method)) return false;
  if (pattern.segments === null) return true;
  if (route === null) return false;
  const asked = segmentsOf(route);
  const { segments, isPrefix } = pattern;
  if (isPrefix ? asked.length < segments.length : asked.length !== segments.length) return false;
  return segments.every((segment, at) => {
    const other = asked[at] ?? "";
    return segment.startsWith(":") ? other !== "*" : segment.toLowerCase() === other.toLowerCase();
  });
};

/** A value that is given twice is meant twice: one of them is enough. */
export const matchesQuery = ({ query }: RoutePattern, given: unknown): boolean => {
  if (query === null) return true;
  if (typeof given !== "object" || given === null || !Object.hasOwn(given, query.name)) return false;
  const value = (given as Readonly<Record<string, unknown>>)[query.name];
  return Array.isArray(value) ? value.includes(query.value) : value === query.value;
};
