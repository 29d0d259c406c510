import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Who may import whom. Changing this table is a decision: write down why (docs/decisions/). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/domain": [],
  "src/redis": ["src/domain"],
  "src/queue": ["src/domain", "src/redis"],
  "src/gate": ["src/domain", "src/redis", "src/queue"],
  "src/accounts": ["src/domain", "src/redis", "src/gate"],
  "src/ratelimit": ["src/domain", "src/redis"],
  "src/http": ["src/domain", "src/gate", "src/accounts", "src/ratelimit"],
  "src/providers": ["src/domain"],
  "src/sandbox": ["src/domain"],
  // It is used in other people's programs: see client-standalone.test.ts.
  "src/client": ["src/domain"],
  "src/observe": ["src/domain"],
  "src/start": ["src/domain", "src/redis", "config"],
  config: ["src/domain", "src/accounts", "src/ratelimit"],
  workers: ["src/domain", "src/gate", "src/queue", "src/providers", "src/redis"],
};
/** They join the rooms, and see everything. */
const JOINERS = new Set([
  "src/compose.ts",
  "src/compose-callbacks.ts",
  "src/compose-limits.ts",
  "src/compose-metrics.ts",
  "src/compose-services.ts",
  "src/ratelimit-exports.ts",
  "src/serve.ts",
  "src/main.ts",
  "src/all.ts",
  "workers/main.ts",
  "workers/compose.ts",
]);

const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?[tj]s$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));

const roomOf = (file: string): string => Object.keys(MAY_IMPORT).find((room) => file.startsWith(`${room}/`)) ?? file;

const FILES = ["src", "workers", "config"].flatMap(filesIn);
const importsOf = (file: string): string[] =>
  [...readFileSync(join(ROOT, file), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, path = ""]) =>
    relative(ROOT, join(ROOT, dirname(file), path)),
  );

describe("the rooms", () => {
  it("import one way only", () => {
    const wrong = FILES.filter((file) => !JOINERS.has(file)).flatMap((file) => {
      const room = roomOf(file);
      const allowed = new Set([room, ...(MAY_IMPORT[room] ?? [])]);
      return importsOf(file)
        .filter((target) => !allowed.has(roomOf(target)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(FILES.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  it("are all in the table", () => {
    const unknown = FILES.filter((file) => !JOINERS.has(file) && !(roomOf(file) in MAY_IMPORT));
    expect(unknown).toEqual([]);
  });

  it.each([
    ["process.env", /process\.env\b/, new Set(["config/env.ts"])],
    ["the clock", /Date\.now\(|new Date\(\)/, new Set(["src/domain/time.ts"])],
  ])("read %s in one place only", (_, pattern, places) => {
    const elsewhere = FILES.filter((file) => file.endsWith(".ts") && !places.has(file)).filter((file) =>
      pattern.test(readFileSync(join(ROOT, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")),
    );
    expect(elsewhere).toEqual([]);
  });

  it("are furnished with files of one idea: none over 300 lines, half of them under 80", () => {
    const lengths = FILES.map((file) => readFileSync(join(ROOT, file), "utf8").split("\n").length).toSorted(
      (a, b) => a - b,
    );
    expect(lengths.at(-1)).toBeLessThanOrEqual(300);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(80);
  });
});
