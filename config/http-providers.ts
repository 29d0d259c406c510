/** SLUICE_HTTP_PROVIDERS: services that take messages over HTTP, by channel. See http-providers.example.yaml. */
import { OBJECTS, placeholdersIn, PLACEHOLDERS, type Json } from "../src/domain/body-template.ts";
import { CHANNELS, type Channel } from "../src/domain/channel.ts";
import { fieldIn, readFields, unmet, type Problems } from "../src/domain/expecting.ts";
import type { HttpService } from "../src/domain/http-service.ts";
import { nearest } from "../src/domain/nearest.ts";
import { ConfigError } from "./problem.ts";
import { inFile, readYaml } from "./yaml.ts";

export type HttpServices = { readonly [channel in Channel]?: HttpService };

/** The value of a variable, undefined when it is not set; null: this one is not to be sent to anybody. */
export type SecretOf = (name: string) => string | undefined | null;

const SECRET = /\$\{([^}]*)\}/g;
/** What may stand in a header; and no placeholder may come in with a secret. */
const PRINTABLE = /^(?:(?!\{\{)[\x20-\x7e])*$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,76}$/;
/** Written by us, or about the connection itself. */
const RESERVED =
  /^(?:host|content-length|content-type|transfer-encoding|connection|expect|idempotency-key|te|trailer|upgrade)$/i;

interface Context {
  readonly channel: Channel;
  readonly secretOf: SecretOf;
  readonly problems: Problems;
  /** Those that were filled in. */
  readonly secrets: Set<string>;
}

const withSecrets = (text: string, field: string, { secretOf, problems, secrets }: Context): string =>
  text.replace(SECRET, (_, name: string) => {
    const value = /^[A-Z][A-Z0-9_]{0,63}$/.test(name) ? secretOf(name) : null;
    if (value === null)
      unmet(problems, field, "${NAME} with a variable of your own, in capitals, that is none of Sluice's", name);
    else if (value === undefined || value === "") unmet(problems, field, `a value of the variable ${name}`, undefined);
    else if (!PRINTABLE.test(value))
      unmet(problems, field, `printable ASCII without {{ in the variable ${name}`, "something else, not shown");
    else secrets.add(value);
    return value ?? "";
  });

const readUrl = (value: unknown, field: string, problems: Problems): string => {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    return unmet(problems, field, "an address such as https://api.example.com/send", value) ?? "";
  // It would be echoed here, and is not where anybody looks for secrets.
  if (url.username !== "" || url.password !== "" || String(value).includes("${"))
    return unmet(problems, field, "an address without secrets: headers are the place for them", "one with some") ?? "";
  if (url.hash !== "") return unmet(problems, field, "an address without #", value) ?? "";
  return url.href;
};

const readHeaders = (value: unknown, field: string, context: Context): HttpService["headers"] => {
  const { problems } = context;
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return unmet(problems, field, "headers by name", value) ?? {};
  return Object.fromEntries(
    Object.entries(value).map(([name, text]: [string, unknown]) => {
      const within = fieldIn(field, name);
      if (!HEADER_NAME.test(name)) unmet(problems, within, "a header's name", name);
      else if (RESERVED.test(name)) unmet(problems, within, "a header that Sluice does not write itself", name);
      if (typeof text !== "string" || !PRINTABLE.test(text)) {
        unmet(problems, within, "one line of printable ASCII", typeof text === "string" ? "something else" : text);
        return [name, ""];
      }
      return [name, withSecrets(text, within, context)];
    }),
  );
};

const readText = (text: string, field: string, context: Context): string => {
  const names = PLACEHOLDERS[context.channel];
  for (const { name, isAlone } of placeholdersIn(text)) {
    const meant = nearest(name, names);
    const known = `a placeholder of ${context.channel}: ${names.join(", ")}`;
    if (!names.includes(name))
      unmet(context.problems, field, meant ? `${known} (did you mean ${meant}?)` : known, `{{${name}}}`);
    else if (!isAlone && OBJECTS.includes(name))
      unmet(context.problems, field, `{{${name}}} alone, since it is an object`, text);
  }
  return withSecrets(text, field, context);
};

const readBody = (value: unknown, field: string, context: Context): Json => {
  if (typeof value === "string") return readText(value, field, context);
  if (value === null || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)))
    return value;
  if (Array.isArray(value))
    return (value as unknown[]).map((each, index) => readBody(each, `${field}[${index}]`, context));
  if (typeof value !== "object") return unmet(context.problems, field, "what JSON can say", value) ?? null;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, readBody(each, fieldIn(field, name), context)]),
  );
};

const readStatuses = (value: unknown, field: string, [least, most]: readonly [number, number], problems: Problems) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isOne = (each: unknown): each is number =>
    typeof each === "number" && Number.isInteger(each) && each >= least && each <= most && each !== 429;
  return list.every(isOne)
    ? list
    : (unmet(problems, field, `a list of HTTP statuses from ${least} to ${most}, without 429`, value) ?? []);
};

const readService = (value: unknown, channel: Channel, secretOf: SecretOf, problems: Problems): HttpService => {
  const names = ["url", "headers", "body", "provider_id", "permanent", "not_taken", "idempotent", "from"] as const;
  const given = readFields(value, channel, names, problems) ?? {};
  const context: Context = { channel, secretOf, problems, secrets: new Set() };
  const within = (name: string): string => fieldIn(channel, name);
  const { provider_id: path, permanent, not_taken: notTaken, idempotent, from } = given;
  if (path !== undefined && !(typeof path === "string" && /^[\w-]{1,64}(?:\.[\w-]{1,64}){0,9}$/.test(path)))
    unmet(problems, within("provider_id"), "names with dots between them, such as data.id", path);
  if (idempotent !== undefined && typeof idempotent !== "boolean")
    unmet(problems, within("idempotent"), "true or false", idempotent);
  if (from !== undefined && (channel === "email" || typeof from !== "string" || !/^\+[1-9]\d{6,14}$/.test(from)))
    unmet(
      problems,
      within("from"),
      channel === "email" ? "nothing: an email always names its sender" : "a number in E.164 form such as +15551234567",
      from,
    );
  if (typeof given.body !== "object" || given.body === null || Array.isArray(given.body))
    unmet(problems, within("body"), "the fields of a JSON object", given.body);
  const headers = readHeaders(given.headers, within("headers"), context);
  const body = readBody(given.body ?? null, within("body"), context);
  return {
    url: readUrl(given.url, within("url"), problems),
    headers,
    body,
    secrets: [...context.secrets],
    providerId: typeof path === "string" ? path.split(".") : null,
    permanent: permanent === undefined ? null : readStatuses(permanent, within("permanent"), [400, 499], problems),
    notTaken: notTaken === undefined ? [] : readStatuses(notTaken, within("not_taken"), [500, 599], problems),
    idempotent: idempotent === true,
    from: typeof from === "string" ? from : null,
  };
};

/** @throws ConfigError with a line for each thing that is wrong; no secret is ever in one */
export const loadHttpProviders = (file: string, secretOf: SecretOf, name = file): HttpServices => {
  const read = readYaml(file, name);
  if ("problems" in read) throw new ConfigError(read.problems);
  const problems: Problems = [];
  const given = readFields(read.data ?? {}, "", CHANNELS, problems) ?? {};
  const services = Object.fromEntries(
    CHANNELS.flatMap((channel) =>
      given[channel] === undefined ? [] : [[channel, readService(given[channel], channel, secretOf, problems)]],
    ),
  ) as HttpServices;
  if (problems.length > 0) throw new ConfigError(inFile(name, problems));
  return services;
};
