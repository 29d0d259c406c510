/** `--profile`: the pipeline and a POST once more, and what Redis and Node did in them, per message. */
import { startApi } from "../api.ts";
import type { Load } from "../contender.ts";
import { load as loadApi } from "../http-load.ts";
import { contentOf } from "../messages.ts";
import { bareBullMq } from "../peers/bare.ts";
import { atOnce } from "../provider.ts";
import { benchRedis, type BenchRedis } from "../redis.ts";
import { figure } from "../report.ts";
import type { Form } from "../row.ts";
import { sluice } from "../rows/sluice.ts";
import { aSystem } from "../system.ts";
import { profiled } from "./node-time.ts";
import { commandsSeen, scriptsSeen, summed, watchScripts, type Spent } from "./redis-time.ts";

const SIZES = { quick: { messages: 8_000, seconds: 3 }, long: { messages: 20_000, seconds: 10 } } as const;
const LINES = 16;
/** Microseconds; see watchScripts. */
const SCRIPTS_FROM = 8;

/** What is looked at: it answers with how many messages it handled, and in what time. */
interface Subject {
  readonly name: string;
  readonly run: (redis: BenchRedis) => Promise<{ messages: number; tookMs: number }>;
}

const pipelineOf = (contender: typeof sluice, load: Load): Subject => ({
  name: `pipeline-c${load.concurrency} of ${contender.name}`,
  run: async (redis) => ({ messages: load.messages, tookMs: await contender.run(redis, load) }),
});

const postOne = (seconds: number): Subject => ({
  name: "post-one of sluice",
  run: async (redis) => {
    const system = aSystem({ redis });
    try {
      const { origin, key } = await startApi(system);
      const headers = { authorization: `Bearer ${key}` };
      const { count } = await loadApi({ url: `${origin}/v1/email/send`, headers, body: contentOf(1), seconds });
      return { messages: count, tookMs: seconds * 1_000 };
    } finally {
      await system.close();
    }
  },
});

type Print = (line: string) => void;

const table = (print: Print, title: string, messages: number, spent: readonly Spent[], all: number): void => {
  print(`${title.padEnd(70)} ${"calls".padStart(8)} ${"µs/msg".padStart(8)} ${"share".padStart(8)}`);
  for (const { what, calls, microseconds } of spent.slice(0, LINES)) {
    const each = figure(microseconds / messages).padStart(8);
    const share = `${((100 * microseconds) / all).toFixed(1)} %`.padStart(8);
    print(`  ${what.padEnd(68)} ${(calls === 0 ? "" : String(calls)).padStart(8)} ${each} ${share}`);
  }
};

/** Redis and Node are watched in runs of their own: each watch slows what it watches. */
const show = async (redis: BenchRedis, { name, run }: Subject, print: Print): Promise<void> => {
  await redis.empty();
  await run(redis); // code that has not run yet is compiled now
  await redis.empty();
  await watchScripts(redis.look, SCRIPTS_FROM);
  const watched = await run(redis);
  const commands = await commandsSeen(redis.look);
  const scripts = summed(await scriptsSeen(redis.look));
  const inScripts = commands.find(({ what }) => what === "evalsha")?.microseconds ?? 0;
  // BZPOPMIN waits, and its time is counted when it is served; what clients send besides scripts is next to nothing.
  const inCommands = commands
    .filter(({ what }) => what !== "evalsha" && what !== "bzpopmin")
    .reduce((total, { microseconds }) => total + microseconds, 0);
  const sum = `${figure(inScripts / watched.messages)} µs a message, ${figure((inScripts - inCommands) / watched.messages)} of them in Lua itself`;
  table(print, `Redis, ${name}, ${watched.messages} messages: ${sum}`, watched.messages, scripts, inScripts);
  const within = "  its commands (what a script does is in evalsha too)";
  table(print, within, watched.messages, commands, inScripts);

  await redis.empty();
  let ran = watched;
  const node = await profiled(async () => {
    ran = await run(redis);
  });
  const inNode = node.byPlace.reduce((total, { microseconds }) => total + microseconds, 0);
  const each = figure((ran.tookMs * 1_000) / ran.messages);
  table(print, `Node, ${name}: ${each} µs a message, without starting and ending`, ran.messages, node.byPlace, inNode);
  table(print, `Node, ${name}, by function`, ran.messages, node.byFunction, inNode);
  print("");
};

export const profile = async (form: Form, isWanted: (name: string) => boolean, print: Print): Promise<void> => {
  const { messages, seconds } = SIZES[form];
  const load: Load = { messages, accounts: 100, concurrency: 100, latency: atOnce };
  const subjects = [pipelineOf(sluice, load), pipelineOf(bareBullMq, load), postOne(seconds)];
  const redis = await benchRedis("none");
  try {
    for (const subject of subjects) if (isWanted(subject.name)) await show(redis, subject, print);
  } finally {
    await redis.close();
  }
};
