/**
 * `npm run config:check [accounts.yaml]`: checks the environment, the plans, the policies and the seed file, and
 * starts nothing.
 * Exits with 1 when anything is wrong.
 */
import { pathToFileURL } from "node:url";
import { processEnvironment, readEnv, type Environment } from "./env.ts";
import { loadPlans, PLANS_FILE } from "./plans.ts";
import { loadPolicy, policyFile, POLICIES, policyNamed, policyNames } from "./policies.ts";
import { ConfigError } from "./problem.ts";
import { loadSeeds } from "./seed.ts";

export interface CheckResult {
  readonly good: readonly string[];
  readonly wrong: readonly string[];
}

/** @param seedFile goes before SLUICE_ACCOUNTS_FILE */
export const checkConfig = (
  env: Environment,
  seedFile: string | null,
  plansFile = PLANS_FILE,
  policies = POLICIES,
): CheckResult => {
  const good: string[] = [];
  const wrong: string[] = [];
  const check = <T>(what: (result: T) => string, load: () => T): T | null => {
    try {
      const result = load();
      good.push(`ok  ${what(result)}`);
      return result;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      wrong.push(...error.problems);
      return null;
    }
  };

  const config = check(
    () => "environment",
    () => readEnv(env),
  );
  const plansName = plansFile === PLANS_FILE ? "config/plans.yaml" : plansFile;
  const plans = check(
    (found) => `${plansName}: ${found.size === 0 ? "no plans" : [...found.keys()].join(", ")}`,
    () => loadPlans(plansFile, plansName),
  );
  for (const name of policyNames(policies)) {
    const file = policyFile(name, policies);
    check(
      ({ layers }) => `${file}: ${layers.reduce((count, { rules }) => count + rules.length, 0)} rules`,
      () => loadPolicy(name, policies),
    );
  }
  if (config)
    check(
      (name) => `API limits by the policy ${name}`,
      () => policyNamed(config.apiPolicy),
    );
  const seeds = seedFile ?? config?.accountsFile ?? null;
  // Without the plans, each account's plan would be called unknown: say first what is wrong with them.
  if (seeds !== null && plans !== null)
    check(
      (found) => `${seeds}: ${found.length} accounts`,
      () => loadSeeds(seeds, [...plans.keys()]),
    );
  return { good, wrong };
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { good, wrong } = checkConfig(processEnvironment(), process.argv[2] ?? null);
  for (const line of good) process.stdout.write(`${line}\n`);
  for (const line of wrong) process.stderr.write(`${line}\n`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
