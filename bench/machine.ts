/** What the figures were taken on. */
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { arch, cpus, platform, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { benchRedis } from "./redis.ts";

const require = createRequire(import.meta.url);
const versionOf = (name: string): string => (require(`${name}/package.json`) as { version: string }).version;

/** Whose versions say what was measured. */
const PACKAGES = ["bullmq", "ioredis", "fastify", "nodemailer"] as const;

const commit = (): string => {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown"; // a tarball has no history
  }
};

export const machine = async () => {
  const redis = await benchRedis("none");
  await redis.close();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    node: process.version,
    redis: redis.version,
    commit: commit(),
    ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
};
