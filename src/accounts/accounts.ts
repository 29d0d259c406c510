/**
 * Accounts on Redis. What an account states is written first, then put into force at the gate; the promise resolves when
 * both are done. Who dies or fails in between leaves the account in `changing`, from where `finishChanges` completes it.
 */
import type { Redis } from "ioredis";
import { invalidFields } from "../domain/errors.ts";
import { parseAccount } from "../domain/account-rules.ts";
import { idOf, newSeed } from "../domain/id.ts";
import type { Clock } from "../domain/time.ts";
import type { GateControl } from "../gate/control.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { writeAccount } from "../redis/scripts/accounts-write.ts";
import type { Account, Accounts, NewAccount, ZoneChange } from "./account.ts";
import { putInForce, putSenderInForce } from "./in-force.ts";
import { oneAtATime, type Turn } from "./one-at-a-time.ts";
import { ownQuotas, patched } from "./patch.ts";
import type { Plans } from "./plan.ts";
import { readAccounts } from "./reading.ts";
import { fromFields, stated, toFields, type Stated } from "./record.ts";
import { upkeepOn, type Upkeep } from "./upkeep.ts";
import { removalsOn, type Removals } from "./removals.ts";
import { readSenderRules, writeSenderRule } from "./sender-rules.ts";

export interface AccountsParts {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly scripts: ScriptRunner;
  readonly control: GateControl;
  readonly plans: Plans;
  readonly clock: Clock;
}

export interface AccountsUpkeep extends Upkeep, Pick<Removals, "finishRemovals"> {
  /** Makes the account of this id unless there is one, which is left as it is. */
  ensure(id: string, account: NewAccount): Promise<"made" | "exists" | "removing">;
}

export const accountsOn = (parts: AccountsParts): Accounts & AccountsUpkeep => {
  const { redis, keys, scripts, control, plans, clock } = parts;
  const takeTurn = oneAtATime(scripts, clock);
  const read = (ids: readonly string[]): Promise<readonly Account[]> => readAccounts(redis, keys, plans, ids);
  const get = async (id: string): Promise<Account | null> => (await read([id]))[0] ?? null;
  const statedBy = async (id: string): Promise<Stated | null> => fromFields(await redis.hgetall(keys.account(id)));

  /** The whole of it is checked, not only what changes: a plan that is gone from the file must not lift its limits. */
  const check = ({ name, timezone, plan, weight, quotas, onUncertain }: Stated): void => {
    const fields = { name, timezone, plan, weight, quotas, on_uncertain: onUncertain };
    const parsed = parseAccount(fields, "", [...plans.keys()]);
    if ("errors" in parsed) throw invalidFields(parsed.errors);
  };

  const state = async (id: string, account: Stated, turn: Turn): Promise<void> => {
    turn.hasBegun = true;
    if (await writeAccount(scripts, id, turn.token, toFields(account))) await putInForce(control, plans, id, account);
  };

  const make = async (id: string, account: NewAccount): Promise<"made" | "exists" | "removing"> => {
    const whole = stated(account, clock.now());
    check(whole);
    const { kind } = await takeTurn(id, (turn) => state(id, whole, turn), { isNew: true });
    return kind === "done" ? "made" : kind === "gone" ? "removing" : "exists";
  };

  /** Null when the account is gone. */
  const restate = async <T>(
    id: string,
    next: (account: Stated) => Stated,
    before: (account: Stated, then: Stated) => Promise<T>,
  ): Promise<T | null> => {
    const result = await takeTurn(id, async (turn) => {
      const account = await statedBy(id);
      if (!account) return null;
      const then = next(account);
      const found = await before(account, then);
      await state(id, then, turn);
      return found;
    });
    return result.kind === "done" ? result.value : null;
  };
  const inForceAgain = async (id: string, options: { waits: boolean }): Promise<boolean> => {
    const again = async (turn: Turn): Promise<void> => {
      const account = await statedBy(id);
      // Of a plan that is gone: its limits stay as they are at the gate.
      if (!account || (account.plan !== null && !plans.has(account.plan))) return;
      turn.hasBegun = true;
      await putInForce(control, plans, id, account);
      for (const rule of await readSenderRules(redis, keys, id)) await putSenderInForce(control, id, rule);
    };
    return (await takeTurn(id, again, options)).kind === "done";
  };

  const withAccount = async (id: string, act: () => Promise<void>): Promise<Account | null> =>
    (await takeTurn(id, act)).kind === "done" ? get(id) : null;

  return {
    create: async (account) => {
      const id = idOf("acc", newSeed(clock.now()));
      await make(id, account);
      const made = await get(id);
      if (!made) throw new Error(`account ${id} was made and is not there`);
      return made;
    },
    ensure: make,
    get,
    list: async (cursor, limit) => {
      const ids = await redis.zrangebylex(
        keys.accounts,
        cursor === null ? "-" : `(${cursor}`,
        "+",
        "LIMIT",
        0,
        limit + 1,
      );
      const page = ids.slice(0, limit);
      return { items: await read(page), nextCursor: ids.length > limit ? (page.at(-1) ?? null) : null };
    },
    patch: async (id, patch) => {
      const done = await restate(
        id,
        (account) => {
          const then = patched(account, patch);
          check(then);
          return then;
        },
        // Asked before the zone is changed: these are the windows that the old zone still has to end.
        async (account, then): Promise<{ zoneChange: ZoneChange | null }> => ({
          zoneChange: account.timezone === then.timezone ? null : await control.runningWindows(id),
        }),
      );
      const account = done && (await get(id));
      return account ? { account, zoneChange: done.zoneChange } : null;
    },
    setQuota: async (id, level, quota) => {
      const next = (account: Stated): Stated => {
        const then = { ...account, quotas: ownQuotas(account.quotas, { [level]: quota }) };
        check(then);
        return then;
      };
      return (await restate(id, next, () => Promise.resolve(true))) ? get(id) : null;
    },
    setSenderRule: async (id, rule) => {
      const result = await takeTurn(id, async (turn) => {
        turn.hasBegun = true;
        // Noted first: whatever is set at the gate must be known, to be shown and to be taken away with the account.
        await writeSenderRule(redis, keys, id, rule);
        await putSenderInForce(control, id, rule);
      });
      return result.kind === "done" ? rule : null;
    },
    senderRules: (id) => readSenderRules(redis, keys, id),
    pause: (id, channel) => withAccount(id, () => control.pause(id, channel)),
    resume: (id, channel) => withAccount(id, () => control.resume(id, channel)),
    ...removalsOn(parts),
    ...upkeepOn({ redis, keys, plans, again: inForceAgain }),
  };
};
