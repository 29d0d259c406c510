/** The random part of a run: hours begin every few seconds, demand keeps up with them, and limits change. */
import { ACCOUNTS } from "./accounts.ts";
import type { Api } from "./api.ts";
import { changingLimits } from "./limits.ts";
import type { Load } from "./load.ts";
import type { Stage } from "./stage.ts";
import type { RunTime } from "./time.ts";
import { idleRoom } from "./under-use.ts";

const PATIENCE_MS = 1_500;
const CLOSED_MS = 1_500;

export const passingHours = ({ dice, realNow, clock }: Stage, time: RunTime, api: Api, load: Load) => {
  const limits = changingLimits(api, dice, load.accounts, realNow);
  const idle: string[] = [];
  let steps = 0;
  let checks = 0;

  const lookForIdleRoom = async (): Promise<void> => {
    if (!(await time.quiet(PATIENCE_MS))) return;
    const found = await idleRoom(api, load, time.stillQuiet);
    if (found) checks++;
    if (!found || found.length === 0) return;
    // A provider's "slow down" closes a sender, for a second here: that is no quota, and passes.
    await time.passed(clock.now() + CLOSED_MS);
    const still = (await time.quiet(PATIENCE_MS)) ? await idleRoom(api, load, time.stillQuiet) : [];
    idle.push(...found.filter((each) => still?.includes(each)));
  };

  return {
    changes: limits.changes,
    /** Room beside messages that wait for room. */
    idle: idle as readonly string[],
    figures: () => ({
      hours: steps,
      limits_changed: limits.changes.length,
      room_checks: checks,
      room_idle: idle.length,
    }),
    /** The next hour begins somewhere, with messages on their way. */
    next: async (): Promise<void> => {
      await lookForIdleRoom();
      const boundary = await time.nearBoundary(200 + 1_000 * dice("before", steps));
      const calls = [...ACCOUNTS.keys()].filter((account) => dice("top up", steps, account) < 0.6).map(load.topUp);
      await time.passed(boundary + 300);
      if (steps % 3 === 1) calls.push(limits.change(steps));
      await Promise.all(calls.map((call) => call.catch((error: Error) => void api.wrong.push(error.message))));
      steps++;
    },
  };
};
