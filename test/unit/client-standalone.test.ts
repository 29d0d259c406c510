import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "@jest/globals";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What a file imports at run time: types are gone by then. */
const importsOf = (file: string): readonly string[] =>
  [...readFileSync(join(ROOT, file), "utf8").matchAll(/^(import|export)\s(?!type\s)[^;]*?from\s*"([^"]+)"/gms)].map(
    ([, , path = ""]) => path,
  );

it("the client needs no package and nothing of Node's: whatever has fetch can use it", () => {
  const seen = new Set<string>();
  const foreign: string[] = [];
  const look = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(ROOT, file), "utf8");
    if (/\bprocess\.|\bBuffer\b|\brequire\(/.test(text)) foreign.push(`${file}: a global of Node's`);
    for (const path of importsOf(file))
      if (path.startsWith(".")) look(join(dirname(file), path));
      else foreign.push(`${file}: ${path}`);
  };
  look("src/client/client.ts");
  expect(foreign).toEqual([]);
  // It is looked through, and no more of the project comes with it than it uses.
  expect([...seen].filter((file) => file.startsWith("src/domain/")).sort()).toEqual([
    "src/domain/backoff.ts",
    "src/domain/easing.ts",
    "src/domain/http-date.ts",
    "src/domain/ratelimit-fields.ts",
    "src/domain/time.ts",
    "src/domain/told-limits.ts",
  ]);
});
