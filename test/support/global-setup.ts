/** One real server for all test files of the project `live`: REDIS_URL, or a private one as `npm start` has it. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { startPrivateRedis } from "../../src/start/private-redis.ts";
import { findRedis } from "../../src/start/redis-binary.ts";
import { keepServer } from "./shared-server.ts";
import { cacheDirectory } from "../../config/env.ts";

export default async (): Promise<void> => {
  const given = process.env["REDIS_URL"];
  if (given !== undefined) {
    process.env["TEST_REDIS"] = given;
    return;
  }
  const log = pino({ level: "warn" });
  const cacheDir = cacheDirectory(process.env);
  const binary = await findRedis({ path: process.env["PATH"] ?? "", cacheDir, log });
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-test-"));
  const server = await startPrivateRedis({ binary, dataDir, fsync: "everysec", log });
  keepServer({ server, dataDir });
  if ("socket" in server.address) process.env["TEST_REDIS"] = server.address.socket;
};
