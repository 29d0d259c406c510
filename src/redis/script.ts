/**
 * Lua scripts: loaded once from the file beside their wrapper, sent by hash, sent whole when the server has forgotten
 * them. A script may ask for parts of `scripts/lib` by lines `--@ lib <name>` at its head; they are put before it.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Command } from "ioredis";
import { systemClock } from "../domain/time.ts";
import type { Cell } from "./keys.ts";

export interface Script {
  readonly name: string;
  /** With the clock of the server, and with the one that tests move. */
  readonly server: Program;
  readonly test: Program;
}

interface Program {
  readonly text: string;
  readonly sha: string;
}

/** What a script answers, before its wrapper gives it names. */
export type Reply = string | number | null | Reply[];

const LIB = new URL("./scripts/lib/", import.meta.url);

const program = (body: string, clock: "clock" | "test-clock"): Program => {
  const parts = [...body.matchAll(/^--@ lib (\S+)$/gm)].map(([, part]) =>
    readFileSync(new URL(`${part === "clock" ? clock : part}.lua`, LIB), "utf8"),
  );
  const text = [...parts, body].join("\n");
  return { text, sha: createHash("sha1").update(text).digest("hex") };
};

/** @param here `import.meta.url` of the wrapper; the script is the `.lua` of the same name beside it. */
export const loadScript = (here: string): Script => {
  const file = new URL(here.replace(/\.(ts|js)$/, ".lua"));
  const body = readFileSync(file, "utf8");
  const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1, -".lua".length);
  return { name, server: program(body, "clock"), test: program(body, "test-clock") };
};

/** What a script could not do with what it found, and never will: unlike a server that is away, full, or read-only. */
export const isScriptsMistake = (error: unknown): boolean =>
  error instanceof Error && /^ERR .*user_script/.test(error.message);

export type ScriptObserver = (script: string, tookMs: number) => void;

/** What is asked of a connection. Of ioredis, but of no release of it: to TypeScript the classes of each are strangers. */
export interface Connection {
  sendCommand(command: never): unknown;
  eval(text: string, keys: number, ...words: (string | number)[]): Promise<unknown>;
}

/** Runs scripts on one connection with one declared key, the cell's tag. */
export interface ScriptRunner {
  run(script: Script, args: readonly (string | number)[]): Promise<Reply>;
}

export interface RunnerOptions {
  /** Take the time from the key that tests move; a process without SLUICE_TEST_CLOCK=1 never reads that key. */
  readonly testClock?: boolean;
  readonly observe?: ScriptObserver;
}

/** The program that a process with these options runs. */
export const programOf = (script: Script, { testClock }: RunnerOptions): Program =>
  testClock ? script.test : script.server;

const UTF_8 = { replyEncoding: "utf8" } as const;

export const scriptRunner = (redis: Connection, cell: Cell, options: RunnerOptions = {}): ScriptRunner => ({
  run: async (script, args) => {
    const startedAt = systemClock.monotonic();
    const { text, sha } = programOf(script, options);
    try {
      // As redis.evalsha does, which hands hundreds of arguments on from one function to the next.
      return (await redis.sendCommand(new Command("evalsha", [sha, 1, cell, ...args], UTF_8) as never)) as Reply;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return (await redis.eval(text, 1, cell, ...args)) as Reply;
    } finally {
      options.observe?.(script.name, systemClock.monotonic() - startedAt);
    }
  },
});
