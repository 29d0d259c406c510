/**
 * What this process began to send lately, and how it went. Redis is the only one that keeps it for good; but what it loses
 * in a failover, those who did it still know (gate/failover.ts).
 */
import type { Channel } from "../src/domain/channel.ts";
import {
  milliseconds,
  minutes,
  type Clock,
  type Instant,
  type Millis,
  type MonotonicMillis,
} from "../src/domain/time.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import type { Begun, Run } from "../src/redis/scripts/begin.ts";
import { restore, RESTORE_AT_MOST } from "../src/redis/scripts/failover-restore.ts";
import { settle, type Settled, type Settlement } from "../src/redis/scripts/settle.ts";

type Go = Extract<Begun, { kind: "go" }>;

export interface Witness {
  began(channel: Channel, run: Run, go: Go): Testimony;
  /** Before Redis is told: what it is about to be told. */
  outcome(testimony: Testimony, settlement: Settlement): void;
  told(testimony: Testimony, settled: Settled): void;
  /** It has not been handed to a provider, and is its lane's again. */
  forget(testimony: Testimony): void;
  /** Says all of it again, oldest first; answers how many messages Redis had lost something of. */
  handIn(scripts: ScriptRunner): Promise<number>;
}

/** A replica that is further behind than this is nobody's choice for a master: Sentinel asks for less than a minute. */
export const REMEMBERED_FOR = minutes(5);
/** Some 700 bytes each, without their bodies. */
const REMEMBERED_AT_MOST = 10_000;
/**
 * In bytes, of all bodies that are kept after their attempts: where a provider is down, each is, and may be of 256 KB. For all
 * ten thousand it is enough as long as they are of 3,300 characters, as nearly all are; and with it a worker's heap is some
 * 100 MB, where it is 40 otherwise (docs/performance.md).
 */
export const BODIES_AT_MOST = 67_108_864;
/** As V8 keeps them: one, or two for each as soon as one of them is not of Latin-1. */
const BYTES_A_CHARACTER = 2;

/** Let go of together: each by itself would move all the others up. */
const FORGOTTEN_AT_ONCE = 1_000;

/** One attempt, as it goes on: flat, for there are thousands of them. */
export interface Testimony extends Run {
  readonly channel: Channel;
  readonly account: string;
  readonly sender: string;
  readonly recipient: string;
  readonly batchId: string | null;
  readonly createdAt: Instant;
  readonly begunAt: MonotonicMillis;
  /** As long as somebody may have to send it again, and there is room for it. */
  body: string;
  settlement: Settlement | null;
  isSettled: boolean;
  isForgotten: boolean;
}

/** In doubt, yes: then it counts. */
const mayHaveGone = ({ settlement }: Testimony): boolean =>
  settlement === null || settlement.action === "sent" || settlement.action === "uncertain";

/** In order, and no message twice in one call: what became of its first attempt comes before its second. */
const rounds = (memories: readonly Testimony[]): Testimony[][] => {
  const found: Testimony[][] = [];
  let ids = new Set<string>();
  for (const memory of memories) {
    const { id } = memory;
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
  const memories: Testimony[] = [];
  /** Whose attempts are over, and whose bodies are kept: in that order. What runs has its body in memory anyway. */
  const kept = new Set<Testimony>();
  let keptBytes = 0;
  const bytesOf = ({ body }: Testimony): number => BYTES_A_CHARACTER * body.length;
  const dropBody = (memory: Testimony): void => {
    if (kept.delete(memory)) keptBytes -= bytesOf(memory);
    memory.body = "";
  };
  const keepBody = (memory: Testimony): void => {
    // A copy: as it came it is a part of the whole record, and would keep that, with up to 4 KB of metadata.
    memory.body = Buffer.from(memory.body).toString();
    kept.add(memory);
    keptBytes += bytesOf(memory);
    for (const oldest of kept) {
      if (keptBytes <= BODIES_AT_MOST) return;
      dropBody(oldest);
    }
  };
  const forget = (memory: Testimony): void => {
    memory.isForgotten = true;
    dropBody(memory);
  };
  const isOld = ({ begunAt }: Testimony): boolean => begunAt < clock.monotonic() - rememberFor;
  const forgetOld = (): void => {
    const tooMany = memories.length - REMEMBERED_AT_MOST;
    const first = memories.findIndex((memory, at) => at >= tooMany && !isOld(memory));
    memories.splice(0, first < 0 ? memories.length : first).forEach(forget);
  };

  const sayAgain = async (scripts: ScriptRunner, round: readonly Testimony[]): Promise<number> => {
    const replies = await restore(
      scripts,
      reapIn,
      round.map((memory) => ({
        ...memory,
        settled: memory.isSettled,
        charged: mayHaveGone(memory),
        begunAgo: milliseconds(clock.monotonic() - memory.begunAt),
      })),
    );
    // What is still under way settles by itself; an outcome may have come in while Redis was asked.
    const open = round.filter(({ settlement }, at) => settlement !== null && replies[at] !== "none");
    const outcomes = open.flatMap(({ settlement }) => settlement ?? []);
    const told = outcomes.length > 0 ? await settle(scripts, outcomes) : [];
    for (const [at, memory] of open.entries()) if (told[at] === "ok") memory.isSettled = true;
    return replies.filter((reply) => reply === "restored").length;
  };

  return {
    began: (channel, { id, release, token }, { account, sender, recipient, batchId, createdAt, body }) => {
      const [oldest] = memories;
      if (oldest && (isOld(oldest) || memories.length >= REMEMBERED_AT_MOST + FORGOTTEN_AT_ONCE)) forgetOld();
      const memory: Testimony = {
        id,
        release,
        token,
        channel,
        account,
        sender,
        recipient,
        batchId,
        createdAt,
        begunAt: clock.monotonic(),
        body,
        settlement: null,
        isSettled: false,
        isForgotten: false,
      };
      memories.push(memory);
      return memory;
    },
    outcome: (testimony, settlement) => {
      testimony.settlement = settlement;
      if (settlement.action === "sent" || settlement.action === "failed" || testimony.isForgotten) dropBody(testimony);
      else keepBody(testimony);
    },
    told: (testimony, settled) => {
      testimony.isSettled = settled === "ok";
    },
    forget,
    handIn: async (scripts) => {
      forgetOld();
      let restored = 0;
      for (const round of rounds(memories.filter(({ isForgotten }) => !isForgotten)))
        restored += await sayAgain(scripts, round);
      return restored;
    },
  };
};
