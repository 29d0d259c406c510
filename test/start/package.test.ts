/** What others import: the two doors of the package, as they stand after a build. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { scratchDirectory } from "./scratch.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PACKAGE = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

const isAsset = (file: string): boolean => statSync(file).isDirectory() || !/\.m?ts$/.test(file);

const scratch = scratchDirectory();
const home = join(scratch.path, "node_modules/sluice");

/** Somebody else's program, in a directory of its own. */
const run = (text: string): unknown => {
  const file = join(scratch.path, "program.mjs");
  writeFileSync(file, text);
  return JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" }));
};

/** As `npm run build` leaves it, beside what a clone holds besides. */
const build = (clone: string): void => {
  mkdirSync(clone);
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json", "--outDir", join(clone, "dist")], {
    cwd: ROOT,
  });
  for (const part of ["config", "src"])
    cpSync(join(ROOT, part), join(clone, "dist", part), { recursive: true, filter: isAsset });
  for (const part of ["package.json", ".gitignore", "README.md", "LICENSE", "config", "src"])
    cpSync(join(ROOT, part), join(clone, part), { recursive: true });
};

beforeAll(() => {
  const clone = join(scratch.path, "clone");
  build(clone);
  execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", scratch.path], {
    cwd: clone,
    stdio: "ignore",
  });
  mkdirSync(home, { recursive: true });
  const packed = join(scratch.path, `${PACKAGE.name}-${PACKAGE.version}.tgz`);
  execFileSync("tar", ["-xzf", packed, "--strip-components=1", "-C", home]);
  symlinkSync(join(ROOT, "node_modules"), join(home, "node_modules"));
}, 120_000);
afterAll(() => scratch.remove());

it("is what was built, and no more", () => {
  expect(readdirSync(home).toSorted()).toEqual(["LICENSE", "README.md", "dist", "node_modules", "package.json"]);
});

it("sluice/client asks as a client does, and comes with its types", () => {
  expect(existsSync(join(home, PACKAGE.exports["./client"].types))).toBe(true);
  const asked = run(`
    import { createClient } from "sluice/client";
    const seen = [];
    const client = createClient({ baseUrl: "http://127.0.0.1:1", apiKey: "sk_x", fetch: async (url, init) => {
      seen.push([url, init.method, init.headers.authorization ?? init.headers.Authorization ?? new Headers(init.headers).get("authorization")]);
      return new Response(JSON.stringify({ items: [], next_cursor: null }), { status: 200, headers: { "content-type": "application/json" } });
    } });
    await client.messages();
    console.log(JSON.stringify(seen));`);
  expect(asked).toEqual([["http://127.0.0.1:1/v1/messages", "GET", "Bearer sk_x"]]);
});

it("sluice/ratelimit knows the policies that come with it, and is a plugin", () => {
  expect(existsSync(join(home, PACKAGE.exports["./ratelimit"].types))).toBe(true);
  const told = run(`
    import { loadPolicy, rateLimit } from "sluice/ratelimit";
    console.log(JSON.stringify([loadPolicy("tagoio").dialect, typeof rateLimit]));`);
  expect(told).toEqual(["tagoio", "function"]);
});
