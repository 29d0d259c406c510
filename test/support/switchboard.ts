/** One address for Redis, whichever server it leads to: what a failover looks like from the clients' side. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { RedisServer } from "./redis-servers.ts";
import type { TestRedis } from "./redis.ts";
import { connect as connectRedis, type Purpose } from "../../src/redis/connect.ts";
import { silent } from "../start/scratch.ts";

export interface Switchboard extends TestRedis {
  /** Whoever is connected is cut off; new connections lead there, or (null) nowhere. */
  switchTo(server: RedisServer | null): void;
}

export const switchboard = async (first: RedisServer): Promise<Switchboard> => {
  let target: RedisServer | null = first;
  const open = new Set<Socket>();
  const listener = createServer((client) => {
    if (target === null) {
      client.destroy();
      return;
    }
    const server = connect({ host: "127.0.0.1", port: target.port });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket
        .on("error", () => {})
        .on("close", () => {
          open.delete(socket);
          other.destroy();
        });
    }
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = { url: `redis://127.0.0.1:${(listener.address() as AddressInfo).port}` };
  const cutOff = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    address,
    cell: first.cell,
    connect: (purpose: Purpose = "commands") => connectRedis(address, purpose, silent),
    switchTo: (server) => {
      target = server;
      cutOff();
    },
    close: async () => {
      cutOff();
      listener.close();
      await once(listener, "close");
    },
  };
};
