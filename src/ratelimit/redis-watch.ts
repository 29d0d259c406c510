/** Whether Redis answers, told by the questions that are put to it, and what is done instead while it does not. */
import type { Clock, Instant, Millis, MonotonicMillis } from "../domain/time.ts";

export type RedisState =
  | { readonly redis: "here" }
  /** Limits are those of each process for itself. `since`: by this machine's clock. */
  | { readonly redis: "away"; readonly since: Instant; readonly why: string };

/** While it is away, one question in so long finds out whether it is back; the others do not wait for it. */
const ASK_AGAIN_MS = 500;

export interface RedisWatch {
  /** The answer to a call; @throws when it does not come in time. Whoever shares the call shares the wait. */
  inTime<T>(call: Promise<T>): Promise<T>;
  ask<T>(redis: () => Promise<T>, instead: () => T): Promise<T>;
  state(): RedisState;
}

const within = async <T>(patience: Millis, question: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
  });
  try {
    return await Promise.race([question, late]);
  } finally {
    clearTimeout(timer);
  }
};

export const redisWatch = (parts: {
  readonly clock: Clock;
  readonly patience: Millis;
  readonly changed?: (state: RedisState) => void;
}): RedisWatch => {
  const { clock, patience, changed } = parts;
  let state: RedisState = { redis: "here" };
  let askAgainAt = 0 as MonotonicMillis;
  const become = (next: RedisState): void => {
    if (next.redis === state.redis) return;
    state = next;
    changed?.(next);
  };
  return {
    inTime: (call) => within(patience, call),
    async ask(redis, instead) {
      const now = clock.monotonic();
      if (state.redis === "away") {
        if (now < askAgainAt) return instead();
        askAgainAt = (now + Math.max(ASK_AGAIN_MS, patience)) as MonotonicMillis;
      }
      try {
        const answer = await redis();
        become({ redis: "here" });
        return answer;
      } catch (error) {
        askAgainAt = (clock.monotonic() + ASK_AGAIN_MS) as MonotonicMillis;
        become({ redis: "away", since: clock.now(), why: error instanceof Error ? error.message : String(error) });
        return instead();
      }
    },
    state: () => state,
  };
};
