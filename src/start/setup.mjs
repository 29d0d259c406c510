/**
 * Runs before every npm command: makes a fresh clone ready with nothing but Node and npm, and is done in a few
 * milliseconds when there is nothing to do. Plain JavaScript without dependencies, because they may not be there.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = [20, 12];
/** `npm ci` of a slow line; who waits for another's longer than this may as well say so. */
const PATIENCE_MS = 15 * 60_000;

const root = fileURLToPath(new URL("../..", import.meta.url));

const say = (sentence) => process.stderr.write(`sluice: ${sentence}\n`);

const refuse = (sentence) => {
  say(sentence);
  process.exit(1);
};

const packagesIn = (file) => {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
};

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes its own list of what it has put there, at the
 * end: an installation that was killed has none. Optional packages are those of other platforms; and a production
 * start needs no development packages, though what is installed here always has them.
 */
const isInstalled = (forRunning) => {
  const wanted = packagesIn(join(root, "package-lock.json"));
  const found = packagesIn(join(root, "node_modules/.package-lock.json"));
  if (wanted === undefined) return refuse(`expected a readable package-lock.json in ${root}`);
  if (found === undefined) return false;
  return Object.entries(wanted).every(([path, one]) => {
    if (path === "" || one.link) return true;
    if (found[path] === undefined) return one.optional || one.peer || (forRunning && (one.dev || one.devOptional));
    return found[path].version === one.version;
  });
};

/** @param started is told npm's process id, which goes on should this one be killed */
const install = async (started) => {
  say("installing its packages, once (npm ci)…");
  const npm = spawn("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    // What npm says belongs beside what this says: standard output is the command's own.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (npm.pid !== undefined) started(npm.pid);
  const [status, signal] = await once(npm, "exit").catch((error) => {
    refuse(`could not run npm (${error.message}): it comes with Node`);
  });
  if (status !== 0) refuse(`npm ci failed (exit ${status ?? signal}): what it says above is why`);
};

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  refuse(`expected Node ${OLDEST_NODE.join(".")} or later, got ${process.versions.node}: see https://nodejs.org`);
}

const forRunning = process.argv.includes("--for-running");
if (!isInstalled(forRunning)) {
  const { lock } = await import("./lock.mjs");
  // Not in node_modules, which npm ci empties before it does anything else.
  const held = await lock(join(root, ".sluice/setup-lock"), PATIENCE_MS, (pid) => {
    say(`waiting for another installation here (process ${pid})…`);
  });
  if (held.kind === "held") refuse(`process ${held.by} has been installing here for 15 minutes: end it and try again`);
  try {
    if (!isInstalled(forRunning)) await install(held.share);
  } finally {
    held.release();
  }
}
