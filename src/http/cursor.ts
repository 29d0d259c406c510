/** Cursors of lists, opaque to callers: what the list itself gave, with a check that it is whole and of this list. */
import { createHash } from "node:crypto";
import { invalidField } from "../domain/errors.ts";

const check = (list: string, inner: string): string =>
  createHash("sha256").update(`${list}\n${inner}`).digest("base64url").slice(0, 8);

export const cursorFrom = (list: string, inner: string | null): string | null =>
  inner === null ? null : Buffer.from(`${check(list, inner)}${inner}`).toString("base64url");

/**
 * @param form of what is in it, where no other may come to Redis: the check is no secret
 * @throws invalid_request for one that this list never gave
 */
export const readCursor = (list: string, cursor: string | undefined, form = /^/): string | null => {
  if (cursor === undefined) return null;
  const text = /^[A-Za-z0-9_-]{1,1024}$/.test(cursor) ? Buffer.from(cursor, "base64url").toString() : "";
  const inner = text.slice(8);
  if (text.length <= 8 || text.slice(0, 8) !== check(list, inner) || !form.test(inner))
    throw invalidField("cursor", "a next_cursor of this list", cursor);
  return inner;
};

export const DEFAULT_PAGE = 50;
export const LARGEST_PAGE = 200;
