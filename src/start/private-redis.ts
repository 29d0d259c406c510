/**
 * The Redis that comes with `npm start`: a redis-server of this data directory's own. What it has acknowledged outlives
 * `kill -9` of any process; the server itself goes when its parent goes, and comes back when it dies alone.
 */
import { chmodSync, existsSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import { seconds } from "../domain/time.ts";
import type { RedisAddress } from "../redis/connect.ts";
import { lock } from "./lock.mjs";
import { endOrphan, endProcess } from "./orphan.ts";
import type { RedisBinary } from "./redis-version.ts";
import { pidFileOf, runServer, type ServerRun, type ServerSettings } from "./redis-server.ts";
import { startRefused } from "./refusal.ts";
import { socketPath } from "./socket-path.ts";

export interface PrivateRedis {
  readonly address: RedisAddress;
  /** Of the server that runs now: another one after it died and was started again. */
  readonly pid: number;
  stop(): Promise<void>;
}

export interface PrivateRedisOptions {
  readonly binary: RedisBinary;
  readonly dataDir: string;
  /** `always`: an acknowledged write is on the disk. `everysec`: a crash may cost the last second or two, see reliability.md. */
  readonly fsync: "always" | "everysec";
  readonly log: Logger;
  /** False keeps nothing: for throw-away servers. */
  readonly appendOnly?: boolean;
}

/** One that has just been told to stop is waited for; one that runs is not worth more of a person's time. */
const LOCK_PATIENCE = seconds(2);

/** Redis 7 keeps its append-only file in a directory, which 6 does not see: it would start empty beside the data. */
const refuseOlderThanData = (dataDir: string, binary: RedisBinary): void => {
  if (existsSync(join(dataDir, "appendonlydir")) && binary.version.startsWith("6.")) {
    throw startRefused(
      `expected a redis-server of version 7 or later, because one wrote ${dataDir}, got ${binary.version} at ${binary.file}`,
    );
  }
};

/** Starts the server again whenever it ends unasked: BullMQ and the gate wait for it and go on by themselves. */
const keepRunning = (first: ServerRun, settings: ServerSettings, log: Logger) => {
  let current = first;
  let stopping = false;
  const watching = (async () => {
    for (;;) {
      await current.ended;
      if (stopping) return;
      log.error({ event: "private_redis_died", pid: current.pid }, "the private redis-server died: starting it again");
      // A server that dies at once, of a full disk, must not be started a hundred times a second.
      await wait(200);
      if (stopping) return;
      current = await runServer(settings);
    }
  })().catch((error: Error) => log.fatal({ event: "private_redis_lost", why: error.message }, error.message));
  return {
    pid: () => current.pid,
    stop: async () => {
      stopping = true;
      current.end();
      const overdue = new AbortController();
      const kill = wait(10_000, undefined, { signal: overdue.signal }).then(
        () => endProcess(current.pid, 0),
        () => {},
      );
      await watching;
      overdue.abort();
      await kill;
    },
  };
};

/**
 * Ready when this resolves. One process at a time per data directory: a second is refused (`StartRefused`), with the
 * first one's process id, and touches nothing.
 */
export const startPrivateRedis = async (options: PrivateRedisOptions): Promise<PrivateRedis> => {
  const { binary, fsync, log, appendOnly = true } = options;
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = realpathSync(options.dataDir);
  chmodSync(dataDir, 0o700);
  const held = await lock(join(dataDir, "lock"), LOCK_PATIENCE);
  if (held.kind === "held") {
    throw startRefused(
      `another Sluice is running on ${dataDir} (process ${held.by}): stop it, or set SLUICE_DATA_DIR.`,
    );
  }
  try {
    refuseOlderThanData(dataDir, binary);
    const socket = socketPath(dataDir);
    await endOrphan(pidFileOf(dataDir), socket, log);
    const settings = { binary, dataDir, socket, fsync, appendOnly };
    const server = keepRunning(await runServer(settings), settings, log);
    return {
      address: { socket },
      get pid() {
        return server.pid();
      },
      stop: async () => {
        await server.stop();
        // Where the usual path was too long, the socket had a directory to itself.
        if (dirname(socket) !== dataDir) rmSync(dirname(socket), { recursive: true, force: true });
        held.release();
      },
    };
  } catch (error) {
    held.release();
    throw error;
  }
};
