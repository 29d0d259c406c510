/**
 * Lua scripts: loaded once from the file beside their wrapper, sent by hash, sent whole when the server has forgotten
 * them. A script may ask for parts of `scripts/lib` by lines `--@ lib <name>` at its head; they are put before it.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
}

/** What a script answers, before its wrapper gives it names. */
export type Reply = string | number | null | Reply[];

const LIB = new URL("./scripts/lib/", import.meta.url);

/** With SLUICE_TEST_CLOCK=1 the scripts take their time from a key that tests move; otherwise they never read it. */
const clockPart = (testClock: boolean): string => (testClock ? "test-clock" : "clock");

/** @param here `import.meta.url` of the wrapper; the script is the `.lua` of the same name beside it. */
export const loadScript = (here: string, testClock = process.env["SLUICE_TEST_CLOCK"] === "1"): Script => {
  const file = new URL(here.replace(/\.(ts|js)$/, ".lua"));
  const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1, -".lua".length);
  const body = readFileSync(file, "utf8");
  const parts = [...body.matchAll(/^--@ lib (\S+)$/gm)].map(([, part]) =>
    readFileSync(new URL(`${part === "clock" ? clockPart(testClock) : part}.lua`, LIB), "utf8"),
  );
  const text = [...parts, body].join("\n");
  return { name, text, sha: createHash("sha1").update(text).digest("hex") };
};

export type ScriptObserver = (script: string, tookMs: number) => void;

/** Runs scripts on one connection with one declared key, the cell's tag. */
export interface ScriptRunner {
  run(script: Script, args: readonly (string | number)[]): Promise<Reply>;
}

export const scriptRunner = (redis: Redis, cell: string, observe: ScriptObserver = () => {}): ScriptRunner => ({
  run: async (script, args) => {
    const startedAt = performance.now();
    try {
      return (await redis.evalsha(script.sha, 1, cell, ...args)) as Reply;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return (await redis.eval(script.text, 1, cell, ...args)) as Reply;
    } finally {
      observe(script.name, performance.now() - startedAt);
    }
  },
});
