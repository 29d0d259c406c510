/**
 * Room for those who empty Redis. A full Redis refuses the workers' writes as well as the producers', and then nothing
 * ends that would make room: so producers are turned away while a quarter is still free, and reading, canceling and
 * sending go on.
 */
import { overloaded } from "../domain/errors.ts";
import { seconds, type Clock, type MonotonicMillis } from "../domain/time.ts";
import { isNearlyFull, type Memory } from "../redis/memory.ts";

/** Only when somebody enqueues: an API that nobody calls costs Redis nothing. */
const ASK_EVERY = seconds(1);
/**
 * Measured on 7.0.15: a waiting mail takes 380 beside its own text (record, lane, index), one of 10 KB 550. The rest is for
 * what it will take on its way: its state, its attempts, its BullMQ job.
 */
const BYTES_BESIDE_TEXT = 1_500;

export interface Shedding {
  /** At once where Redis need not be asked. @throws overloaded; and whatever asking Redis throws */
  admit(messages: number, bytes: number): void | Promise<void>;
}

/** @param read asks Redis */
export const sheddingBy = (read: () => Promise<Memory>, clock: Clock): Shedding => {
  let memory: Memory | null = null;
  let askedAt = -Infinity as MonotonicMillis;
  let asking: Promise<void> | null = null;
  /** Let in since Redis was asked: a second is long enough for many bulks of 16 MB. */
  let accepted = 0;

  const ask = async (): Promise<void> => {
    askedAt = clock.monotonic();
    accepted = 0;
    memory = await read();
  };
  const letIn = (messages: number, bytes: number): void => {
    const more = bytes + messages * BYTES_BESIDE_TEXT;
    if (memory === null || isNearlyFull(memory, accepted + more)) throw overloaded();
    accepted += more;
  };
  return {
    admit: (messages, bytes) => {
      if (memory === null || clock.monotonic() - askedAt >= ASK_EVERY) {
        asking ??= ask().finally(() => {
          asking = null;
        });
      }
      return asking ? asking.then(() => letIn(messages, bytes)) : letIn(messages, bytes);
    },
  };
};
