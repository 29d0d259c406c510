/**
 * Bytes to a value. Whatever is not JSON in UTF-8, is nested too deep, says something twice or would poison a prototype
 * is malformed.
 */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { malformed, unsupportedMediaType } from "../domain/errors.ts";
import type { App } from "./access.ts";
import { saidTwice } from "./said-twice.ts";

/** The deepest thing the contract knows has 6 levels; metadata may have its own. */
export const DEEPEST = 32;
/** Fields of one object. The contract's largest has 100 (variables), 4 KB of metadata fewer than this. */
export const MOST_FIELDS = 1_000;
/** Ten thousand recipients with a hundred variables each are a little more. */
export const MOST_VALUES = 1_200_000;

const NOT_JSON = "expected a body that is JSON, without the keys __proto__ and constructor.prototype";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

interface Measure {
  /** Why the body is not parsed, or null. */
  readonly excess: string | null;
  /** Of all objects in it, if it is JSON. */
  readonly named: number;
}

const tooMuch = (excess: string): Measure => ({ excess, named: 0 });

/** A name is looked through here, a longer text by the system: to call that costs as much as some fifty bytes. */
const NEAR = 32;

/** Where a string's closing quote is; past the end if there is none. */
const endOfString = (json: Buffer, start: number): number => {
  let at = start + 1;
  while (at < json.length) {
    for (const near = Math.min(at + NEAR, json.length); at < near; at++) {
      if (json[at] === QUOTE) return at;
      if (json[at] === BACKSLASH) at++;
    }
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1) break;
    let escapes = 0;
    while (quote - escapes > at && json[quote - escapes - 1] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote;
    at = quote + 1;
  }
  return json.length;
};

/** Of each level that is open, how many fields its object has so far: to make one for each body costs more than to count. */
const fields = new Uint32Array(DEEPEST + 1);

/**
 * Counted on the bytes, before anything recursive sees them: 100,000 brackets must not cost a stack, nor sixteen
 * megabytes of tiny values or of one object's fields the event loop's seconds.
 */
const measure = (json: Buffer): Measure => {
  let named = 0;
  fields[0] = 0;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEEPEST) return tooMuch(`JSON of at most ${DEEPEST} levels`);
      fields[depth] = 0;
    } else if (byte === 0x5d || byte === 0x7d) depth = Math.max(0, depth - 1);
    else if (byte === COMMA && ++values > MOST_VALUES) return tooMuch(`JSON of at most ${MOST_VALUES} values`);
    else if (byte === COLON) {
      named++;
      if (++fields[depth]! > MOST_FIELDS) return tooMuch(`at most ${MOST_FIELDS} fields in an object`);
    }
  }
  return { excess: null, named };
};

export const excessOf = (json: Buffer): string | null => measure(json).excess;

/** JSON is UTF-8 (RFC 8259), and a body that says it is something else would be read as what it is not. */
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;
const isUtf8 = (contentType: string): boolean =>
  contentType === "application/json" || /^(?:utf-?8|us-ascii)?$/i.test(CHARSET.exec(contentType)?.[1] ?? "");

/** Keeps nothing from one body to the next, and costs as much to make as to use. */
const UTF_8 = new TextDecoder("utf-8", { fatal: true });

const decode = (bytes: Buffer): string => {
  let text: string;
  try {
    text = UTF_8.decode(bytes);
  } catch {
    throw malformed("expected a body in UTF-8");
  }
  // One byte order mark is gone by now. Fastify's parser would overlook another, and JSON.parse would not.
  if (text.startsWith("\ufeff")) throw malformed(NOT_JSON);
  return text;
};

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    throw malformed(NOT_JSON);
  }
};

/** What Fastify's parser looks for, as it stands or in escapes: where there is none of it, JSON.parse says the same. */
const mayPoison = (json: string): boolean =>
  json.includes("__proto__") || json.includes("constructor") || json.includes("\\u");

type Parsed = (error: Error | null, value?: unknown) => void;

const saidOnce = (json: string, value: unknown, named: number, done: Parsed): void => {
  const twice = saidTwice(json, value, named);
  if (twice === null) done(null, value);
  else done(malformed(`expected each field of an object once, got ${twice} twice`));
};

export const readJsonBodies = (app: App): void => {
  // Nothing says what an object without fields says.
  app.addHook("preValidation", (request, _reply, done) => {
    if (request.route.bodyOptional === true) request.body ??= {};
    done();
  });
  // Only JSON: a form or a text that happens to hold JSON is what a browser sends across origins without asking.
  app.removeAllContentTypeParsers();
  // Fastify's own, for what it knows about __proto__ and constructor.prototype.
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, bytes, done) => {
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity")
      return done(unsupportedMediaType(`application/json with Content-Encoding ${encoding}`));
    const type = request.headers["content-type"] ?? "";
    if (!isUtf8(type)) return done(unsupportedMediaType(type, "application/json in UTF-8"));
    if (request.route.idempotent === true && request.headers["idempotency-key"] !== undefined)
      request.bodyDigest = createHash("sha256").update(bytes).digest("hex");
    if (isBodiless(request) && bytes.length === 0) return done(null, undefined);
    if (bytes.length === 0) return done(malformed("expected a JSON body, got none"));
    const { excess, named } = measure(bytes);
    if (excess !== null) return done(malformed(`expected ${excess}`));
    try {
      const text = decode(bytes);
      if (mayPoison(text))
        void parse(request, text, (error, value) =>
          error ? done(malformed(NOT_JSON)) : saidOnce(text, value, named, done),
        );
      else saidOnce(text, parsed(text), named, done);
    } catch (error) {
      done(error as Error);
    }
    return undefined;
  });
};

/** Routes without a body, or that need none, take an empty one from clients that always say `Content-Type: application/json`. */
const isBodiless = (request: FastifyRequest): boolean =>
  request.routeOptions.schema?.body === undefined || request.route.bodyOptional === true;
