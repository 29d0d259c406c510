/**
 * How long until it is known, or told for good, what became of messages whose workers died with them. Everything dies at
 * once, and then the clock goes as real time does until all are reaped, and after that a little faster: hours that pass
 * would make every one of them old at once.
 */
import { until } from "../support/until.ts";
import type { Slot } from "./fleet.ts";
import type { Load } from "./load.ts";
import { ACCOUNTS } from "./accounts.ts";
import type { Stage } from "./stage.ts";
import type { RunTime } from "./time.ts";
import { readRow } from "../support/rows.ts";

const MASSACRES = 10;
/** Reaped 25 s after they began, by a gate that waits 5 s after it has started. */
const REAPED_MS = 35_000;
/** And past the last question to a provider, 300 s after that. */
const ASKED_MS = 370_000;
const STEP_MS = 4_000;

interface Orphan {
  readonly id: string;
  readonly began: number;
}

export const surfacing = async (stage: Stage, time: RunTime, load: Load, workers: readonly Slot[]) => {
  const { redis, keys, clock, fleet } = stage;
  const orphans = new Map<string, Orphan>();
  const known = new Map<string, number>();
  let beganAt = Infinity;

  const stateOf = async (id: string) => {
    const row = await readRow(redis, keys.state(id));
    return [row["state"], row["began"], row["asking_since"]] as const;
  };
  const look = async (): Promise<void> => {
    for (const { id } of orphans.values()) {
      if (known.has(id)) continue;
      const [state] = await stateOf(id);
      // A mail that is to go again is known: it is waiting for its time, and says so.
      if (state !== "sending" && state !== "asking") known.set(id, clock.now());
    }
  };
  const killAll = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.alive()));
    for (const account of ACCOUNTS.keys()) void load.topUp(account);
    const isSending = async (): Promise<boolean> => {
      const ids = await redis.zrangebyscore(`${keys.cell}sending`, clock.now(), "+inf");
      return ids.filter((id) => !orphans.has(id)).length >= 3;
    };
    // Where little is left to send, they die with less in their hands.
    await until(isSending, { within: 3_000 }).catch(() => {});
    const before = fleet.deaths.length;
    const killed = workers.filter((worker) => worker.kill()).length;
    await until(() => fleet.deaths.length >= before + killed, { what: "them to be dead" });
    for (const id of await redis.zrange(`${keys.cell}sending`, "0", "-1")) {
      const [state, began] = await stateOf(id);
      // Those that the random deaths have left behind are as old as the hours that have passed since.
      if (state === "sending" && Number(began) >= beganAt) orphans.set(id, { id, began: Number(began) });
    }
  };

  beganAt = await time.nearBoundary(0);
  await time.passed(beganAt);
  for (let n = 0; n < MASSACRES; n++) await killAll();
  const killedAt = clock.now();
  while (clock.now() < killedAt + REAPED_MS) {
    await time.passed(clock.now() + 250);
    await look();
  }
  while (clock.now() < killedAt + ASKED_MS && known.size < orphans.size) {
    await time.jumpBy(STEP_MS);
    await time.passed(clock.now() + 100);
    await look();
  }
  const took = [...orphans.values()].map(({ id, began }) => (known.get(id) ?? Infinity) - began);
  return {
    orphans: orphans.size,
    orphans_known_after_max_ms: Math.round(Math.max(0, ...took)),
    orphans_never_known: orphans.size - known.size,
  };
};
