/** The rules people set, on the scripts: see control.ts. */
import type { Redis } from "ioredis";
import { notesOf, type Who } from "../domain/audit.ts";
import { CHANNELS, type Channel } from "../domain/channel.ts";
import { newSeed } from "../domain/id.ts";
import { instant, systemClock } from "../domain/time.ts";
import { windowOf } from "../domain/window.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { cancelSome } from "../redis/scripts/cancel-some.ts";
import { setChannel } from "../redis/scripts/set-channel.ts";
import { setLimits } from "../redis/scripts/set-limits.ts";
import { setPause } from "../redis/scripts/set-pause.ts";
import { setSenderRate } from "../redis/scripts/set-sender-rate.ts";
import { snapshot } from "../redis/scripts/snapshot.ts";
import type { GateControl } from "./control.ts";
import type { Nudge, Nudger } from "./nudge.ts";
import type { Zones } from "./zones.ts";

export interface RulesParts {
  readonly redis: Redis;
  readonly scripts: ScriptRunner;
  readonly keys: Keys;
  readonly zones: Zones;
  readonly nudger: Nudger;
}

export const rulesOn = ({ redis, scripts, keys, zones, nudger }: RulesParts): GateControl => {
  /** In force already; the nudge only makes what was loosened go at once. */
  const then = async (change: Promise<unknown>, what: Nudge): Promise<void> => {
    await change;
    nudger.nudge(what);
  };
  const setPaused = async (account: string | null, channel: Channel, paused: boolean, who?: Who): Promise<void> => {
    const change = { account, what: "pause", from: { channel, paused: !paused }, to: { channel, paused } } as const;
    const notes = who ? notesOf([change], who, newSeed(systemClock.now())) : [];
    await (account === null
      ? setChannel(scripts, channel, { paused }, notes)
      : setPause(scripts, account, channel, paused, notes));
  };
  return {
    setLimits: (scope, limits) =>
      then(setLimits(scripts, scope, limits), scope.level === "account" ? "*" : scope.channel),
    setAccount: async (account, { zone, weight }) => {
      await zones.write([zone]);
      await redis.hset(keys.account(account), { zone, weight });
    },
    setSenderRate: (account, channel, sender, interval) =>
      then(setSenderRate(scripts, account, channel, sender, interval), channel),
    setChannelRate: (channel, interval) => then(setChannel(scripts, channel, { interval }), channel),
    pause: (account, channel, who) => setPaused(account, channel, true, who),
    resume: (account, channel, who) => then(setPaused(account, channel, false, who), channel),
    removeAccount: async (account) => {
      await redis.hset(keys.account(account), "removed", 1);
      return Number((await redis.hget(keys.account(account), "open")) ?? 0);
    },
    cancelSome: (account) => cancelSome(scripts, account),
    runningWindows: async (account) => {
      const rows = [
        keys.accountCounters(account),
        ...CHANNELS.map((channel) => keys.channelCounters(account, channel)),
      ];
      const { now, hashes } = await snapshot(scripts, rows);
      const zone = (await redis.hget(keys.account(account), "zone")) ?? "UTC";
      const latest = (kind: "hour" | "day" | "month") => {
        // What runs is in the rows, whatever zone they were opened in; where nothing was sent yet, the calendar says it.
        const running = hashes.map((row) => Number(row[`${kind}.end`] ?? 0)).filter((end) => end > now);
        return instant(running.length > 0 ? Math.max(...running) : windowOf(kind, now, zone).endsAt);
      };
      return { hour: latest("hour"), day: latest("day"), month: latest("month") };
    },
  };
};
