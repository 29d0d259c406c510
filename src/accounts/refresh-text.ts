/**
 * The text of a refresh token: `rt_`, the 26 characters of its family's id, 43 of 256 bits, 22 of a tag. The first of a
 * family is chance; each successor is an HMAC of its predecessor, so that a lost answer can be given again though nothing
 * but digests is kept. The tag is an HMAC too: with it, what is not current was surely ours once, and its reuse a theft,
 * where anybody could otherwise end a family by making up tokens for it.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { isId } from "../domain/id.ts";
import { base62 } from "./key-text.ts";

const SECRET_LENGTH = 43;
/** 62²² is the first power of 62 above 2¹²⁸. */
const TAG_LENGTH = 22;
const TOKEN = new RegExp(`^rt_([0-9A-Z]{26})([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${TAG_LENGTH}})$`);

const hmac = (secret: Buffer, text: string): Buffer => createHmac("sha256", secret).update(text).digest();

const tagOf = (secret: Buffer, body: string): string => base62(hmac(secret, `tag ${body}`).subarray(0, 16), TAG_LENGTH);

const tokenText = (secret: Buffer, family: string, bits: Buffer): string => {
  const body = `rt_${family.slice("fam_".length)}${base62(bits, SECRET_LENGTH)}`;
  return body + tagOf(secret, body);
};

export const firstRefreshText = (secret: Buffer, family: string): string => tokenText(secret, family, randomBytes(32));

export const successorOf = (secret: Buffer, family: string, token: string): string =>
  tokenText(secret, family, hmac(secret, `successor ${token}`));

/** The id of its family. Null: it is none that was made with this secret. */
export const familyIn = (secret: Buffer, token: string): string | null => {
  const [, id = "", bits = "", tag = ""] = TOKEN.exec(token) ?? [];
  const family = `fam_${id}`;
  if (!isId("fam", family)) return null;
  const right = Buffer.from(tagOf(secret, `rt_${id}${bits}`));
  return timingSafeEqual(right, Buffer.from(tag)) ? family : null;
};

/** What is kept of a token. */
export const refreshDigest = (token: string): string => createHash("sha256").update(token).digest("hex");
