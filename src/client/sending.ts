/** What sends, and what takes back. Each sending call has one Idempotency-Key, however often it is tried. */
import type { CallOptions, Get } from "./call.ts";
import { SluiceFailure } from "./failure.ts";
import type {
  Accepted,
  Bulk,
  BulkAccepted,
  Call,
  Email,
  EmailTemplate,
  Message,
  Text,
  TextTemplate,
} from "./messages.ts";

export interface SendCallOptions extends CallOptions {
  /** Your own, so that it outlives this process: 1 to 255 visible ASCII characters. One is made for the call otherwise. */
  readonly idempotencyKey?: string;
}

export const methods = (get: Get) => {
  const post = <Body>(
    operation: string,
    body: unknown,
    options: SendCallOptions | undefined,
    path = operation.slice("POST ".length),
  ): Promise<Body> =>
    get(
      {
        operation,
        path,
        idempotencyKey: options?.idempotencyKey ?? crypto.randomUUID(),
        ...(body === undefined ? {} : { body }),
      },
      options,
    );
  const texts = (channel: "sms" | "whatsapp") => ({
    send: (text: Text, options?: SendCallOptions) => post<Accepted>(`POST /v1/${channel}/send`, text, options),
    /** One request, however many messages. */
    sendBulk: (bulk: Bulk<Text, TextTemplate>, options?: SendCallOptions) =>
      post<BulkAccepted>(`POST /v1/${channel}/send/bulk`, bulk, options),
  });

  const cancel = async (id: string, options?: CallOptions): Promise<{ id: string; status: "canceled" }> => {
    const path = `/v1/messages/${encodeURIComponent(id)}`;
    try {
      return await get({ operation: "DELETE /v1/messages/{id}", path }, options);
    } catch (error) {
      // Tried again because an answer was lost, it may find what it has done itself.
      if (!(error instanceof SluiceFailure) || error.code !== "already_final" || error.attempts < 2) throw error;
      const { status } = await get<Message>({ operation: "GET /v1/messages/{id}", path }, options);
      if (status === "canceled") return { id, status };
      throw error;
    }
  };

  return {
    email: {
      send: (email: Email, options?: SendCallOptions) => post<Accepted>("POST /v1/email/send", email, options),
      /** One request, however many messages. */
      sendBulk: (bulk: Bulk<Email, EmailTemplate>, options?: SendCallOptions) =>
        post<BulkAccepted>("POST /v1/email/send/bulk", bulk, options),
    },
    sms: texts("sms"),
    whatsapp: texts("whatsapp"),
    voice: {
      call: (call: Call, options?: SendCallOptions) => post<Accepted>("POST /v1/voice/call", call, options),
    },
    /** Takes a message back that has not left. */
    cancel,
    /** Takes back what has not left. */
    cancelBatch: (id: string, options?: CallOptions) =>
      get<{ id: string; canceled: number; left: number }>(
        { operation: "DELETE /v1/batches/{id}", path: `/v1/batches/${encodeURIComponent(id)}` },
        options,
      ),
    /** A failed, undelivered or uncertain message again, as a new one. */
    replay: (id: string, options?: SendCallOptions) =>
      post<Accepted>(
        "POST /v1/messages/{id}/replay",
        undefined,
        options,
        `/v1/messages/${encodeURIComponent(id)}/replay`,
      ),
  };
};
