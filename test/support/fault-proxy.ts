/**
 * Between a client and its Redis: lets everything through until it is told to make trouble. It knows requests from replies,
 * so that it can break a connection exactly after the server has done a thing and before the client hears of it.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { RedisAddress } from "../../src/redis/connect.ts";
import { wholeValues, wordsOf } from "./resp.ts";

export type Fault =
  /** The request is done, its reply never comes: the connection ends (FIN), breaks (RST), stays silent, or ends within it. */
  "cut" | "reset" | "half-open" | "truncate";

/** Which request: by its words, such as EVALSHA and the script's hash. */
export type Which = (words: readonly string[]) => boolean;

export const evalshaOf =
  (sha: string): Which =>
  ([command, hash]) =>
    command?.toLowerCase() === "evalsha" && hash === sha;

export interface FaultProxy {
  readonly port: number;
  /** How often each request went through, by its first two words: `evalsha <sha>`. */
  readonly seen: ReadonlyMap<string, number>;
  /** Faults that have happened. */
  readonly happened: number;
  /** The n-th such request from now on meets this fault, once. */
  arm(fault: Fault, which: Which, nth?: number): void;
  /** Every reply comes so much later. */
  delay(ms: number): void;
  /** Whoever is connected is cut off, as by a firewall that forgot them (silent) or a process that died. */
  dropAll(how: "cut" | "reset" | "half-open"): void;
  close(): Promise<void>;
}

const target = (address: RedisAddress): { path: string } | { host: string; port: number } => {
  if ("socket" in address) return { path: address.socket };
  const { hostname, port } = new URL(address.url);
  return { host: hostname, port: Number(port || 6_379) };
};

export const faultProxy = async (address: RedisAddress): Promise<FaultProxy> => {
  const seen = new Map<string, number>();
  const pairs = new Set<{ client: Socket; server: Socket; silent: boolean }>();
  let armed: { fault: Fault; which: Which; left: number } | null = null;
  let happened = 0;
  let lag = 0;

  const isMet = (words: readonly string[]): Fault | null => {
    if (!armed?.which(words)) return null;
    armed.left--;
    if (armed.left > 0) return null;
    const { fault } = armed;
    armed = null;
    return fault;
  };

  const joined = (client: Socket): void => {
    const server = connect(target(address));
    const pair = { client, server, silent: false };
    pairs.add(pair);
    /** What becomes of the replies that are still to come, in order. */
    const expected: (Fault | null)[] = [];
    const end = (how: Fault): void => {
      happened++;
      pair.silent = true;
      if (how === "half-open") return;
      if (how === "reset") client.resetAndDestroy();
      else client.end();
      server.destroy();
    };
    const requests = wholeValues();
    const replies = wholeValues();
    client.on("data", (piece) => {
      if (pair.silent) return;
      for (const request of requests(piece)) {
        const words = wordsOf(request);
        const name = `${words[0]?.toLowerCase()} ${words[1] ?? ""}`;
        seen.set(name, (seen.get(name) ?? 0) + 1);
        expected.push(isMet(words));
        server.write(request);
      }
    });
    /** Late replies wait for each other: they must not overtake. */
    let before: Promise<void> = Promise.resolve();
    const pass = (reply: Buffer): void => {
      const at = performance.now() + lag;
      if (lag === 0 && unsent === 0) {
        client.write(reply);
        return;
      }
      unsent++;
      before = before
        .then(() => wait(Math.max(0, at - performance.now())))
        .then(() => {
          unsent--;
          client.write(reply);
        });
    };
    let unsent = 0;
    server.on("data", (piece) => {
      for (const reply of replies(piece)) {
        if (pair.silent) return;
        // What is pushed to a subscriber answers nothing.
        const fault = reply[0] === 0x3e ? null : (expected.shift() ?? null);
        if (fault === null) {
          pass(reply);
          continue;
        }
        if (fault === "truncate") client.write(reply.subarray(0, Math.ceil(reply.length / 2)));
        end(fault);
      }
    });
    const gone = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", () => {}).on("close", gone);
  };

  const listener = createServer(joined).listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    seen,
    get happened() {
      return happened;
    },
    arm: (fault, which, nth = 1) => {
      armed = { fault, which, left: nth };
    },
    delay: (ms) => {
      lag = ms;
    },
    dropAll: (how) => {
      for (const pair of pairs) {
        if (how === "half-open") pair.silent = true;
        else if (how === "reset") pair.client.resetAndDestroy();
        else pair.client.destroy();
      }
    },
    close: async () => {
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      listener.close();
      await once(listener, "close");
    },
  };
};
