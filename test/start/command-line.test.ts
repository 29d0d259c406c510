/** What is typed behind a program's name and is none of its options is told so: nothing is begun. */
import { afterEach, expect, it } from "@jest/globals";
import { endAll, run } from "../support/program-run.ts";

afterEach(endAll);

const said = async (line: string) => {
  const [entry = "", ...given] = line.split(" ");
  const program = run(entry, {}, given);
  return { code: await program.ended, lines: program.output().trim().split("\n") };
};

const SETTINGS = "settings are environment variables, as in PORT=8080 (docs/operations.md)";
const BENCH = "Usage: npm run bench [-- [--quick] [--only NAME]… [--profile] [--list]]";
const CHAOS = "Usage: npm run chaos [-- [--minutes N] [--seed S] [--fsync always|everysec]]";

it.each([
  ["src/all.ts --port 80", `expected no arguments, got --port: ${SETTINGS}`],
  ["src/main.ts --port=80", `expected no arguments, got --port=80: ${SETTINGS}`],
  ["workers/main.ts 3", `expected no arguments, got 3: ${SETTINGS}`],
  ["bench/main.ts --quik", `Unknown option '--quik'. ${BENCH}`],
  ["bench/main.ts pipeline", `Unexpected argument 'pipeline'. ${BENCH}`],
  [
    "bench/main.ts --only pipeline --only nothing",
    "--only: expected the beginning of a row's name (npm run bench -- --list), got nothing",
  ],
  ["test/chaos/main.ts --mins 3", `Unknown option '--mins'. ${CHAOS}`],
  ["test/chaos/main.ts --minutes x", "--minutes: expected a number from 0.1 to 1440, got x"],
  ["test/chaos/main.ts --minutes=-1", "--minutes: expected a number from 0.1 to 1440, got -1"],
  ["test/chaos/main.ts --seed=", "--seed: expected a number from 0 to 2147483647, got "],
  ["test/chaos/main.ts --fsync never", "--fsync: expected always or everysec, got never"],
  ["test/mutation/main.ts 5", "Unexpected argument '5'. Usage: npm run mutants [-- --about SUITE]"],
])("%s", async (line, sentence) => {
  expect(await said(line)).toEqual({ code: 1, lines: [`sluice: ${sentence}`.trim()] });
});
