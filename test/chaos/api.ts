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

/** Nobody waits longer: 30 s is how long the run of a request is taken to live when its API has died. */
const PATIENCE_MS = 60_000;

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

  const once = async (method: string, path: string, key: string, body: unknown, idempotencyKey?: string) => {
    const origins = slots.map((slot) => slot.ready()).filter((origin) => origin !== null);
    const origin = origins[turn++ % Math.max(1, origins.length)];
    if (origin === undefined) return null;
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

  return {
    wrong,
    figures: () => ({ requests: asked, longest_until_answered_ms: Math.round(longest) }),
    /** The first answer that is one. With an Idempotency-Key, as the API's document says to: nothing is done twice. */
    call: async (
      method: string,
      path: string,
      key: string,
      body?: unknown,
      idempotencyKey?: string,
    ): Promise<Reply> => {
      const answers: string[] = [];
      for (const startedAt = performance.now(); ;) {
        if (performance.now() - startedAt > PATIENCE_MS)
          throw new Error(`${method} ${path} (${idempotencyKey}): no answer for a minute, but ${told(answers)}`);
        asked++;
        // A connection that is refused, or cut by a death: whether it was done is not known.
        const reply = await once(method, path, key, body, idempotencyKey).catch((error: Error) => {
          answers.push(error.name === "TimeoutError" ? "silence" : "cut");
          return null;
        });
        if (reply) answers.push(`${reply.status} ${String(reply.body?.code ?? "")}`);
        if (reply && !AGAIN.has(reply.status)) {
          if (wrong.length > MOST_WRONG) throw new Error(wrong.at(-1));
          longest = Math.max(longest, performance.now() - startedAt);
          if (reply.status >= 400) wrong.push(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
          return reply;
        }
        await wait(100);
      }
    },
  };
};

export type Api = ReturnType<typeof apiOn>;
