/** The tree, copied to a place of its own: a mutant never stands in the checkout, where others would meet it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED = ["src", "workers", "config", "test", "package.json", "jest.config.mjs"];
const LEFT_OUT = join(ROOT, "test/chaos/results");

export const copyOfTheTree = () => {
  const path = mkdtempSync(join(tmpdir(), "sluice-mutants-"));
  for (const each of COPIED)
    cpSync(join(ROOT, each), join(path, each), { recursive: true, filter: (file) => file !== LEFT_OUT });
  symlinkSync(join(ROOT, "node_modules"), join(path, "node_modules"));
  return {
    path,
    /** @returns what undoes it; throws where the text is not there exactly once */
    apply: ({ file, from, to }: Mutant): (() => void) => {
      const target = join(path, file);
      const text = readFileSync(target, "utf8");
      const found = text.split(from).length - 1;
      if (found !== 1) throw new RangeError(`expected once in ${file}: ${from} (found ${found} times)`);
      writeFileSync(
        target,
        text.replace(from, () => to),
      );
      return () => writeFileSync(target, text);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
};
