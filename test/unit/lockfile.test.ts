import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile = new URL("../../package-lock.json", import.meta.url);
const { packages } = JSON.parse(readFileSync(lockfile, "utf8")) as { packages: Readonly<Record<string, Locked>> };

/** Where Node looks for what `path` imports: below it, then below each that it lies in. */
const isLocked = (path: string, name: string): boolean => {
  const at = path === "" ? "node_modules" : `${path}/node_modules`;
  if (`${at}/${name}` in packages) return true;
  return path !== "" && isLocked(path.slice(0, Math.max(0, path.lastIndexOf("/node_modules/"))), name);
};

describe("package-lock.json", () => {
  it("names the binaries of every platform, not only of the one it was made on: `npm ci` refuses it otherwise", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
    );
    expect(Object.keys(packages).length).toBeGreaterThan(100);
    expect(missing).toEqual([]);
  });
});
