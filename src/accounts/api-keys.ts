/**
 * API keys on Redis. Each request looks its key up again, in one round trip: a cache in the process would let a revoked
 * key in until it was told.
 */
import { timingSafeEqual } from "node:crypto";
import type { Redis } from "ioredis";
import { idOf, newSeed } from "../domain/id.ts";
import type { Clock, Instant } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { addApiKey } from "../redis/scripts/api-keys-add.ts";
import { findApiKey } from "../redis/scripts/api-keys-find.ts";
import { revokeApiKey } from "../redis/scripts/api-keys-revoke.ts";
import type { ApiKey, ApiKeys, ApiLimit } from "./api-key.ts";
import { digestOf, hintOf, idInKey, newKeyText } from "./key-text.ts";

type Fields = Readonly<Record<string, string>>;

const toFields = (record: ApiKey, key: string): Fields => ({
  digest: digestOf(key).toString("hex"),
  name: record.name ?? "",
  api_limit: record.apiLimit ? JSON.stringify(record.apiLimit) : "",
  created_at: String(record.createdAt),
  hint: record.hint,
});

const fromFields = (id: string, fields: Fields): ApiKey => ({
  id,
  account: fields["account"] ?? "",
  name: fields["name"] || null,
  apiLimit: fields["api_limit"] ? (JSON.parse(fields["api_limit"]) as ApiLimit) : null,
  createdAt: Number(fields["created_at"]) as Instant,
  hint: fields["hint"] ?? "",
});

export const apiKeysOn = (parts: { redis: Redis; keys: Keys; scripts: ScriptRunner; clock: Clock }): ApiKeys => {
  const { redis, keys, scripts, clock } = parts;
  return {
    create: async (account, { name, apiLimit }) => {
      const createdAt = clock.now();
      const id = idOf("key", newSeed(createdAt));
      const key = newKeyText(id);
      const record = { id, account, name: name ?? null, apiLimit: apiLimit ?? null, createdAt, hint: hintOf(key) };
      return (await addApiKey(scripts, account, id, toFields(record, key))) ? { record, key } : null;
    },
    list: async (account) => {
      const ids = (await redis.smembers(keys.apiKeys(account))).sort();
      const reads = redis.pipeline();
      for (const id of ids) reads.hgetall(keys.apiKey(id));
      const replies = ids.length > 0 ? ((await reads.exec()) ?? []) : [];
      return replies.flatMap(([error, reply], index) => {
        if (error) throw error;
        const fields = reply as Fields;
        // Revoked between the two reads.
        const isThere = fields["account"] === account && fields["revoked"] === undefined;
        return isThere ? [fromFields(ids[index] ?? "", fields)] : [];
      });
    },
    revoke: (account, id) => revokeApiKey(scripts, account, id),
    authenticate: async (key) => {
      const id = idInKey(key);
      const fields = id === null ? null : await findApiKey(scripts, id);
      if (id === null || !fields) return null;
      const kept = Buffer.from(fields["digest"] ?? "", "hex");
      const given = digestOf(key);
      return kept.length === given.length && timingSafeEqual(kept, given) ? fromFields(id, fields) : null;
    },
  };
};
