import { setTimeout as delay } from "node:timers/promises";
import type { Millis } from "../src/domain/time.ts";

/** Sleeps; false when the signal, if there is one, ended it early. */
export const sleep = async (length: Millis, signal?: AbortSignal): Promise<boolean> => {
  if (signal?.aborted) return false;
  if (length <= 0) return true;
  return delay(length, true, signal ? { signal } : {}).catch(() => false);
};
