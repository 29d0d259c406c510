import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { MUTANTS } from "../mutation/mutants.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("a mutant", () => {
  it("breaks something that is there, once", () => {
    const stale = MUTANTS.filter(({ file, from }) => readFileSync(ROOT + file, "utf8").split(from).length !== 2);
    expect(stale.map(({ file, breaks }) => `${file}: ${breaks}`)).toEqual([]);
  });
});
