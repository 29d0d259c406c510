import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { findRedis } from "../../src/start/redis-binary.ts";
import { dependenciesIn } from "../../src/start/debian-packages.ts";
import { runProgram } from "./program.ts";
import { scratchDirectory, silent } from "./scratch.ts";

describe("finding a Redis", () => {
  const scratch = scratchDirectory();
  afterAll(() => scratch.remove());

  const program = async (directory: string, name: string, lines: string) => {
    const folder = join(scratch.path, directory);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`);
    await chmod(join(folder, name), 0o755);
    return folder;
  };

  it("takes the first on PATH that is young enough, whichever of the two it is", async () => {
    const old = await program(
      "old",
      "redis-server",
      'echo "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc bits=64"',
    );
    const broken = await program("broken", "redis-server", "exit 127");
    const good = await program(
      "good",
      "valkey-server",
      'echo "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc bits=64"',
    );
    const path = [old, broken, "", "/nowhere", good].join(":");
    const found = await findRedis({ path, cacheDir: join(scratch.path, "cache"), log: silent });
    expect(found).toEqual({ file: join(good, "valkey-server"), version: "8.1.1" });
  });

  it("says in a sentence how to get one where none can be fetched, and leaves nothing behind", async () => {
    await program("bin", "dpkg", "exit 0");
    await program("bin", "dpkg-query", "exit 0");
    const bin = await program("bin", "apt-get", 'case "$*" in *update*) echo "E: no way out" >&2; exit 100;; esac');
    const cacheDir = join(scratch.path, "empty-cache");
    const search = runProgram(
      `import { readdirSync } from "node:fs";
       import { pino } from "pino";
       import { findRedis } from "@/src/start/redis-binary.ts";
       const answer = findRedis({ path: "", cacheDir: "${cacheDir}", log: pino({ level: "silent" }) });
       await answer.catch((error) => console.log(error.name, error.message));
       console.log(readdirSync("${cacheDir}").join());`,
      { ...process.env, PATH: bin },
    );
    expect(await search.ended).toBe(0);
    expect(search.output()).toMatch(/^StartRefused expected a redis-server or valkey-server of version 6\.2 or later/);
    expect(search.output()).toMatch(/set REDIS_URL/);
    if (process.platform === "linux") expect(search.output()).toMatch(/\nfetch-lock\n$/);
  });

  it("reads what a package needs, of alternatives the first", () => {
    const record =
      "Package: redis-tools\nPre-Depends: libc6 (>= 2.34)\nDepends: libjemalloc2 (>= 4.0.0), libssl3 | libssl1.1\n";
    expect(dependenciesIn(record)).toEqual(["libc6", "libjemalloc2", "libssl3"]);
  });
});
