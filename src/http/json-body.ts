/**
 * Bytes to a value. Whatever is not JSON in UTF-8, is nested too deep, says something twice or would poison a prototype
 * is malformed.
 */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { malformed, unsupportedMediaType } from "../domain/errors.ts";
import type { App } from "./access.ts";
import { measure, ONE_REQUEST } from "./json-extent.ts";
import { hasTooManyShapes, MOST_NEW_FIELDS } from "./json-shapes.ts";
import { saidTwice } from "./said-twice.ts";

const NOT_JSON = "expected a body that is JSON, without the keys __proto__ and constructor.prototype";

const TOO_MANY_SHAPES = `expected objects that name the same fields in the same order: at most ${MOST_NEW_FIELDS} fields may be new, or in another place than before`;

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
    // Without a byte it is the same as none at all, of which nothing comes here.
    if (bytes.length > 0 && request.route.idempotent === true && request.headers["idempotency-key"] !== undefined)
      request.bodyDigest = createHash("sha256").update(bytes).digest("hex");
    if (isBodiless(request) && bytes.length === 0) return done(null, undefined);
    if (bytes.length === 0) return done(malformed("expected a JSON body, got none"));
    const { excess, named } = measure(bytes, request.route.extent ?? ONE_REQUEST);
    if (excess !== null) return done(malformed(`expected ${excess}`));
    if (named > MOST_NEW_FIELDS && hasTooManyShapes(bytes)) return done(malformed(TOO_MANY_SHAPES));
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
