/** `npm run chaos [-- --minutes N --seed S]`: a long run. Ends with 1 if anything was lost, sent twice or over. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { numberOf, optionsOf } from "../../src/start/command-line.ts";
import { failToStart } from "../../src/start/fail.ts";
import { startRefused } from "../../src/start/refusal.ts";
import { EVERY_POINT } from "./points.ts";
import { chaosRun } from "./run.ts";

const values = optionsOf(
  {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    fsync: { type: "string", default: "always" },
  },
  "npm run chaos [-- [--minutes N] [--seed S] [--fsync always|everysec]]",
);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : numberOf("seed", values.seed, [0, 2 ** 31 - 1]);
const minutes = numberOf("minutes", values.minutes, [0.1, 24 * 60]);
const { fsync } = values;
if (fsync !== "always" && fsync !== "everysec")
  throw failToStart(startRefused(`--fsync: expected always or everysec, got ${fsync}`));
const results = fileURLToPath(new URL("results/", import.meta.url));
const directory = join(results, `seed-${seed}`);
// Ledgers are appended to: those of an earlier run of this seed would be judged with this one's.
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`seed ${seed}, ${minutes} minutes (again: npm run chaos -- --minutes ${minutes} --seed ${seed})`);
const { violations, figures } = await chaosRun({
  seed,
  directory,
  fsync,
  withStalls: true,
  apis: 2,
  workers: 3,
  points: EVERY_POINT,
  wire: 10_000,
  measuresDoubt: true,
  pace: { worker: 1_500, api: 4_000, redis: 20_000 },
  enough: ({ realMs }) => realMs > minutes * 60_000,
  leastFull: 20,
  say,
});
for (const [name, value] of Object.entries(figures)) say(`${name.padEnd(36)} ${value}`);
for (const violation of violations) say(violation);
writeFileSync(
  join(directory, "result.json"),
  JSON.stringify({ seed, minutes, fsync, node: process.version, figures, violations }, null, 2),
);
process.exitCode = violations.length === 0 ? 0 : 1;
