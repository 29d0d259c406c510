/**
 * When keys were used last, to the minute. The look-up that authenticates a key brings what is noted; only the first
 * request of a minute has anything to add, and it does not wait for it.
 */
import { instant, minutes, type Instant } from "../domain/time.ts";
import { remembered } from "../domain/remembered.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { noteApiKeyUse } from "../redis/scripts/api-keys-used.ts";
import type { ApiKey } from "./api-key.ts";

const MINUTE = minutes(1);
/** Those that were forgotten may be noted once more: memory is bounded however many keys there are. */
const MOST_REMEMBERED = 10_000;

/** What becomes of it is nobody's to wait for: the answer is for tests. */
export type NoteUse = (key: Pick<ApiKey, "id" | "lastUsedAt">, seenAt: Instant) => Promise<void> | undefined;

export const noteUseOn = (scripts: ScriptRunner): NoteUse => {
  // What this process has noted: many requests see the old minute before, and while, the first of them writes the new one.
  const noted = remembered<string, Instant>(MOST_REMEMBERED);
  return ({ id, lastUsedAt }, seenAt) => {
    const at = instant(seenAt - (seenAt % MINUTE));
    if (Math.max(noted.get(id) ?? 0, lastUsedAt ?? 0) >= at) return undefined;
    noted.set(id, at);
    // Redis is away, which the request itself finds out: the next one notes it.
    return noteApiKeyUse(scripts, id, at).catch(() => noted.delete(id));
  };
};
