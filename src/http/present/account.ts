import type { Account as TheAccount, SenderRule as TheRule, ZoneChange } from "../../accounts/account.ts";
import type { Channel } from "../../domain/channel.ts";
import { formatRate } from "../../domain/rate.ts";
import { formatIn } from "../../domain/timestamp.ts";

export const accountJson = (account: TheAccount) => ({
  id: account.id,
  name: account.name,
  timezone: account.timezone,
  plan: account.plan,
  weight: account.weight,
  quotas: account.quotas,
  effective_quotas: account.effectiveQuotas,
  on_uncertain: account.onUncertain as {
    email?: "hold" | "resend";
    sms?: "hold" | "resend";
    whatsapp?: "hold" | "resend";
    voice?: "hold";
  },
  api_limit: account.apiLimit,
  api_ceiling: account.apiCeiling,
  paused: [...account.paused],
  status: account.status,
  created_at: formatIn(account.createdAt, account.timezone),
});

/** In the new zone: the windows that begin then are its own. */
export const zoneChangeJson = (change: ZoneChange, zone: string) => ({
  hour: formatIn(change.hour, zone),
  day: formatIn(change.day, zone),
  month: formatIn(change.month, zone),
});

export const quotaJson = (account: TheAccount, channel: Channel | "all") => ({
  account_id: account.id,
  channel,
  ...account.quotas[channel],
  effective: { ...account.effectiveQuotas[channel] },
});

export const ruleJson = (account: string, rule: TheRule) => ({
  account_id: account,
  channel: rule.channel,
  sender: rule.sender,
  ...rule.quota,
  rate: rule.rate === null ? null : formatRate(rule.rate),
});
