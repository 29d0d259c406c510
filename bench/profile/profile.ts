/** `--profile`: the pipeline's row once more, and what Redis and Node did in it, per message. */
import type { Contender, Load } from "../contender.ts";
import { bareBullMq } from "../peers/bare.ts";
import { atOnce } from "../provider.ts";
import { benchRedis } from "../redis.ts";
import { figure } from "../report.ts";
import type { Form } from "../row.ts";
import { sluice } from "../rows/sluice.ts";
import { profiled } from "./node-time.ts";
import { commandsSeen, scriptsSeen, summed, watchScripts } from "./redis-time.ts";

const SIZES = { quick: 8_000, long: 20_000 } as const;
const LINES = 16;
/** Microseconds; see watchScripts. */
const SCRIPTS_FROM = 8;

/** Redis and Node are watched in runs of their own: each watch slows what it watches. */
export const profile = async (form: Form, print: (line: string) => void): Promise<void> => {
  const messages = SIZES[form];
  const load: Load = { messages, accounts: 100, concurrency: 100, latency: atOnce };
  const redis = await benchRedis("none");
  const line = (what: string, calls: string, microseconds: number, all: number): void => {
    const columns = [figure(microseconds / messages).padStart(8), `${((100 * microseconds) / all).toFixed(1)} %`.padStart(8)];
    print(`  ${what.padEnd(56)} ${calls.padStart(8)} ${columns.join(" ")}`);
  };
  const head = (what: string): void =>
    print(`${what.padEnd(58)} ${"calls".padStart(8)} ${"µs/msg".padStart(8)} ${"share".padStart(8)}`);

  const show = async (contender: Contender): Promise<void> => {
    await redis.empty();
    await contender.run(redis, load); // code that has not run yet is compiled now
    await redis.empty();
    await watchScripts(redis.look, SCRIPTS_FROM);
    await contender.run(redis, load);
    const commands = await commandsSeen(redis.look);
    const scripts = summed(await scriptsSeen(redis.look));
    const inScripts = commands.find(({ what }) => what === "evalsha")?.microseconds ?? 0;
    head(`Redis, ${contender.name}, ${messages} messages: ${figure(inScripts / messages)} µs a message in scripts`);
    for (const { what, calls, microseconds } of scripts) line(what, String(calls), microseconds, inScripts);
    head("  its commands, of which all that a script does is its script's");
    for (const { what, calls, microseconds } of commands.slice(0, LINES))
      line(what, String(calls), microseconds, inScripts);

    await redis.empty();
    let tookMs = 0;
    const node = await profiled(async () => {
      tookMs = await contender.run(redis, load);
    });
    const inNode = node.byPlace.reduce((sum, { microseconds }) => sum + microseconds, 0);
    head(`Node, ${contender.name}: ${figure((tookMs * 1_000) / messages)} µs a message, starting and ending apart`);
    for (const { what, microseconds } of node.byPlace.slice(0, LINES)) line(what, "", microseconds, inNode);
    head(`Node, ${contender.name}, by function`);
    for (const { what, microseconds } of node.byFunction.slice(0, LINES)) line(what, "", microseconds, inNode);
    print("");
  };
  try {
    await show(sluice);
    await show(bareBullMq);
  } finally {
    await redis.close();
  }
};
