/** The end of a history: no more faults, generous limits, and time. Then nothing may be left. */
import { cancelSome } from "../../../src/redis/scripts/cancel-some.ts";
import { WINDOW_KINDS } from "../../../src/domain/quota.ts";
import { milliseconds } from "../../../src/domain/time.ts";
import { DAY } from "../../support/gate-stage.ts";
import { addJobs, work } from "./acting.ts";
import { ZONES } from "./calendar.ts";
import { stateOf } from "./state.ts";
import { Violated, type World } from "./world.ts";

const liftEverything = async (world: World): Promise<void> => {
  const { stage, cast } = world;
  for (const channel of cast.channels)
    await stage.channel(channel, { paused: false, close: milliseconds(0), interval: null });
  for (const account of cast.accounts) {
    const scopes = [`A|${account}`];
    for (const channel of cast.channels) {
      await stage.pause(account, channel, false);
      scopes.push(`C|${account}|${channel}`);
      for (const sender of cast.senders) {
        await stage.senderRate(account, null, sender, channel);
        scopes.push(`S|${account}|${channel}|${sender}`);
      }
    }
    for (const scope of scopes) for (const kind of WINDOW_KINDS) await world.limit(scope, kind, null);
  }
  await world.look();
};

const oneRound = async (world: World): Promise<void> => {
  const { stage, cast } = world;
  for (const zone of ZONES) await world.writeZone(zone);
  for (const account of cast.accounts)
    if (world.state.acc[account]?.["removed"] === "1") await cancelSome(stage.scripts, account, 50);
  for (const late of world.adds.splice(0)) addJobs(world, late.channel, late.jobs);
  for (const channel of cast.channels) await work(world, channel, () => "sent");
  await world.pass(30_000);
  await stage.ask("unknown");
  await world.look();
};

const leaks = async (world: World): Promise<string[]> => {
  const { stage, state } = world;
  const left: string[] = [];
  const isRemoved = (account: string | undefined): boolean => state.acc[account ?? ""]?.["removed"] === "1";
  const empty = (what: string, of: object): void =>
    void (Object.keys(of).length > 0 && left.push(`${what}: ${Object.keys(of).join()}`));
  for (const name of ["lane", "ln", "scheduled", "expiring", "sending"] as const) empty(name, state[name]);
  for (const name of ["h", "a", "released", "inner"] as const)
    for (const [key, set] of Object.entries(state[name])) empty(`${name} ${key}`, set);
  // A removed account stays parked until it is dropped, which is the accounts' business.
  left.push(...Object.keys(state.parked).filter((member) => !isRemoved(member.split("|")[1])));
  await stage.redis.set(`${stage.cell}test_clock`, world.now() + 9 * DAY);
  while ((await stage.purge()).more);
  const records = (await stage.redis.keys(`${stage.cell}*`))
    .map((key) => key.slice(stage.cell.length))
    .filter((key) =>
      /^(m|x|bat|lane|ln|lanes|in|ring|idx|spent|ended|scheduled|expiring|released|sending|asking)(:|$)/.test(key),
    );
  return [...left, ...records.map((key) => `${key} is left`)];
};

/** Runs the world until it is quiet, and says everything that is wrong. */
export const calm = async (world: World): Promise<void> => {
  world.behind = 0;
  await world.pass(0);
  await liftEverything(world);
  for (let round = 0; round < 60 && (round < 2 || world.unfinished().length > 0); round++) await oneRound(world);
  const stuck = world.unfinished().map(({ id }) => `STUCK ${id} is ${stateOf(world.state, id)}`);
  const bad = [...stuck, ...world.judge.verdict(), ...(stuck.length === 0 ? await leaks(world) : [])];
  if (bad.length > 0) throw new Violated(bad.join("\n"));
};
