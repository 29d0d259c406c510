/** Messages on their way out, for tests of the adapters. */
import type { EmailContent } from "../../src/domain/message.ts";
import { instant, seconds } from "../../src/domain/time.ts";
import type { Dispatch } from "../../src/providers/provider.ts";

export const ID = "msg_01JTESTTESTTESTTESTTEST0000";
export const CREATED_AT = instant(Date.parse("2026-03-01T09:59:00Z"));

const common = { id: ID, account: "acc_test", createdAt: CREATED_AT };

export const aMail = (to = "ann@example.com", content: Partial<EmailContent> = {}): Dispatch => ({
  ...common,
  channel: "email",
  sender: "shop@example.org",
  recipient: to,
  content: { from: "The Shop <shop@example.org>", to, subject: "Hello", text: "It works.", ...content },
});

export const anSms = (to = "+9779812345678", body = "It works."): Dispatch => ({
  ...common,
  channel: "sms",
  sender: "+15005550006",
  recipient: to,
  content: { body },
});

export const aWhatsApp = (to?: string): Dispatch => ({ ...anSms(to), channel: "whatsapp" });

export const aCall = (to?: string, say = "It works."): Dispatch => ({
  ...anSms(to),
  channel: "voice",
  content: { say },
});

/** Nobody wants it to stop. */
export const unhurried = (): AbortSignal => new AbortController().signal;

/** Of an attempt, as each channel has it. */
export const PATIENCE = { callBudget: seconds(2), timeout: seconds(20) } as const;
