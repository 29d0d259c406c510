/**
 * The text of an API key: `sk_`, the 26 characters of its id, 43 of 256 random bits, 6 of a checksum. Letters and digits
 * only, so that a double click selects all of it. The checksum tells a typo, and lets a scanner of leaked secrets tell a
 * key from chance, without asking Redis; it protects nothing.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { isId } from "../domain/id.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const SECRET_BYTES = 32;
/** 62⁴³ is the first power of 62 above 2²⁵⁶. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const KEY = new RegExp(`^sk_([0-9A-Z]{26})[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`);

export const base62 = (bytes: Buffer, length: number): string => {
  let text = "";
  for (let rest = BigInt(`0x${bytes.toString("hex")}`); text.length < length; rest /= 62n)
    text = DIGITS.charAt(Number(rest % 62n)) + text;
  return text;
};

/** In hex: a Buffer of its own for each costs twice what the hash does. */
const sha256 = (text: string): string => hash("sha256", text);

const checksum = (text: string): string =>
  base62(Buffer.from(sha256(`checksum ${text}`).slice(0, 8), "hex"), CHECKSUM_LENGTH);

export const newKeyText = (id: string): string => {
  const text = `sk_${id.slice("key_".length)}${base62(randomBytes(SECRET_BYTES), SECRET_LENGTH)}`;
  return text + checksum(text);
};

/** The id in a key, or null for what no key looks like. */
export const idInKey = (key: string): string | null => {
  const id = `key_${KEY.exec(key)?.[1] ?? ""}`;
  if (!isId("key", id)) return null;
  return key.endsWith(checksum(key.slice(0, -CHECKSUM_LENGTH))) ? id : null;
};

/** What is kept of a key, in hex. Plain SHA-256: 256 random bits need no slow hash, and one is computed on every request. */
export const digestOf = (key: string): string => sha256(key);

/** Of SHA-256 in hex. */
const DIGEST_LENGTH = 64;

/** A digest to compare others with; null for what is none. */
export const digestBytes = (digest: string): Buffer | null =>
  digest.length === DIGEST_LENGTH ? Buffer.from(digest, "latin1") : null;

/** The other one as bytes, for as long as they are compared: a Buffer of its own would cost ten times as much. */
const OTHER = Buffer.alloc(DIGEST_LENGTH);

/** In a time that tells nothing of where they differ. */
export const isSameDigest = (one: Buffer | null, other: string): boolean => {
  if (one === null || other.length !== DIGEST_LENGTH) return false;
  OTHER.write(other, "latin1");
  return timingSafeEqual(one, OTHER);
};

/** Prefix and id: enough to recognise it by, and nothing of the secret. */
export const hintOf = (key: string): string => key.slice(0, "sk_".length + 26);
