/** Puts an account's rules into force at the gate: all of them, absolutely, so that saying it again changes nothing. */
import { CHANNELS } from "../domain/channel.ts";
import { WINDOW_KINDS, type Quota } from "../domain/quota.ts";
import type { GateControl, Limits } from "../gate/control.ts";
import type { SenderRule } from "./account.ts";
import type { Plans } from "./plan.ts";
import { rulesOf, type Stated } from "./record.ts";

/** Every kind by name: one that is not named at the gate would keep its old limit. */
export const allKinds = (quota: Quota | undefined): Limits =>
  Object.fromEntries(WINDOW_KINDS.map((kind) => [kind, quota?.[kind] ?? null]));

export const putInForce = async (control: GateControl, plans: Plans, id: string, account: Stated): Promise<void> => {
  const { weight, quotas } = rulesOf(account, plans);
  await Promise.all([
    // Limits first on the wire: a new account has no zone until then, and nothing is accepted for it.
    ...CHANNELS.map((channel) =>
      control.setLimits({ level: "channel", account: id, channel }, allKinds(quotas[channel])),
    ),
    control.setLimits({ level: "account", account: id }, allKinds(quotas.all)),
  ]);
  await control.setAccount(id, { zone: account.timezone, weight });
};

export const putSenderInForce = async (control: GateControl, id: string, rule: SenderRule): Promise<void> => {
  const { channel, sender } = rule;
  await control.setLimits({ level: "sender", account: id, channel, sender }, allKinds(rule.quota));
  await control.setSenderRate(id, channel, sender, rule.rate);
};
