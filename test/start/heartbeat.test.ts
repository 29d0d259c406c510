import { spawn } from "node:child_process";
import { once } from "node:events";
import { utimesSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "@jest/globals";
import { heartbeatFile, startHeartbeat } from "../../src/start/heartbeat.ts";
import { silent } from "./scratch.ts";

const CHECK = fileURLToPath(new URL("../../src/start/healthy.mjs", import.meta.url));
const NOBODY = "http://127.0.0.1:1/healthz";

const exitCode = async (address: string): Promise<unknown> =>
  (await once(spawn(process.execPath, [CHECK, address, String(process.pid)]), "exit"))[0];

describe("the health check", () => {
  const closing: Array<() => unknown> = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  it("knows a living worker by its heartbeat, without a port, and a stopped one by its silence", async () => {
    const stop = startHeartbeat(silent);
    expect(await exitCode(NOBODY)).toBe(0);
    await stop();
    expect(await exitCode(NOBODY)).toBe(1);
  });

  it("gives up a worker whose heart has not beaten for half a minute", async () => {
    closing.push(startHeartbeat(silent));
    const longAgo = performance.timeOrigin / 1_000 - 60;
    utimesSync(heartbeatFile(process.pid), longAgo, longAgo);
    expect(await exitCode(NOBODY)).toBe(1);
  });

  it.each([
    [200, 0],
    [503, 1],
  ])("takes the API's answer %i for exit code %i", async (status, code) => {
    const server = createServer((_, response) => response.writeHead(status).end());
    await once(server.listen(0, "127.0.0.1"), "listening");
    closing.push(() => server.close());
    expect(await exitCode(`http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`)).toBe(code);
  });
});
