/** The real programs (`npm start`, start:api, start:worker) as processes beside a test. None outlives it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";
import type { Answer } from "./world.ts";

export const ADMIN_KEY = "a-key-for-the-operator-of-tests";

const root = fileURLToPath(new URL("../..", import.meta.url));
const running = new Set<Run>();

export interface Run {
  readonly pid: number;
  output(): string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  hasEnded(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Where its API listens, once it says so. */
  origin(): Promise<string>;
  /** As the operator, or with another key. */
  call(method: string, path: string, body?: unknown, key?: string): Promise<Answer>;
}

/** @param entry from the project's root: `src/all.ts` */
export const run = (entry: string, env: Readonly<Record<string, string>>, given: readonly string[] = []): Run => {
  const child = spawn(process.execPath, ["--import", "tsx", entry, ...given], {
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"],
      PORT: "0",
      SLUICE_ADMIN_KEY: ADMIN_KEY,
      // Whoever waits for something asks often.
      SLUICE_API_POLICY: "none",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let over = false;
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  const ended = once(child, "close").then(([code, signal]) => {
    over = true;
    running.delete(self);
    return (code ?? signal) as number | string;
  });
  const origin = () =>
    until(
      () => {
        if (over) throw new Error(`it ended: ${output}`);
        return /(?:API\s+|"origin":")(http:\/\/[^\s"]+)/.exec(output)?.[1];
      },
      { what: "the API to say where it listens", within: 30_000 },
    );
  const self: Run = {
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    hasEnded: () => over,
    kill: (signal) => void child.kill(signal),
    origin,
    call: async (method, path, body, key = ADMIN_KEY) => {
      const response = await fetch((await origin()) + path, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = (response.headers.get("content-type") ?? "").includes("json");
      return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
    },
  };
  running.add(self);
  return self;
};

/** For afterEach: what a failed test has left running. */
export const endAll = async (): Promise<void> => {
  await Promise.all(
    [...running].map((each) => {
      each.kill("SIGKILL");
      return each.ended;
    }),
  );
};

/** An account with a key, and what it sends. */
export const anAccountOf = async (program: Run, more: Record<string, unknown> = {}) => {
  const made = await program.call("POST", "/v1/accounts", { name: "Test", timezone: "Asia/Kathmandu", ...more });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  const id = made.body.id as string;
  const key = (await program.call("POST", `/v1/accounts/${id}/keys`, {})).body.key as string;
  return { id, key };
};

/** Free a moment ago: nobody else asks for ports by number here. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
};

/** A loopback port that leads to a unix socket while it is open: REDIS_URL for a server that has only a socket. */
export const portTo = async (socket: string) => {
  let server: Server | null = null;
  const port = await freePort();
  const open = async (): Promise<void> => {
    server = createServer((near) => {
      const far = connect(socket);
      for (const end of [near, far]) {
        end.on("error", () => {});
        end.on("close", () => {
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const close = async (): Promise<void> => {
    const closing = server;
    server = null;
    if (closing) await new Promise((closed) => closing.close(closed));
  };
  return { url: `redis://127.0.0.1:${port}`, open, close };
};
