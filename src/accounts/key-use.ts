/**
 * When keys were used last, to the minute. The look-up that authenticates a key brings what is noted; only the first
 * request of a minute has anything to add, and it does not wait for it.
 */
import { instant, minutes } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { noteApiKeyUse } from "../redis/scripts/api-keys-used.ts";
import type { KnownKey } from "./api-key.ts";

const MINUTE = minutes(1);

/** What becomes of it is nobody's to wait for: the answer is for tests. */
export type NoteUse = (key: Pick<KnownKey, "id" | "seenAt" | "lastUsedAt">) => Promise<void>;

export const noteUseOn = (scripts: ScriptRunner): NoteUse => {
  // Those being written: many requests see the old minute before the first of them has written the new one.
  const writing = new Set<string>();
  return async ({ id, seenAt, lastUsedAt }) => {
    const at = instant(seenAt - (seenAt % MINUTE));
    if (writing.has(id) || (lastUsedAt ?? 0) >= at) return;
    writing.add(id);
    try {
      await noteApiKeyUse(scripts, id, at);
    } catch {
      // Redis is away, which the request itself finds out: the next one notes it.
    } finally {
      writing.delete(id);
    }
  };
};
