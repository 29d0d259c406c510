/** The rules that single senders have of their own, as they were stated. */
import type { Redis } from "ioredis";
import { notesOf, type Who } from "../domain/audit.ts";
import { isChannel } from "../domain/channel.ts";
import { newSeed } from "../domain/id.ts";
import type { Quota } from "../domain/quota.ts";
import type { Clock, Millis } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { writeSender } from "../redis/scripts/accounts-write-sender.ts";
import type { SenderRule } from "./account.ts";
import { isSame, ruleInAudit } from "./stated-changes.ts";

const isUnlimited = ({ quota, rate }: SenderRule): boolean =>
  rate === null && Object.values(quota).every((limit) => limit === null);

const ruleIn = (name: string, json: string): SenderRule | null => {
  const colon = name.indexOf(":");
  const channel = name.slice(0, colon);
  const { quota, rate } = JSON.parse(json) as { quota: Quota; rate: Millis | null };
  return isChannel(channel) ? { channel, sender: name.slice(colon + 1), quota, rate } : null;
};

export const readSenderRules = async (redis: Redis, keys: Keys, id: string): Promise<readonly SenderRule[]> => {
  const stated = await redis.hgetall(keys.senderRules(id));
  return Object.entries(stated)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, json]) => ruleIn(name, json) ?? []);
};

export interface SenderRuleParts {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly scripts: ScriptRunner;
  readonly clock: Clock;
}

/**
 * What has no limit at all is no rule: nothing is kept of it. Within a turn: nobody else changes it meanwhile.
 * @returns false: the account is not, or no longer, this caller's to change
 */
export const stateSenderRule = async (
  { redis, keys, scripts, clock }: SenderRuleParts,
  id: string,
  token: string,
  rule: SenderRule,
  who: Who,
): Promise<boolean> => {
  const name = `${rule.channel}:${rule.sender}`;
  const before = await redis.hget(keys.senderRules(id), name);
  const was = before === null ? null : ruleIn(name, before);
  const is = isUnlimited(rule) ? null : rule;
  const [from, to] = [was && ruleInAudit(was), is && ruleInAudit(is)];
  const changes = isSame(from, to) ? [] : [{ account: id, what: "sender", from, to } as const];
  const kept = is && JSON.stringify({ quota: is.quota, rate: is.rate });
  return writeSender(scripts, { account: id, token, name, rule: kept }, notesOf(changes, who, newSeed(clock.now())));
};
