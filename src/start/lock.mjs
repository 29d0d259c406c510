/**
 * One process at a time, on one machine: announce yourself, then look who else is there.
 *
 * A lock is a directory with one empty file per contender, named by process id, start of that process and a token.
 * Whoever writes its name and then sees no other living name has the lock; whoever sees one takes its name away again.
 * Because writing comes before looking, two can never both have it; and because a name says which process it stands
 * for, removing that of a dead one can never hit a living one's (with a single lock file, two that find it stale can:
 * the second removes the file that the first has just made). A process id that is in use again has another start.
 *
 * Plain JavaScript, because setup.mjs needs it before anything is installed.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const fromProc = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program stands in parentheses and may hold spaces: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const dead = fields[0] === "Z" || fields[0] === "X";
    return dead ? undefined : fields[19] + readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
  } catch {
    return undefined;
  }
};

const fromPs = (pid) => {
  try {
    const options = {
      encoding: "utf8",
      env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
      stdio: ["ignore", "pipe", "ignore"],
    };
    return (
      execFileSync("ps", ["-p", String(pid), "-o", "lstart="], options).replaceAll(/[^A-Za-z0-9]/g, "") || undefined
    );
  } catch {
    return undefined;
  }
};

/** What tells this process from a later one of the same id; undefined when there is no such process. */
export const startOf = (pid) => (process.platform === "linux" ? fromProc(pid) : fromPs(pid));

const tryLock = (directory) => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const names = [];
  const announce = (pid) => {
    const name = `${pid}.${startOf(pid)}.${randomBytes(4).toString("hex")}`;
    writeFileSync(join(directory, name), "");
    names.push(name);
  };
  const release = () => names.splice(0).forEach((name) => rmSync(join(directory, name), { force: true }));
  announce(process.pid);
  for (const other of readdirSync(directory)) {
    if (names.includes(other)) continue;
    const [pid, start] = other.split(".");
    if (startOf(Number(pid)) === start) {
      release();
      return { kind: "held", by: Number(pid) };
    }
    rmSync(join(directory, other), { force: true });
  }
  return { kind: "locked", release, share: announce };
};

/**
 * What it answers with has `release`, and `share`: a child that does the work may outlive us, and the lock with it.
 *
 * @param directory the lock; made when missing
 * @param patienceMs how long to ask again; two that announce themselves at once both step back, so never 0
 * @param whenHeld called once, with the holder's process id, when it has to wait
 */
export const lock = async (directory, patienceMs, whenHeld = () => {}) => {
  const until = performance.now() + patienceMs;
  for (let tries = 0; ; tries += 1) {
    const answer = tryLock(directory);
    if (answer.kind === "locked" || performance.now() > until) return answer;
    if (tries === 0) whenHeld(answer.by);
    await wait(10 + Math.random() * 60);
  }
};
