/**
 * `npm run bench [-- [--quick] [--only NAME]… [--profile] [--list]]`: what Sluice costs beside what people would use instead.
 * Ends with 1 when something was measured that does not work: a message lost, sent twice, or sent over its quota.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/domain/time.ts";
import { optionsOf } from "../src/start/command-line.ts";
import { failToStart } from "../src/start/fail.ts";
import { startRefused } from "../src/start/refusal.ts";
import { HEADING, lineOf, markdownOf, median, verdictOf } from "./report.ts";
import { machine } from "./machine.ts";
import type { Form, Group, Row } from "./row.ts";
import { profile } from "./profile/profile.ts";
import { backlog } from "./rows/backlog.ts";
import { bytes } from "./rows/bytes.ts";
import { http } from "./rows/http.ts";
import { limiter } from "./rows/limiter.ts";
import { mail } from "./rows/mail.ts";
import { memory } from "./rows/memory.ts";
import { pipeline } from "./rows/pipeline.ts";
import { start } from "./rows/start.ts";
import { storm } from "./rows/storm.ts";

const GROUPS: readonly Group[] = [pipeline, backlog, storm, bytes, http, limiter, mail, memory, start];

const options = optionsOf(
  {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    profile: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
  "npm run bench [-- [--quick] [--only NAME]… [--profile] [--list]]",
);
const form: Form = options.quick ? "quick" : "long";
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const say = (line: string): void => void process.stderr.write(`  ${line}\n`);
const isWanted = (name: string): boolean =>
  options.only.length === 0 || options.only.some((prefix) => name.startsWith(prefix));

// What has been started is ended, and what was written to /tmp removed, by those who listen to "exit".
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const rows: Row[] = [];
const tell = (row: Row): void => {
  rows.push(row);
  print(lineOf(row));
  say(row.kind === "measured" ? row.note : row.why);
};

const runGroups = async (): Promise<void> => {
  const startedAt = systemClock.now();
  print(HEADING);
  const wanted = GROUPS.filter((group) => group.names(form).some(isWanted));
  for (const group of wanted) {
    const began = systemClock.monotonic();
    try {
      await group.run({ form, isWanted, say, tell });
      say(`took ${Math.round((systemClock.monotonic() - began) / 1_000)} s`);
    } catch (error) {
      // What does not work has no figures; the other rows have.
      process.exitCode = 1;
      const why = error instanceof Error ? error.message : String(error);
      tell({ kind: "failed", name: group.names(form).find(isWanted) ?? "?", why });
    }
  }
  const on = await machine();
  print(
    Object.entries(on)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
  );
  const results = fileURLToPath(new URL("results/", import.meta.url));
  mkdirSync(results, { recursive: true });
  const at = new Date(startedAt).toISOString();
  const file = join(results, `${form}-${at.replace(/[:.]/g, "-")}.json`);
  const told = rows.map((row) =>
    row.kind === "measured" ? { ...row, median: median(row.values), verdict: verdictOf(row) } : row,
  );
  const tookSeconds = Math.round((systemClock.now() - startedAt) / 1_000);
  writeFileSync(file, `${JSON.stringify({ at, form, tookSeconds, machine: on, rows: told }, null, 2)}\n`);
  writeFileSync(file.replace(/json$/, "md"), `${markdownOf(rows)}\n`);
  print(`${tookSeconds} s; ${file}`);
};

const known = GROUPS.flatMap((group) => group.names(form));
for (const prefix of options.only)
  if (!known.some((name) => name.startsWith(prefix)))
    failToStart(
      startRefused(`--only: expected the beginning of a row's name (npm run bench -- --list), got ${prefix}`),
    );

if (options.list) for (const name of known) print(name);
else if (options.profile) await profile(form, isWanted, print);
else await runGroups();
