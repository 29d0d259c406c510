/** What is sent, the same to all contenders: mails of about 600 bytes from as many accounts as the row says. */
import type { Draft, EmailContent } from "../src/domain/message.ts";

export const SENDER = "shop@example.com";

/** With the rest of the content, about 600 bytes of JSON: what a short transactional mail is. */
const TEXT = "Your order has left our warehouse and will be with you in a few days. ".repeat(7).slice(0, 462);

/** The number of a message stands in its recipient: by it the far end knows which one it got. */
export const recipientOf = (n: number): string => `r${n}@example.net`;
export const numberIn = (recipient: string): number => Number(recipient.slice(1, recipient.indexOf("@")));

export const contentOf = (n: number): EmailContent => ({
  from: SENDER,
  to: recipientOf(n),
  subject: `Order ${n} is on its way`,
  text: TEXT,
});

export const draftOf = (n: number): Draft => ({
  channel: "email",
  sender: SENDER,
  recipient: recipientOf(n),
  class: "normal",
  content: contentOf(n),
});

/** One producer's request: messages of one account. */
export interface Request {
  /** 0 … accounts − 1. */
  readonly account: number;
  readonly numbers: readonly number[];
}

/** Accounts in turn, at most `size` messages a request. */
export const requestsOf = (messages: number, accounts: number, size: number): Request[] => {
  const requests: Request[] = [];
  const most = Math.min(size, Math.ceil(messages / accounts));
  for (let from = 0; from < messages; from += most) {
    const count = Math.min(most, messages - from);
    requests.push({
      account: requests.length % accounts,
      numbers: Array.from({ length: count }, (_, at) => from + at),
    });
  }
  return requests;
};
