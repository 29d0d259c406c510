/** What looks, and the suppressions. With the operator's key, `account_id` says whose. */
import type { CallOptions, Get } from "./call.ts";
import { SluiceFailure } from "./failure.ts";
import type { Batch, Channel, Message, MessageStatus, Page, Suppression } from "./messages.ts";
import type { ApiUsage, Limits, Queues, Quotas, Usage, Windows } from "./reports.ts";

export interface Whose {
  account_id?: string;
}
interface Paging extends Whose {
  cursor?: string;
  limit?: number;
}
export interface MessagesQuery extends Paging {
  status?: MessageStatus;
  channel?: Channel;
  batch_id?: string;
  reference?: string;
}
export interface WindowsQuery extends Whose {
  timezone?: string;
  at?: string;
}
export interface UsageQuery extends Whose {
  channel?: Channel;
  from?: string;
  to?: string;
  by?: "hour" | "day";
}
export interface ApiUsageQuery extends Whose {
  from?: string;
  to?: string;
}
export interface SuppressionsQuery extends Paging {
  channel?: Channel;
  address?: string;
}

const withQuery = (path: string, query: object = {}): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(Object.fromEntries(given.map(([name, value]) => [name, String(value)]))).toString();
  return text === "" ? path : `${path}?${text}`;
};

type Look<Query, Body> = (query?: Query, options?: CallOptions) => Promise<Body>;

export const methods = (get: Get) => {
  const look =
    <Body>(path: string): Look<object, Body> =>
    (query, options) =>
      get<Body>({ operation: `GET ${path}`, path: withQuery(path, query) }, options);
  const one =
    <Body>(path: string) =>
    (id: string, query?: Whose, options?: CallOptions): Promise<Body> =>
      get<Body>(
        { operation: `GET ${path}/{id}`, path: withQuery(`${path}/${encodeURIComponent(id)}`, query) },
        options,
      );
  const messages: Look<MessagesQuery, Page<Message>> = look("/v1/messages");
  const quotas: Look<Whose, Quotas> = look("/v1/quotas");
  const queues: Look<Whose, Queues> = look("/v1/queues");
  const windows: Look<WindowsQuery, Windows> = look("/v1/windows");
  const usage: Look<UsageQuery, Usage> = look("/v1/reports/usage");
  const apiUsage: Look<ApiUsageQuery, ApiUsage> = look("/v1/reports/api-usage");
  const limits: Look<Whose, Limits> = look("/v1/limits");
  const suppressed: Look<SuppressionsQuery, Page<Suppression>> = look("/v1/suppressions");

  return {
    message: one<Message>("/v1/messages"),
    messages,
    /** All of them, newest first, page after page. */
    async *everyMessage(query: MessagesQuery = {}, options?: CallOptions): AsyncGenerator<Message, void, undefined> {
      for (let cursor = query.cursor; ;) {
        const page = await messages({ ...query, ...(cursor === undefined ? {} : { cursor }) }, options);
        yield* page.items;
        if (page.next_cursor === null) return;
        cursor = page.next_cursor;
      }
    },
    /** How the messages of a bulk request stand. */
    batch: one<Batch>("/v1/batches"),
    quotas,
    queues,
    windows,
    usage,
    /** What the API limits have let through and refused. */
    apiUsage,
    /** Which API limits apply to this key, and how they stand. */
    limits,
    suppressions: {
      list: suppressed,
      add: (
        { account_id, ...suppression }: { channel: Channel; address: string; reason?: string } & Whose,
        options?: CallOptions,
      ): Promise<Suppression> =>
        get(
          {
            operation: "POST /v1/suppressions",
            path: withQuery("/v1/suppressions", { account_id }),
            body: suppression,
          },
          options,
        ),
      remove: async (
        suppression: { channel: Channel; address: string } & Whose,
        options?: CallOptions,
      ): Promise<null> => {
        const path = withQuery("/v1/suppressions", suppression);
        try {
          return await get({ operation: "DELETE /v1/suppressions", path }, options);
        } catch (error) {
          // Tried again, it may find what an earlier try has done, whose answer was lost.
          if (!(error instanceof SluiceFailure) || error.code !== "not_found" || error.attempts < 2) throw error;
          // No such account is not found either, and whoever may name one may look.
          if (suppression.account_id !== undefined)
            await suppressed(suppression, options).catch(() => Promise.reject(error));
          return null;
        }
      },
    },
  };
};
