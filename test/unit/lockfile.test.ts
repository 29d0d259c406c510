import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
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

/** What reaches a machine that sends: without what only builds and tests. */
const production = Object.entries(packages).filter(
  ([path, { dev, devOptional }]) => path !== "" && dev !== true && devOptional !== true,
);

const installedIn = (path: string): { license?: unknown; version?: unknown } | null => {
  const file = new URL(`../../${path}/package.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { license?: unknown; version?: unknown }) : null;
};

/** They ask for no more than to be named, so that what is made of them may be MIT. */
const LICENCES = new Set([
  "MIT",
  "MIT-0",
  "ISC",
  "0BSD",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "BlueOak-1.0.0",
]);

/** They run a program of their own when they are installed, to find or to build their binary. A new one is a decision. */
const RUN_AT_INSTALL = new Set(["node_modules/esbuild", "node_modules/fsevents", "node_modules/msgpackr-extract"]);

/** The oldest without a fault that was made known, and that would be one here: header and body parsing, mail's headers. */
const MENDED: Readonly<Record<string, readonly number[]>> = {
  fastify: [5, 8, 5],
  nodemailer: [10, 6, 0],
  cookie: [0, 7, 0],
  "find-my-way": [9, 0, 1],
};

const isAtLeast = (version: string, least: readonly number[]): boolean => {
  const has = version.split(".").map(Number);
  const at = least.findIndex((part, place) => has[place] !== part);
  return at < 0 || (has[at] ?? 0) > (least[at] ?? 0);
};

describe("what is installed to send with", () => {
  it("is what the lockfile says, each with the sum of its bytes", () => {
    const installed = production.flatMap(([path, locked]) => {
      const found = installedIn(path);
      return found === null ? [] : [{ path, locked, version: found.version }];
    });
    expect(installed.length).toBeGreaterThan(100);
    for (const { path, locked, version } of installed) {
      expect([path, locked.integrity]).toEqual([path, expect.stringMatching(/^sha512-/)]);
      expect([path, version]).toEqual([path, locked.version]);
    }
  });

  it("is under licences that let it be used here, by the packages' own word", () => {
    const others = production.flatMap(([path, { license, optional }]) => {
      const installed = installedIn(path);
      // Another platform's binary is not here to ask, and some of those say nothing in the lockfile either.
      if (installed === null)
        return optional === true && (license === undefined || LICENCES.has(license)) ? [] : [path];
      return typeof installed.license === "string" && LICENCES.has(installed.license) ? [] : [path];
    });
    expect(others).toEqual([]);
  });

  it("runs nothing when it is installed, but for three that are known", () => {
    const running = production.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
    expect(running.filter((path) => !RUN_AT_INSTALL.has(path))).toEqual([]);
  });

  it.each(Object.entries(MENDED))("has of %s none with a known fault (%j and later)", (name, least) => {
    const copies = production.filter(([path]) => path.endsWith(`node_modules/${name}`));
    for (const [path, { version = "" }] of copies)
      expect([path, version, isAtLeast(version, least)]).toEqual([path, version, true]);
    expect(copies.length).toBeGreaterThan(0);
  });
});
