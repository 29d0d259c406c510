/**
 * Across a failover. Redis may answer as another server than before, with less than was acknowledged: a replica that took
 * over, a file that lacks its end, nothing at all. The scripts notice it and let nothing go (lib/home.lua); each worker's
 * gate then says what its process remembers, and the last one to speak ends it. What was lost and is remembered is put
 * back before anything goes, message by message, and charged as if it had never been lost.
 */
import type { Logger } from "pino";
import { milliseconds, seconds, type Millis } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { declareFailover } from "../redis/scripts/failover-declare.ts";
import { endFailover } from "../redis/scripts/failover-end.ts";
import type { Home } from "../redis/scripts/tick.ts";

export interface FailoverParts {
  readonly scripts: ScriptRunner;
  /** As it beats. */
  readonly worker: string;
  /** Says what this process remembers; may be repeated. Answers how many messages Redis had lost something of. */
  readonly handIn: () => Promise<number>;
  readonly log: Logger;
}

export interface Failover {
  /** Looks, and does this process's part. True while sending is held. */
  isHeld(home: Home): Promise<boolean>;
  /** The newest generation of the cell that this process has seen. */
  generation(): number;
}

/**
 * How long those who lived are waited for. A worker that lost its connection without being told finds out when its command
 * has had its 5 s, or its socket its 6 (redis/connect.ts), and is back half a second later.
 */
const PATIENCE = seconds(8);
/** Between looks while sending is held. */
export const LOOK_AGAIN: Millis = milliseconds(250);

export const failoverWith = ({ scripts, worker, handIn, log }: FailoverParts): Failover => {
  /** The server that this process has told what it knows, or on which it began. */
  let known: string | null = null;
  let seen = 0;
  let toldFor = "";
  let foundLost = false;

  const tell = async (): Promise<void> => {
    const restored = await handIn();
    foundLost = restored > 0;
    if (foundLost)
      log.warn(
        { event: "failover_restored", worker, count: restored },
        "Redis had lost what became of messages that this worker sent; it is put back",
      );
  };

  return {
    generation: () => seen,
    isHeld: async ({ here, at, generation }) => {
      const isWell = at === here && generation >= seen;
      // A process that has just begun knows nothing that could be lost.
      if (isWell && (known === null || known === here)) {
        known = here;
        seen = generation;
        return false;
      }
      const declared = await declareFailover(scripts, seen);
      const isOlder = generation < seen;
      seen = Math.max(seen, declared.generation);
      if (declared.kind === "declared")
        log.info(
          { event: "redis_moved", worker, move: declared.moves, went_back: isOlder },
          "Redis answers as another server; sending is held until the workers have said what they know",
        );
      const move = `${here} ${declared.moves}`;
      if (toldFor !== move) {
        await tell();
        toldFor = move;
      }
      const { kind, silent, lost } = await endFailover(scripts, worker, foundLost, PATIENCE);
      if (kind === "held") return true;
      known = here;
      if (kind === "home") return false;
      const facts = { event: "failover_ended", worker, move: declared.moves, lost, silent };
      if (lost) log.warn(facts, "Redis came back without something that it had acknowledged; sending goes on");
      else log.info(facts, "Redis came back with all that is remembered; sending goes on");
      return false;
    },
  };
};
