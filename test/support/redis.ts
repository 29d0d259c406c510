/** A cell of the test server for one test file: files run beside each other and never see each other's keys. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { connect, type Purpose, type RedisAddress } from "../../src/redis/connect.ts";
import { cellTag, type Cell } from "../../src/redis/keys.ts";

export interface TestRedis {
  readonly address: RedisAddress;
  /** Unique: `sl:{t<random>}:`. */
  readonly cell: Cell;
  connect(purpose?: Purpose): Redis;
  /** Ends the connections that `connect` made and deletes the cell's keys. */
  close(): Promise<void>;
}

/** What global-setup.ts started, or REDIS_URL: a socket's path, or a URL. */
const serverAddress = (): RedisAddress => {
  const server = process.env["TEST_REDIS"];
  if (server === undefined) throw new Error("no test server: run this file in the project `live`");
  return server.startsWith("/") ? { socket: server } : { url: server };
};

const deleteCell = async (redis: Redis, cell: Cell): Promise<void> => {
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", `${cell}*`, "COUNT", 1_000);
    if (keys.length > 0) await redis.unlink(keys);
    cursor = next;
  } while (cursor !== "0");
};

const ended = (redis: Redis): Promise<unknown> =>
  redis.status === "end" ? Promise.resolve() : redis.quit().catch(() => redis.disconnect());

export const testRedis = async (): Promise<TestRedis> => {
  const address = serverAddress();
  const cell = cellTag(`t${randomUUID().slice(0, 13).replace("-", "")}`);
  const log = pino({ level: "silent" });
  const opened: Redis[] = [];
  const open = (purpose: Purpose): Redis => {
    const redis = connect(address, purpose, log);
    opened.push(redis);
    return redis;
  };
  return {
    address,
    cell,
    connect: (purpose = "commands") => open(purpose),
    close: async () => {
      await Promise.all(opened.map(ended));
      const sweeper = connect(address, "commands", log);
      await deleteCell(sweeper, cell);
      await sweeper.quit();
    },
  };
};
