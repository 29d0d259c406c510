/** Where the private server listens: a unix socket in the data directory, or where that path is too long, elsewhere. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRefused } from "./refusal.ts";

/** sun_path has 104 bytes on macOS and the BSDs and 108 on Linux, one of them for the closing NUL. */
const LONGEST_SOCKET_PATH_BYTES = 103;

/** The same directory for the same data at every start. Others can write in /tmp: it must be ours and closed to them. */
const shortDirectory = (dataDir: string): string => {
  const user = process.getuid?.() ?? 0;
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  const directory = join(tmpdir(), `sluice-${user}-${name}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== user || (found.mode & 0o077) !== 0) {
    throw startRefused(
      `expected ${directory} to be a directory that only its owner can enter, got one others can write`,
    );
  }
  return directory;
};

export const socketPath = (dataDir: string): string => {
  const usual = join(dataDir, "redis.sock");
  if (Buffer.byteLength(usual) <= LONGEST_SOCKET_PATH_BYTES) return usual;
  const short = join(shortDirectory(dataDir), "redis.sock");
  if (Buffer.byteLength(short) <= LONGEST_SOCKET_PATH_BYTES) return short;
  throw startRefused(
    `expected SLUICE_DATA_DIR or TMPDIR to be shorter, got sockets of over 103 bytes: ${usual}, ${short}`,
  );
};
