/** A directory for one test file, and the redis-server that this machine has. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino, type Logger } from "pino";
import { findRedis } from "../../src/start/redis-binary.ts";
import { cacheDirectory } from "../../config/env.ts";

export const silent: Logger = pino({ level: "silent" });

export const scratchDirectory = () => {
  const path = mkdtempSync(join(tmpdir(), "sluice-start-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

export const redisHere = () =>
  findRedis({
    path: process.env["PATH"] ?? "",
    cacheDir: cacheDirectory(process.env),
    log: silent,
  });
