/**
 * What goes wrong between the product and its Redis, by the dice: the server has done it, and the reply is lost or late. It
 * comes in spells of some faults, since after each the run's clock must not jump until whoever met it is back.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Fault } from "../support/fault-proxy.ts";
import { oneOf } from "./dice.ts";
import type { Stage } from "./stage.ts";
import type { RunTime } from "./time.ts";

/** Silence is rarer than the rest: a client takes 6 s to give its connection up. */
const LOST_REPLIES: readonly Fault[] = ["cut", "cut", "cut", "reset", "reset", "reset", "truncate", "truncate"];
const SILENT_SHARE = 0.1;
/** A spell in which every connection of every process goes at once, and one in which every reply is late. */
const DROP_SHARE = 0.15;
const LATE_SHARE = 0.15;
const FAULTS_IN_A_SPELL = 5;
const FAULT_MS = 250;

/** A connection made anew, and the pauses of `insist`: then who met a fault has settled what he held. */
const SETTLED_MS = 2_500;
const SILENT_MS = 6_000;

const isScript = ([command]: readonly string[]): boolean => /^evalsha$/i.test(command ?? "");
const nothing = (): boolean => false;

/** @param meanMs between two spells */
export const troubleOnTheWire = ({ dice, proxy }: Stage, time: RunTime, meanMs: number, enough: () => boolean) => {
  const stopping = new AbortController();
  const pause = (ms: number): Promise<boolean> => wait(ms, true, { signal: stopping.signal }).catch(() => false);
  let drops = 0;
  let late = 0;

  const loseReplies = async (n: number): Promise<void> => {
    for (let at = 0; at < FAULTS_IN_A_SPELL; at++) {
      const isSilent = at === 0 && dice("silent", n) < SILENT_SHARE;
      if (isSilent) time.disturbed(SILENT_MS + SETTLED_MS);
      proxy.arm(
        isSilent ? "half-open" : oneOf(LOST_REPLIES, dice("fault", n, at)),
        isScript,
        1 + Math.floor(8 * dice("which", n, at)),
      );
      if (!(await pause(FAULT_MS))) return;
    }
  };
  const spell = async (n: number): Promise<void> => {
    time.disturbed(FAULTS_IN_A_SPELL * FAULT_MS + SETTLED_MS);
    const kind = dice("wire", n);
    if (kind < DROP_SHARE) {
      drops++;
      proxy.dropAll(oneOf(["cut", "reset"] as const, dice("drop", n)));
    } else if (kind < DROP_SHARE + LATE_SHARE) {
      late++;
      proxy.delay(20 + Math.round(300 * dice("late", n)));
      await pause(FAULTS_IN_A_SPELL * FAULT_MS);
      proxy.delay(0);
    } else {
      await loseReplies(n);
      // What is armed and was not met would be met at leisure, when nobody expects it any more.
      proxy.arm("cut", nothing);
    }
  };
  const going = (async () => {
    for (let n = 1; !stopping.signal.aborted && !enough(); n++) {
      if (!(await pause(meanMs * (0.3 + 1.4 * dice("wire pause", n))))) return;
      await spell(n);
    }
  })();
  return {
    figures: () => ({ replies_lost: proxy.happened, all_connections_dropped: drops, spells_of_late_replies: late }),
    stop: async (): Promise<void> => {
      stopping.abort();
      await going;
    },
  };
};
