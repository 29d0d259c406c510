/** What Redis, and the way to it, do to those who use it. */
import { faultProxy, type FaultProxy } from "./fault-proxy.ts";
import { redisServer, type RedisServer } from "./redis-servers.ts";
import { until } from "./until.ts";

export interface Troubled {
  readonly server: RedisServer;
  /** All but the test itself come through here. */
  readonly proxy: FaultProxy;
}

export interface Trouble {
  begin(troubled: Troubled): unknown;
  /** How long it lasts; 0: it is over as soon as it has begun. */
  readonly lastsMs: number;
  end?(troubled: Troubled): unknown;
}

export const TROUBLES = {
  "SCRIPT FLUSH": { begin: ({ server }) => server.admin.script("FLUSH"), lastsMs: 0 },
  "CLIENT KILL of everybody": {
    begin: ({ server }) => server.admin.call("CLIENT", "KILL", "TYPE", "normal"),
    lastsMs: 0,
  },
  "CLIENT KILL of subscribers": {
    begin: ({ server }) => server.admin.call("CLIENT", "KILL", "TYPE", "pubsub"),
    lastsMs: 0,
  },
  "CLIENT PAUSE": { begin: ({ server }) => server.admin.call("CLIENT", "PAUSE", 3_000), lastsMs: 3_000 },
  "kill -9 and a start": { begin: ({ server }) => server.restart(), lastsMs: 0 },
  freeze: {
    begin: ({ server }) => server.signal("SIGSTOP"),
    lastsMs: 7_000,
    end: ({ server }) => server.signal("SIGCONT"),
  },
  "a replica in the master's place": {
    begin: ({ server }) => server.admin.call("REPLICAOF", "127.0.0.1", "1"),
    lastsMs: 3_000,
    end: ({ server }) => server.replicate(null),
  },
  "every connection cut": { begin: ({ proxy }) => proxy.dropAll("cut"), lastsMs: 0 },
  "every connection reset": { begin: ({ proxy }) => proxy.dropAll("reset"), lastsMs: 0 },
  "every reply late by 300 ms": {
    begin: ({ proxy }) => proxy.delay(300),
    lastsMs: 3_000,
    end: ({ proxy }) => proxy.delay(0),
  },
  "a full Redis": {
    begin: ({ server }) => server.config("maxmemory", "1"),
    lastsMs: 3_000,
    end: ({ server }) => server.config("maxmemory", "0"),
  },
} satisfies Readonly<Record<string, Trouble>>;

export const NAMES = Object.keys(TROUBLES) as (keyof typeof TROUBLES)[];

/** For what is itself a length of time: how long a server is frozen. */
export const lasting = async (ms: number): Promise<void> => {
  const startedAt = performance.now();
  await until(() => performance.now() - startedAt >= ms, { what: "time to pass", within: ms + 60_000 });
};

export const troubledRedis = async (settings: Readonly<Record<string, string>> = {}) => {
  const server = await redisServer(settings);
  const proxy = await faultProxy(server.address);
  return {
    server,
    proxy,
    /** For a world: as seen through the proxy. */
    redis: { ...server, address: { url: `redis://127.0.0.1:${proxy.port}` } },
    close: async (): Promise<void> => {
      await proxy.close();
      await server.close();
    },
  };
};
