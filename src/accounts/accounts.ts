/**
 * Accounts on Redis. What an account states is written first, then put into force at the gate; the promise resolves when
 * both are done. Who dies or fails in between leaves the account in `changing`, from where `finishChanges` completes it.
 * Its lines in the audit are written with what it states, by the same script.
 */
import type { Redis } from "ioredis";
import { notesOf, SYSTEM, type Changed, type Who } from "../domain/audit.ts";
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
import { readPlansAtGateOn, readPlansOn } from "./plans-in-force.ts";
import { readAccounts } from "./reading.ts";
import { fromFields, stated, toFields, type Stated } from "./record.ts";
import { upkeepOn, type Upkeep } from "./upkeep.ts";
import { removalsOn, type Removals } from "./removals.ts";
import { readSenderRules, stateSenderRule } from "./sender-rules.ts";
import { accountInAudit, changesBetween } from "./stated-changes.ts";

export interface AccountsParts {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly scripts: ScriptRunner;
  readonly control: GateControl;
  /** Of the file: those set over the API go before them. */
  readonly plans: Plans;
  readonly clock: Clock;
}

export interface AccountsUpkeep extends Upkeep, Pick<Removals, "finishRemovals"> {
  /** Makes the account of this id unless there is one, which is left as it is. */
  ensure(id: string, account: NewAccount): Promise<"made" | "exists" | "removing">;
}

export const accountsOn = (parts: AccountsParts): Accounts & AccountsUpkeep => {
  const { redis, keys, scripts, control, plans: file, clock } = parts;
  const takeTurn = oneAtATime(scripts, clock);
  const plansNow = readPlansOn(redis, keys, file);
  const plansAtGate = readPlansAtGateOn(redis, keys, file);
  const read = (ids: readonly string[]): Promise<readonly Account[]> => readAccounts(scripts, keys, file, ids);
  const get = async (id: string): Promise<Account | null> => (await read([id]))[0] ?? null;
  const statedBy = async (id: string): Promise<Stated | null> => fromFields(await redis.hgetall(keys.account(id)));
  const notes = (changes: readonly Changed[], who: Who) => notesOf(changes, who, newSeed(clock.now()));

  /** The whole of it is checked, not only what changes: a plan that is gone must not lift its limits. */
  const check = (account: Stated, plans: Plans): void => {
    const parsed = parseAccount(accountInAudit(account), "", [...plans.keys()]);
    if ("errors" in parsed) throw invalidFields(parsed.errors);
  };

  const state = async (
    id: string,
    account: Stated,
    turn: Turn,
    changes: readonly Changed[],
    who: Who,
  ): Promise<void> => {
    turn.hasBegun = true;
    const written = await writeAccount(scripts, id, turn.token, toFields(account), notes(changes, who));
    if (written === "no_plan") {
      turn.hasBegun = false;
      check(account, await plansNow());
    }
    // Plans are read once it is stated: who changes one afterwards finds this account among those that have it.
    if (written !== "written") return;
    await putInForce(control, await plansNow(), id, account);
    await upkeep.toldOne(account.plan);
  };

  const make = async (id: string, account: NewAccount, who = SYSTEM): Promise<"made" | "exists" | "removing"> => {
    const whole = stated(account, clock.now());
    check(whole, await plansNow());
    const made = { account: id, what: "account.made", from: null, to: accountInAudit(whole) } as const;
    const { kind } = await takeTurn(id, (turn) => state(id, whole, turn, [made], who), { isNew: true });
    return kind === "done" ? "made" : kind === "gone" ? "removing" : "exists";
  };

  /** Null when the account is gone. */
  const restate = async <T>(
    id: string,
    next: (account: Stated) => Stated,
    before: (account: Stated, then: Stated) => Promise<T>,
    who = SYSTEM,
  ): Promise<T | null> => {
    const result = await takeTurn(id, async (turn) => {
      const [account, plans, atGate] = await Promise.all([statedBy(id), plansNow(), plansAtGate()]);
      if (!account) return null;
      const then = next(account);
      check(then, plans);
      const found = await before(account, then);
      await state(id, then, turn, changesBetween(id, account, then, atGate), who);
      return found;
    });
    return result.kind === "done" ? result.value : null;
  };
  const inForceAgain = async (id: string, options: { waits: boolean }): Promise<boolean> => {
    const again = async (turn: Turn): Promise<void> => {
      const [account, plans] = await Promise.all([statedBy(id), plansNow()]);
      // Of a plan that is gone: its limits stay as they are at the gate.
      if (!account || (account.plan !== null && !plans.has(account.plan))) return;
      turn.hasBegun = true;
      // Said again, so that it is among the accounts of its plan, whoever made it and when.
      await writeAccount(scripts, id, turn.token, { plan: account.plan ?? "" });
      await putInForce(control, plans, id, account);
      for (const rule of await readSenderRules(redis, keys, id)) await putSenderInForce(control, id, rule);
      // Who waits tells all accounts of the plan, and notes it at the end.
      if (!options.waits) await upkeep.toldOne(account.plan);
    };
    return (await takeTurn(id, again, options)).kind === "done";
  };

  const plansSet = readPlansOn(redis, keys, new Map());
  const upkeep = upkeepOn({ redis, keys, plansNow, plansSet, file, again: inForceAgain });

  const withAccount = async (id: string, act: () => Promise<void>): Promise<Account | null> =>
    (await takeTurn(id, act)).kind === "done" ? get(id) : null;

  return {
    create: async (account, who) => {
      const id = idOf("acc", newSeed(clock.now()));
      await make(id, account, who);
      const made = await get(id);
      if (!made) throw new Error(`account ${id} was made and is not there`);
      return made;
    },
    // One that is there is left as it is, and not judged by plans that may have changed since.
    ensure: async (id, account) => ((await statedBy(id)) ? "exists" : make(id, account)),
    get,
    list: async (cursor, limit) => {
      const after = cursor === null ? "-" : `(${cursor}`;
      const ids = await redis.zrangebylex(keys.accounts, after, "+", "LIMIT", 0, limit + 1);
      const page = ids.slice(0, limit);
      return { items: await read(page), nextCursor: ids.length > limit ? (page.at(-1) ?? null) : null };
    },
    patch: async (id, patch, who) => {
      const done = await restate(
        id,
        (account) => patched(account, patch),
        // Asked before the zone is changed: these are the windows that the old zone still has to end.
        async (account, then): Promise<{ zoneChange: ZoneChange | null }> => ({
          zoneChange: account.timezone === then.timezone ? null : await control.runningWindows(id),
        }),
        who,
      );
      const account = done && (await get(id));
      return account ? { account, zoneChange: done.zoneChange } : null;
    },
    setQuota: async (id, level, quota, who) => {
      const next = (account: Stated): Stated => ({
        ...account,
        quotas: ownQuotas(account.quotas, { [level]: quota }),
      });
      return (await restate(id, next, () => Promise.resolve(true), who)) ? get(id) : null;
    },
    setSenderRule: async (id, rule, who = SYSTEM) => {
      const result = await takeTurn(id, async (turn) => {
        turn.hasBegun = true;
        // Noted first: whatever is set at the gate must be known, to be shown and to be taken away with the account.
        if (await stateSenderRule(parts, id, turn.token, rule, who)) await putSenderInForce(control, id, rule);
      });
      return result.kind === "done" ? rule : null;
    },
    senderRules: (id) => readSenderRules(redis, keys, id),
    pause: (id, channel, who = SYSTEM) => withAccount(id, () => control.pause(id, channel, who)),
    resume: (id, channel, who = SYSTEM) => withAccount(id, () => control.resume(id, channel, who)),
    ...removalsOn({ ...parts, statedBy }),
    ...upkeep,
  };
};
