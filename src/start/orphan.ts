/** A private redis-server whose parent was killed, and whose watching shell was killed too. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import { systemClock } from "../domain/time.ts";
import { startOf } from "./lock.mjs";

const commandOf = (pid: number): string => {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" });
  } catch {
    return "";
  }
};

const pidIn = (pidFile: string): number => {
  try {
    return Number(readFileSync(pidFile, "utf8"));
  } catch {
    return 0;
  }
};

/** SIGTERM, then, should it be frozen, SIGKILL: what was acknowledged is in the append-only file by then. */
export const endProcess = async (pid: number, patienceMs: number): Promise<void> => {
  const start = startOf(pid);
  if (start === undefined) return;
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch {}
  };
  signal("SIGTERM");
  const askedAt = systemClock.monotonic();
  let killed = false;
  while (startOf(pid) === start) {
    if (!killed && systemClock.monotonic() - askedAt > patienceMs) {
      signal("SIGKILL");
      killed = true;
    }
    await wait(10);
  }
};

/**
 * Ends the server that an earlier start left behind. It is ended rather than adopted: a second server on its
 * append-only file would ruin it, and an adopted one would have no shell to end it with its parent. It is ours only if
 * its command line names our socket: the process id may have gone to someone else since.
 */
export const endOrphan = async (pidFile: string, socket: string, log: Logger): Promise<void> => {
  const pid = pidIn(pidFile);
  if (!(pid > 1) || !commandOf(pid).includes(socket)) return;
  log.warn(
    { event: "orphan_ended", pid },
    "a private redis-server was left behind: it is ended, its data is taken over",
  );
  await endProcess(pid, 10_000);
};
