/**
 * API keys on Redis. Each request looks its key up again, in one round trip: a cache in the process would let a revoked
 * key in until it was told.
 */
import type { Redis } from "ioredis";
import { notesOf, SYSTEM, type Changed } from "../domain/audit.ts";
import { beingChanged } from "../domain/errors.ts";
import { idOf, newSeed } from "../domain/id.ts";
import { DEFAULT_SCOPES, sortedScopes } from "../domain/key-scope.ts";
import { remembered } from "../domain/remembered.ts";
import type { Clock } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { addApiKey } from "../redis/scripts/api-keys-add.ts";
import { patchApiKey } from "../redis/scripts/api-keys-patch.ts";
import { revokeApiKey } from "../redis/scripts/api-keys-revoke.ts";
import { rotateApiKey } from "../redis/scripts/api-keys-rotate.ts";
import type { ApiKey, ApiKeyPatch, ApiKeys } from "./api-key.ts";
import { changeableFields, fromFields, keyInAudit, toFields } from "./key-record.ts";
import { digestOf, hintOf, idInKey, isSameDigest, newKeyText } from "./key-text.ts";
import { noteUseOn } from "./key-use.ts";
import { findKeyOn } from "./known-key.ts";
import type { Plans } from "./plan.ts";

/** Changes to one key at once, beyond which somebody changes it without end. */
const MOST_LOOKS = 20;
const KEYS_REMEMBERED = 10_000;

export interface ApiKeysParts {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly scripts: ScriptRunner;
  readonly clock: Clock;
  /** Of the file. */
  readonly plans?: Plans;
}

interface Seen {
  readonly record: ApiKey;
  /** Counts its changes: what was seen of it is so while this is the same. */
  readonly revision: number;
}

const patched = (key: ApiKey, { scopes, ...patch }: ApiKeyPatch): ApiKey => ({
  ...key,
  ...patch,
  ...(scopes ? { scopes: sortedScopes(scopes) } : {}),
});

export const apiKeysOn = ({ redis, keys, scripts, clock, plans = new Map() }: ApiKeysParts): ApiKeys => {
  const { read, find } = findKeyOn(scripts, plans);
  const noteUse = noteUseOn(scripts);
  // Ids of keys that were let in, by what is kept of them: only the form of their text need not be judged again.
  const idByDigest = remembered<string, string>(KEYS_REMEMBERED);
  const newNotes = (changes: readonly Changed[], who = SYSTEM) => notesOf(changes, who, newSeed(clock.now()));

  const enter: ApiKeys["enter"] = async (text, digest, boundsOf) => {
    const id = idByDigest.get(digest) ?? idInKey(text);
    if (id === null) return null;
    const known = read(id);
    const isKnown = known !== undefined && isSameDigest(known.digest, digest);
    const held = isKnown ? boundsOf(known.key) : null;
    const found = await find(id, held?.rules);
    if (found === null) return null;
    // While nothing of it changes, its digest is the one that was compared.
    const isSame = isKnown && found.read === known;
    if (!isSame && !isSameDigest(found.read.digest, digest)) return null;
    if (idByDigest.get(digest) === undefined) idByDigest.set(digest, id);
    const { seenAt, admission } = found;
    const { key } = found.read;
    void noteUse(key, seenAt);
    return { key, seenAt, taken: held && admission && { held, admission } };
  };

  /** @param even those that were revoked within the last minute, whose revocation may be said again */
  const see = async (account: string, ids: readonly string[], even?: "revoked"): Promise<readonly Seen[]> => {
    const reads = redis.pipeline();
    for (const id of ids) reads.hgetall(keys.apiKey(id));
    const replies = ids.length > 0 ? ((await reads.exec()) ?? []) : [];
    return replies.flatMap(([error, reply], index) => {
      if (error) throw error;
      const fields = reply as Readonly<Record<string, string>>;
      // Another's, or revoked between the two reads.
      const isThere = fields["account"] === account && (even === "revoked" || fields["revoked"] === undefined);
      return isThere
        ? [{ record: fromFields(ids[index] ?? "", fields), revision: Number(fields["revision"] ?? 0) }]
        : [];
    });
  };

  /** Looks and changes, again while others change it in between: so the audit says what really was before. */
  const change = async <Done>(
    account: string,
    id: string,
    make: (seen: Seen) => Promise<Done | "unknown" | "changed">,
    even?: "revoked",
  ): Promise<Done | null> => {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const [seen] = await see(account, [id], even);
      if (!seen) return null;
      const done = await make(seen);
      if (done === "unknown") return null;
      if (done !== "changed") return done;
    }
    throw beingChanged("the key");
  };

  const aKey = (fields: Omit<ApiKey, "id" | "createdAt" | "hint" | "lastUsedAt" | "replacedBy">) => {
    const createdAt = clock.now();
    const id = idOf("key", newSeed(createdAt));
    const key = newKeyText(id);
    const record: ApiKey = { ...fields, id, createdAt, hint: hintOf(key), lastUsedAt: null, replacedBy: null };
    return { record, key, kept: toFields(record, digestOf(key)) };
  };

  return {
    create: async (account, { name, apiLimit, scopes = DEFAULT_SCOPES, expiresAt }, who) => {
      const { record, key, kept } = aKey({
        account,
        name: name ?? null,
        apiLimit: apiLimit ?? null,
        scopes: sortedScopes(scopes),
        expiresAt: expiresAt ?? null,
      });
      const notes = newNotes([{ account, what: "key.made", from: null, to: keyInAudit(record) }], who);
      return (await addApiKey(scripts, account, record.id, kept, notes)) ? { record, key } : null;
    },
    list: async (account) => {
      const ids = (await redis.smembers(keys.apiKeys(account))).sort();
      return (await see(account, ids)).map(({ record }) => record);
    },
    get: async (account, id) => (await see(account, [id]))[0]?.record ?? null,
    patch: (account, id, patch, who) =>
      change(account, id, async ({ record, revision }) => {
        const then = patched(record, patch);
        const [from, to] = [keyInAudit(record), keyInAudit(then)];
        if (JSON.stringify(from) === JSON.stringify(to)) return record;
        const notes = newNotes([{ account, what: "key.patched", from, to }], who);
        const done = await patchApiKey(scripts, account, id, revision, changeableFields(then), notes);
        return done === "done" ? then : done;
      }),
    rotate: (account, id, overlap, who, judge) =>
      change(account, id, async ({ record: old, revision }) => {
        await judge?.(old);
        const { name, apiLimit, scopes, expiresAt } = old;
        const { record, key, kept } = aKey({ account, name, apiLimit, scopes, expiresAt });
        const to = { ...keyInAudit(record), overlap_seconds: overlap / 1_000 };
        const notes = newNotes([{ account, what: "key.rotated", from: keyInAudit(old), to }], who);
        const rotation = { account, old: id, seen: revision, id: record.id, fields: kept, overlap };
        const done = await rotateApiKey(scripts, rotation, notes);
        return done.kind === "done" ? { record, key, oldExpiresAt: done.oldExpiresAt } : done.kind;
      }),
    revoke: async (account, id, who) => {
      const make = ({ record, revision }: Seen) => {
        const notes = newNotes([{ account, what: "key.revoked", from: keyInAudit(record), to: null }], who);
        return revokeApiKey(scripts, account, id, revision, notes);
      };
      return (await change(account, id, make, "revoked")) !== null;
    },
    authenticate: async (text) => {
      const entry = await enter(text, digestOf(text), () => null);
      return entry && { ...entry.key, seenAt: entry.seenAt };
    },
    enter,
    known: async (id) => {
      const found = await find(id);
      return found && { ...found.read.key, seenAt: found.seenAt };
    },
    used: (key) => void noteUse(key, key.seenAt),
  };
};
