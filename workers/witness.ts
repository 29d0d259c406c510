/**
 * What this process began to send lately, and how it went. Redis is the only one that keeps it for good; but what it loses
 * in a failover, those who did it still know (gate/failover.ts).
 */
import type { Channel } from "../src/domain/channel.ts";
import { milliseconds, minutes, type Clock, type Millis, type MonotonicMillis } from "../src/domain/time.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import type { Begun, Release } from "../src/redis/scripts/begin.ts";
import { restore, RESTORE_AT_MOST } from "../src/redis/scripts/failover-restore.ts";
import { settle, type Settled, type Settlement } from "../src/redis/scripts/settle.ts";

type Go = Extract<Begun, { kind: "go" }>;

/** One attempt, as it goes on. */
export interface Testimony {
  /** Before Redis is told: what it is about to be told. */
  outcome(settlement: Settlement): void;
  told(settled: Settled): void;
  /** It has not been handed to a provider, and is its lane's again. */
  forget(): void;
}

export interface Witness {
  began(channel: Channel, token: string, message: Release, go: Go): Testimony;
  /** Says all of it again, oldest first; answers how many messages Redis had lost something of. */
  handIn(scripts: ScriptRunner): Promise<number>;
}

/** A replica that is further behind than this is nobody's choice for a master: Sentinel asks for less than a minute. */
export const REMEMBERED_FOR = minutes(5);
/** Some 700 bytes each, without their bodies. */
const REMEMBERED_AT_MOST = 10_000;

interface Memory {
  readonly channel: Channel;
  readonly token: string;
  readonly message: Release;
  readonly go: Omit<Go, "body">;
  /** As long as somebody may have to send it again. */
  body: string;
  readonly begunAt: MonotonicMillis;
  settlement: Settlement | null;
  settled: boolean;
}

/** In doubt, yes: then it counts. */
const mayHaveGone = ({ settlement }: Memory): boolean =>
  settlement === null || settlement.action === "sent" || settlement.action === "uncertain";

/** In order, and no message twice in one call: what became of its first attempt comes before its second. */
const rounds = (memories: Iterable<Memory>): Memory[][] => {
  const found: Memory[][] = [];
  let ids = new Set<string>();
  for (const memory of memories) {
    const { id } = memory.message;
    const last = found.at(-1);
    if (last && last.length < RESTORE_AT_MOST && !ids.has(id)) last.push(memory);
    else {
      found.push([memory]);
      ids = new Set();
    }
    ids.add(id);
  }
  return found;
};

/**
 * @param reapIn as begin says it: what is being sent has so long from now until it is given up
 * @param rememberFor not longer than records are kept: one that Redis has purged is not one that it has lost
 */
export const witnessOf = (clock: Clock, reapIn: Millis, rememberFor: Millis = REMEMBERED_FOR): Witness => {
  const memories = new Set<Memory>();
  const forgetOld = (): void => {
    const since = clock.monotonic() - rememberFor;
    for (const memory of memories) {
      if (memory.begunAt >= since && memories.size <= REMEMBERED_AT_MOST) return;
      memories.delete(memory);
    }
  };

  const sayAgain = async (scripts: ScriptRunner, round: readonly Memory[]): Promise<number> => {
    const replies = await restore(
      scripts,
      reapIn,
      round.map((memory) => ({
        ...memory.message,
        token: memory.token,
        settled: memory.settled,
        charged: mayHaveGone(memory),
        begunAgo: milliseconds(clock.monotonic() - memory.begunAt),
        account: memory.go.account,
        channel: memory.channel,
        sender: memory.go.sender,
        recipient: memory.go.recipient,
        batchId: memory.go.batchId,
        createdAt: memory.go.createdAt,
        body: memory.body,
      })),
    );
    // What is still under way settles by itself; an outcome may have come in while Redis was asked.
    const open = round.filter(({ settlement }, at) => settlement !== null && replies[at] !== "none");
    const outcomes = open.flatMap(({ settlement }) => settlement ?? []);
    const told = outcomes.length > 0 ? await settle(scripts, outcomes) : [];
    for (const [at, memory] of open.entries()) if (told[at] === "ok") memory.settled = true;
    return replies.filter((reply) => reply === "restored").length;
  };

  return {
    began: (channel, token, message, { body, ...go }) => {
      forgetOld();
      const memory: Memory = {
        channel,
        token,
        message,
        go,
        body,
        begunAt: clock.monotonic(),
        settlement: null,
        settled: false,
      };
      memories.add(memory);
      return {
        outcome: (settlement) => {
          memory.settlement = settlement;
          if (settlement.action === "sent" || settlement.action === "failed") memory.body = "";
        },
        told: (settled) => {
          memory.settled = settled === "ok";
        },
        forget: () => void memories.delete(memory),
      };
    },
    handIn: async (scripts) => {
      forgetOld();
      let restored = 0;
      for (const round of rounds(memories)) restored += await sayAgain(scripts, round);
      return restored;
    },
  };
};
