/** How an account goes: marked at once, its messages canceled page by page, what is left of it dropped at the end. */
import type { Redis } from "ioredis";
import { notesOf, SYSTEM, type Who } from "../domain/audit.ts";
import { accountNotEmpty } from "../domain/errors.ts";
import { newSeed } from "../domain/id.ts";
import { milliseconds, type Clock } from "../domain/time.ts";
import type { GateControl } from "../gate/control.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { dropAccount } from "../redis/scripts/accounts-drop.ts";
import { markRemoved } from "../redis/scripts/accounts-mark-removed.ts";
import type { Stated } from "./record.ts";
import { accountInAudit } from "./stated-changes.ts";

/** Of one account in one sweep: some ten thousand messages, after which it is the next account's turn. */
const SWEEP_FOR = milliseconds(250);
/** Accounts in one sweep. Chosen by chance, so that one whose messages are stuck does not keep the others waiting. */
const SWEEP_ACCOUNTS = 16;

export interface Removals {
  /** @throws account_not_empty */
  remove(id: string, force: boolean, who?: Who): Promise<"removed" | "removing" | "unknown">;
  /**
   * Goes on with the accounts that are being removed, whoever began; answers how many are left. Called every few seconds
   * by any process, or several: a removal outlives the process that was asked for it.
   */
  finishRemovals(): Promise<number>;
}

export const removalsOn = (parts: {
  redis: Redis;
  keys: Keys;
  scripts: ScriptRunner;
  control: GateControl;
  clock: Clock;
  statedBy: (id: string) => Promise<Stated | null>;
}): Removals => {
  const { redis, keys, scripts, control, clock, statedBy } = parts;

  const finish = async (id: string): Promise<boolean> => {
    // Said again each time: the mark may be all that a process that died has left behind.
    let open = await control.removeAccount(id);
    const since = clock.monotonic();
    while (open > 0 && clock.monotonic() - since < SWEEP_FOR) open = await control.cancelSome(id);
    return open === 0 && (await dropAccount(scripts, id));
  };

  return {
    remove: async (id, force, who = SYSTEM) => {
      const account = await statedBy(id);
      const from = account && accountInAudit(account);
      const notes = notesOf([{ account: id, what: "account.removed", from, to: null }], who, newSeed(clock.now()));
      const marked = await markRemoved(scripts, id, force, notes);
      if (marked.kind === "unknown") return "unknown";
      if (marked.kind === "not_empty") throw accountNotEmpty(marked.open);
      return (await finish(id)) ? "removed" : "removing";
    },
    finishRemovals: async () => {
      const ids = await redis.srandmember(keys.removing, SWEEP_ACCOUNTS);
      if (ids.length === 0) return 0;
      for (const id of ids) await finish(id);
      return redis.scard(keys.removing);
    },
  };
};
