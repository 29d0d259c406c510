/** What a key may do: send, look, or manage its account's keys. Each stands for itself: `admin` does not include `send`. */
import { unmet, type Problems } from "./expecting.ts";

export const KEY_SCOPES = ["send", "read", "admin"] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** What a producer needs; who wants more, or less, says so. */
export const DEFAULT_SCOPES: readonly KeyScope[] = ["send", "read"];

const isKeyScope = (text: string): text is KeyScope => (KEY_SCOPES as readonly string[]).includes(text);

/** In their own order and each once, whatever order they came in. */
export const sortedScopes = (scopes: readonly KeyScope[]): readonly KeyScope[] =>
  KEY_SCOPES.filter((scope) => scopes.includes(scope));

/** As OAuth writes it (RFC 6749, 3.3), and as it is kept: `send read`. What is no scope is left out. */
export const scopesIn = (text: string): readonly KeyScope[] => sortedScopes(text.split(" ").filter(isKeyScope));

export const scopeText = (scopes: readonly KeyScope[]): string => sortedScopes(scopes).join(" ");

/** The same from a caller: nothing may be left out. */
export const readScopeText = (text: string, field: string, problems: Problems): readonly KeyScope[] => {
  const words = text.split(" ");
  if (words.every(isKeyScope)) return sortedScopes(words);
  unmet(problems, field, `some of ${KEY_SCOPES.join(", ")}, with single spaces between them`, text);
  return [];
};
