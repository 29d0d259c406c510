/** One run of a private redis-server: its arguments, the shell that ends it with its parent, and when it is ready. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "../domain/time.ts";
import type { RedisBinary } from "./redis-version.ts";
import { startRefused } from "./refusal.ts";

export interface ServerSettings {
  readonly binary: RedisBinary;
  readonly dataDir: string;
  readonly socket: string;
  readonly fsync: "always" | "everysec";
  readonly appendOnly: boolean;
}

export interface ServerRun {
  readonly pid: number;
  /** When the server is gone, for whatever reason. */
  readonly ended: Promise<void>;
  /** As when its parent dies: SIGTERM, at which Redis writes and syncs what it has. */
  end(): void;
}

export const pidFileOf = (dataDir: string): string => join(dataDir, "redis.pid");
const logFileOf = (dataDir: string): string => join(dataDir, "redis.log");

/**
 * The shell waits for the server, and beside it a reader waits for the end of the pipe that the parent holds: a parent
 * that is killed closes it like one that asks, so the way that must work when all else fails is the one always used.
 * The server's process id is on disk before the server exists, and is not free for others until the shell, its parent,
 * has seen it end; the reader is gone by then.
 */
const SHELL = `
exec 3<&0
sh -c 'echo $$ >"$0"; exec "$@"' "$@" </dev/null 3<&- &
server=$!
{ read _ <&3; kill -TERM $server; } 2>/dev/null &
reader=$!
exec 3<&-
wait $server
code=$?
kill $reader 2>/dev/null
exit $code`;

const argumentsOf = ({ dataDir, socket, fsync, appendOnly }: ServerSettings): string[] =>
  Object.entries({
    port: "0",
    unixsocket: socket,
    unixsocketperm: "700",
    dir: dataDir,
    appendonly: appendOnly ? "yes" : "no",
    appendfsync: fsync,
    // kill -9 may leave half a command at the end of the file, which was never acknowledged.
    "aof-load-truncated": "yes",
    save: "",
    // Evicting a key would lose a message.
    "maxmemory-policy": "noeviction",
    // The command line must keep the socket's path: by it the next start knows a server that was left behind.
    "set-proc-title": "no",
    daemonize: "no",
  }).flatMap(([name, value]) => [`--${name}`, value]);

/** `ready`; `loading` while the append-only file is read; `away` while nothing listens. */
const ask = (socket: string): Promise<"ready" | "loading" | "away"> =>
  new Promise((resolve) => {
    const connection = connect(socket);
    connection.setTimeout(1_000, () => connection.destroy());
    connection.on("connect", () => connection.write("PING\r\n"));
    connection.on("data", (reply) => {
      resolve(reply.toString().startsWith("+PONG") ? "ready" : "loading");
      connection.destroy();
    });
    connection.on("error", () => {});
    connection.on("close", () => resolve("away"));
  });

const lastWords = (dataDir: string): string =>
  readFileSync(logFileOf(dataDir), "utf8").trimEnd().split("\n").slice(-3).join(" / ");

/** Resolves when it answers. Loading may take as long as it takes; listening must not take ten seconds. */
export const runServer = async (settings: ServerSettings): Promise<ServerRun> => {
  const { binary, dataDir, socket } = settings;
  const [pidFile, logFile] = [pidFileOf(dataDir), logFileOf(dataDir)];
  rmSync(pidFile, { force: true });
  // This run's log and the one before: two files that cannot grow for ever.
  try {
    renameSync(logFile, `${logFile}.old`);
  } catch {}
  const output = openSync(logFile, "a", 0o600);
  const shell = spawn("/bin/sh", ["-c", SHELL, "sh", pidFile, binary.file, ...argumentsOf(settings)], {
    stdio: ["pipe", output, output],
    // A session of its own: Ctrl-C in the terminal is for the parent, which drains before it lets the server go.
    detached: true,
    cwd: dataDir,
    env: binary.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: binary.libraryPath },
  });
  closeSync(output);
  const lifeline = shell.stdin as Socket;
  lifeline.on("error", () => {});
  let over = false;
  const ended = (async () => {
    await once(shell, "exit");
    over = true;
    lifeline.destroy();
  })();
  const startedAt = systemClock.monotonic();
  for (let state = await ask(socket); state !== "ready"; state = await ask(socket)) {
    if (over) throw startRefused(`the private redis-server (${binary.file}) ended at once: ${lastWords(dataDir)}`);
    if (state === "away" && systemClock.monotonic() - startedAt > 10_000) {
      lifeline.end();
      throw startRefused(`the private redis-server (${binary.file}) does not listen after 10 s: ${lastWords(dataDir)}`);
    }
    await wait(10);
  }
  // It must never keep a process alive that has nothing else to do: without a parent it goes by itself.
  shell.unref();
  lifeline.unref();
  return {
    pid: Number(readFileSync(pidFile, "utf8")),
    ended,
    end: () => {
      shell.ref();
      lifeline.end();
    },
  };
};
