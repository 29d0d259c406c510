/** The caller's part of a counter's name: who is counted, by a rule's key. */
import { createHash } from "node:crypto";
import type { LimitRequest, RouteRequest } from "./caller.ts";
import { clientAddress } from "./client-address.ts";
import type { KeyPart, KeySource } from "./policy.ts";

/** Ids as we and others write them. All else could pass for two parts, for a mile of name, or for somebody's address. */
const PLAIN = /^[A-Za-z0-9_.:/-]{1,80}$/;
const HASHED_LENGTH = 22;

const hashed = (value: string): string =>
  `#${createHash("sha256").update(value).digest("base64url").slice(0, HASHED_LENGTH)}`;

/** As it may stand in a key's name: itself when it is plain. */
export const plainName = (value: string): string => (PLAIN.test(value) ? value : hashed(value));

const fieldOf = (given: unknown, name: string): string | null => {
  if (typeof given !== "object" || given === null || !Object.hasOwn(given, name)) return null;
  const value = (given as Readonly<Record<string, unknown>>)[name];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
};

const textOf = (source: KeySource, request: LimitRequest): string | null => {
  if (source.from === "fact") {
    const value = request.facts[source.name];
    if (value === undefined || value === null || value === "") return null;
    if (source.name === "ip") return `ip=${clientAddress(value)}`;
    return `${source.name}=${plainName(value)}`;
  }
  const { body, params } = request as Partial<RouteRequest>;
  const value = fieldOf(source.from === "body" ? body : params, source.name);
  // Names of keys are seen by whoever looks at Redis: no address of a person among them. Written in capitals or with
  // spaces around it, an address is the same one.
  return value === null
    ? null
    : `${source.name}=${hashed(source.from === "body" ? value.trim().toLowerCase() : value)}`;
};

const BY_ADDRESS: KeySource = { from: "fact", name: "ip" };

const partOf = (part: KeyPart, request: LimitRequest): string => {
  for (const source of [...part, BY_ADDRESS]) {
    const found = textOf(source, request);
    if (found !== null) return found;
  }
  return "nobody";
};

/** The source's name stands in each part: no account can be called what an address is. */
export const callerOf = (key: readonly KeyPart[], request: LimitRequest): string =>
  key.map((part) => partOf(part, request)).join(",");
