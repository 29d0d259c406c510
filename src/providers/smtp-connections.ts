/**
 * How many connections a mail server bears. Exim takes 20 at once unless told otherwise, Postfix 50 of one client, and neither
 * says so before it refuses one. So each that is refused is one fewer, one more is tried now and then, and a mail whose
 * connection was refused goes over one of the others. A worker that gets none, because another has them all, keeps what it has
 * in hand for some seconds, and thereby leaves the rest to the other.
 */
import { seconds, type Clock, type MonotonicMillis } from "../domain/time.ts";

export interface Connections {
  /** At most so many now. */
  allowed(): number;
  /** `refused`: the server has borne none for too long. `late`: the signal came first. After `go` comes one of the other two. */
  enter(signal: AbortSignal): Promise<"go" | "refused" | "late">;
  /** The mail needs it no more. */
  leave(): void;
  /** The mail did not get one. True: it may come in again; false: the server has borne none for too long. */
  refused(): boolean;
}

/** A refused one costs the server little, and a limit that was raised, or a client that has gone, shows soon. */
const ONE_MORE_EVERY = seconds(5);
/** With no connection at all. */
const ASK_AGAIN_EVERY = seconds(1);
/** Well within the time of an attempt. */
const PATIENCE = seconds(5);

interface Waiting {
  readonly go: (answer: "go" | "refused") => void;
}

export const connectionsOf = (
  most: number,
  clock: Clock,
  { patience, askAgainEvery }: { readonly patience: number; readonly askAgainEvery: number } = {
    patience: PATIENCE,
    askAgainEvery: ASK_AGAIN_EVERY,
  },
): Connections => {
  let borne = most;
  let since = clock.monotonic();
  /** Mails that have a connection, or try to get one. */
  let inside = 0;
  /** Since when none was got; null while some are. */
  let noneSince: MonotonicMillis | null = null;
  let isPausing = false;
  const waiting = new Set<Waiting>();

  const allowed = (): number => Math.min(most, borne + Math.floor((clock.monotonic() - since) / ONE_MORE_EVERY));
  const mayEnter = (): boolean => !isPausing && inside < allowed();
  const wake = (): void => {
    for (const one of waiting) {
      if (!mayEnter()) return;
      waiting.delete(one);
      inside++;
      one.go("go");
    }
  };
  const pause = (): void => {
    isPausing = true;
    setTimeout(() => {
      isPausing = false;
      wake();
    }, askAgainEvery);
  };

  return {
    allowed,
    enter: async (signal) => {
      if (signal.aborted) return "late";
      if (waiting.size === 0 && mayEnter()) {
        inside++;
        return "go";
      }
      return new Promise((resolve) => {
        const late = (): void => {
          waiting.delete(one);
          resolve("late");
        };
        const one: Waiting = {
          go: (answer) => {
            signal.removeEventListener("abort", late);
            resolve(answer);
          },
        };
        signal.addEventListener("abort", late, { once: true });
        waiting.add(one);
      });
    },
    leave: () => {
      inside--;
      noneSince = null;
      wake();
    },
    refused: () => {
      inside--;
      borne = Math.max(1, allowed() - 1);
      since = clock.monotonic();
      if (inside > 0) return true;
      noneSince ??= since;
      if (since - noneSince < patience) {
        pause();
        return true;
      }
      noneSince = null;
      for (const one of waiting) one.go("refused");
      waiting.clear();
      return false;
    },
  };
};
