/**
 * A JSON body with places for what a message says: `{{to}}` in a string. It is filled in as data and written as JSON
 * afterwards, so that nothing that a message holds can end a string, add a field or become another placeholder.
 */
import type { Channel } from "./channel.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What a placeholder stands for; undefined: the message has no such thing. */
export type Values = Readonly<Record<string, Json | undefined>>;

const EVERYWHERE = ["id", "account", "to", "from", "created_at"] as const;

/** Email's `from` is the header with its display name, `sender` the bare address. */
export const PLACEHOLDERS: { readonly [channel in Channel]: readonly string[] } = {
  email: [...EVERYWHERE, "sender", "subject", "text", "html", "reply_to", "headers"],
  sms: [...EVERYWHERE, "body"],
  whatsapp: [...EVERYWHERE, "body"],
  voice: [...EVERYWHERE, "say", "voice", "language"],
};

/** These are objects: they stand alone, or they would be text like "[object Object]". */
export const OBJECTS: readonly string[] = ["headers"];

const PLACEHOLDER = /\{\{ {0,4}([A-Za-z_]{1,64}) {0,4}\}\}/g;
const ALONE = /^\{\{ {0,4}([A-Za-z_]{1,64}) {0,4}\}\}$/;

const own = (values: Values, name: string): Json | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined;

const inText = (value: Json | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);

/** One that is alone in its string becomes the value itself; where there is none, the field is left out. */
export const fillBody = (template: Json, values: Values): Json | undefined => {
  if (typeof template === "string") {
    const [, alone] = ALONE.exec(template) ?? [];
    if (alone !== undefined) return own(values, alone);
    return template.replace(PLACEHOLDER, (_, name: string) => inText(own(values, name)));
  }
  if (Array.isArray(template))
    return (template as readonly Json[]).map((each) => fillBody(each, values)).filter((each) => each !== undefined);
  if (typeof template !== "object" || template === null) return template;
  const fields = Object.entries(template).map(([name, value]) => [name, fillBody(value, values)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as Json;
};

/** Each placeholder of a string, and whether it is alone there. */
export const placeholdersIn = (text: string): readonly { readonly name: string; readonly isAlone: boolean }[] =>
  [...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => ({ name, isAlone: ALONE.test(text) }));
