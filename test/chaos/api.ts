/** The API as a producer sees it that does not give up: whichever process answers, as often as it takes. */
import { setTimeout as wait } from "node:timers/promises";
import type { Slot } from "./fleet.ts";

export const ADMIN_KEY = "a-key-for-the-operator-of-chaos";

export interface Reply {
  readonly status: number;
  readonly body: any;
}

/** Past it, the product is broken and nothing is learnt by going on. */
const MOST_WRONG = 20;

/** Answers that say "again": nothing was done, or it is not known yet. */
const AGAIN = new Set([409, 429, 503]);

/**
 * How long a caller may be put off by APIs that live. The time that it spent with one that was killed, or with none, is the
 * run's doing: on a machine that is slow to start them, they may die faster than they come.
 */
const PATIENCE_MS = 60_000;
/** And after this much of any kind, something is wrong that is not the product's answer. */
const LONGEST_MS = 300_000;
const AGAIN_AFTER_MS = 100;

/** `503 ×3, 409 ×240`: what was answered meanwhile, in order. */
const told = (answers: readonly string[]): string => {
  const runs: { what: string; n: number }[] = [];
  for (const what of answers) {
    const last = runs.at(-1);
    if (last?.what === what) last.n++;
    else runs.push({ what, n: 1 });
  }
  return runs.map(({ what, n }) => `${what} ×${n}`).join(", ");
};

export const apiOn = (slots: readonly Slot[]) => {
  /** Answers that no caller should ever see. */
  const wrong: string[] = [];
  let turn = 0;
  let asked = 0;
  let longest = 0;
  let mostPutOff = 0;

  const ask = async (
    origin: string,
    method: string,
    path: string,
    key: string,
    body: unknown,
    idempotencyKey?: string,
  ) => {
    const response = await fetch(origin + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) } satisfies Reply;
  };

  type Once = { readonly reply: Reply | null; readonly instead?: "nobody" | "silence" | "cut" };
  const once = async (...request: [string, string, string, unknown, string | undefined]): Promise<Once> => {
    const origins = slots.map((slot) => slot.ready()).filter((origin) => origin !== null);
    const origin = origins[turn++ % Math.max(1, origins.length)];
    if (origin === undefined) return { reply: null, instead: "nobody" };
    // A connection that is refused, or cut by a death: whether it was done is not known.
    return ask(origin, ...request).then(
      (reply) => ({ reply }),
      (error: Error) => ({ reply: null, instead: error.name === "TimeoutError" ? "silence" : "cut" }),
    );
  };

  return {
    wrong,
    figures: () => ({
      requests: asked,
      longest_until_answered_ms: Math.round(longest),
      longest_put_off_ms: Math.round(mostPutOff),
    }),
    /** The first answer that is one. With an Idempotency-Key, as the API's document says to: nothing is done twice. */
    call: async (
      method: string,
      path: string,
      key: string,
      body?: unknown,
      idempotencyKey?: string,
    ): Promise<Reply> => {
      const answers: string[] = [];
      let putOff = 0;
      for (const startedAt = performance.now(); ; await wait(AGAIN_AFTER_MS)) {
        const at = performance.now();
        if (putOff > PATIENCE_MS || at - startedAt > LONGEST_MS)
          throw new Error(`${method} ${path} (${idempotencyKey}): no answer in time, but ${told(answers)}`);
        asked++;
        const { reply, instead } = await once(method, path, key, body, idempotencyKey);
        answers.push(instead ?? `${reply?.status} ${String(reply?.body?.code ?? "")}`);
        if (instead === undefined || instead === "silence") putOff += performance.now() - at + AGAIN_AFTER_MS;
        if (reply && !AGAIN.has(reply.status)) {
          if (wrong.length > MOST_WRONG) throw new Error(wrong.at(-1));
          longest = Math.max(longest, performance.now() - startedAt);
          mostPutOff = Math.max(mostPutOff, putOff);
          if (reply.status >= 400) wrong.push(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
          return reply;
        }
      }
    },
  };
};

export type Api = ReturnType<typeof apiOn>;
