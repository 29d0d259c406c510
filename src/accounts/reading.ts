/** Accounts as they stand: one round trip, however many. */
import type { Redis } from "ioredis";
import { CHANNELS } from "../domain/channel.ts";
import type { Keys } from "../redis/keys.ts";
import type { Account } from "./account.ts";
import type { Plans } from "./plan.ts";
import { overFile } from "./plan-record.ts";
import { fromFields, toAccount } from "./record.ts";

const READS_PER_ACCOUNT = 1 + CHANNELS.length;

/** In the order of the ids; those that are gone are left out. @param file the plans of the file */
export const readAccounts = async (
  redis: Redis,
  keys: Keys,
  file: Plans,
  ids: readonly string[],
): Promise<readonly Account[]> => {
  if (ids.length === 0) return [];
  const reads = redis.pipeline();
  reads.hgetall(keys.setPlans);
  for (const id of ids) {
    reads.hgetall(keys.account(id));
    // The gate keeps this beside what it looks at anyway.
    for (const channel of CHANNELS) reads.hget(keys.accountOnChannel(id, channel), "paused");
  }
  const [set, ...replies] = ((await reads.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const plans = overFile(set as Record<string, string>, file);
  return ids.flatMap((id, index) => {
    const at = index * READS_PER_ACCOUNT;
    const fields = replies[at] as Record<string, string>;
    const account = fromFields(fields);
    const paused = CHANNELS.filter((_, offset) => replies[at + 1 + offset] === "1");
    return account ? [toAccount(id, account, plans, { paused, removed: fields["removed"] === "1" })] : [];
  });
};
