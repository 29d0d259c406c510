/** `npm run mutants [-- --about window]`: breaks one thing at a time. Ends with 1 if a suite does not notice. */
import { execFile } from "node:child_process";
import { performance } from "node:perf_hooks";
import { optionsOf } from "../../src/start/command-line.ts";
import { failToStart } from "../../src/start/fail.ts";
import { startRefused } from "../../src/start/refusal.ts";
import { copyOfTheTree } from "./copy.ts";
import { MUTANTS, SUITES } from "./mutants.ts";

const values = optionsOf({ about: { type: "string" } }, "npm run mutants [-- --about SUITE]");
const chosen = MUTANTS.filter(({ about }) => values.about === undefined || about === values.about);
if (chosen.length === 0)
  failToStart(startRefused(`--about: expected one of ${Object.keys(SUITES).join(", ")}, got ${values.about}`));
const tree = copyOfTheTree();

/** A suite that hangs over a mutant has noticed it. */
const PATIENCE_MS = 120_000;

/** Whether the suite passes; a test that fails ends it. */
const passes = (suite: string): Promise<boolean> =>
  new Promise((done) => {
    const args = ["--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--bail", suite];
    execFile(process.execPath, args, { cwd: tree.path, timeout: PATIENCE_MS }, (error) => done(error === null));
  });

const say = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  const survivors: string[] = [];
  // Nothing is learnt from a suite that fails by itself.
  for (const suite of new Set(chosen.map(({ about }) => SUITES[about])))
    if (!(await passes(suite))) throw new Error(`${suite} fails without any mutant`);
  for (const mutant of chosen) {
    const startedAt = performance.now();
    const undo = tree.apply(mutant);
    const survived = await passes(SUITES[mutant.about]);
    undo();
    if (survived) survivors.push(mutant.breaks);
    const took = ((performance.now() - startedAt) / 1_000).toFixed(1);
    say(
      `${survived ? "SURVIVED" : "caught"} | ${mutant.about} | ${mutant.breaks} | ${SUITES[mutant.about]} | ${took} s`,
    );
  }
  say(`${chosen.length - survivors.length} of ${chosen.length} caught`);
  process.exitCode = survivors.length === 0 && chosen.length > 0 ? 0 : 1;
} finally {
  tree.remove();
}
