/** Reading a script's answer: it is ours, so anything unexpected is a defect and throws. */
import type { Reply } from "./script.ts";

export type Fields = Readonly<Record<string, string>>;

export const list = (reply: Reply | undefined): Reply[] => {
  if (Array.isArray(reply)) return reply;
  throw new TypeError(`expected a list from a script, got ${JSON.stringify(reply)}`);
};

export const text = (reply: Reply | undefined): string => {
  if (typeof reply === "string") return reply;
  if (typeof reply === "number") return String(reply);
  throw new TypeError(`expected a string from a script, got ${JSON.stringify(reply)}`);
};

export const number = (reply: Reply | undefined): number => {
  const value = typeof reply === "number" ? reply : typeof reply === "string" ? Number(reply) : Number.NaN;
  if (!Number.isNaN(value)) return value;
  throw new TypeError(`expected a number from a script, got ${JSON.stringify(reply)}`);
};

/** A field as a number; 0 for one that is not there. */
export const countIn = (row: Fields, field: string): number => Number(row[field] ?? 0);

/** A hash as HGETALL gives it within a script: names and values in turn. */
export const fields = (reply: Reply | undefined): Fields => {
  const flat = list(reply);
  const out: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) out[text(flat[at])] = text(flat[at + 1]);
  return out;
};
