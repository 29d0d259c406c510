/** Whom the run sends for: five zones whose hours begin at three different minutes, quotas small enough to be used up. */
import type { Channel } from "../../src/domain/channel.ts";
import type { Kind } from "./calendar.ts";

export interface ChaosAccount {
  readonly zone: string;
  readonly quotas: { readonly [channel in Channel | "all"]?: { readonly [kind in Kind]?: number } };
}

/** Two minutes before midnight in Kolkata, on the eve of New York's summer time. */
export const STARTS_AT = Date.parse("2026-03-07T18:28:00Z");

export const ACCOUNTS: readonly ChaosAccount[] = [
  { zone: "UTC", quotas: { email: { hour: 24 }, sms: { hour: 10 }, whatsapp: { hour: 10 }, voice: { hour: 4 } } },
  {
    zone: "Asia/Kolkata",
    quotas: { email: { hour: 20, day: 260 }, sms: { hour: 12, day: 150 }, whatsapp: { hour: 8 }, voice: { hour: 4 } },
  },
  {
    zone: "Asia/Kathmandu",
    quotas: { email: { hour: 20 }, sms: { hour: 10 }, whatsapp: { hour: 8 }, voice: { hour: 4 }, all: { hour: 32 } },
  },
  {
    zone: "America/New_York",
    quotas: { email: { hour: 24 }, sms: { hour: 8 }, whatsapp: { hour: 8 }, voice: { hour: 4 }, all: { day: 700 } },
  },
  {
    zone: "Australia/Eucla",
    quotas: { email: { hour: 20 }, sms: { hour: 10 }, whatsapp: { hour: 6 }, voice: { hour: 3 } },
  },
];

export const ZONES: readonly string[] = ACCOUNTS.map(({ zone }) => zone);
