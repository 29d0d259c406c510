/** The plans of plans.yaml. */
import { fileURLToPath } from "node:url";
import type { Plan, Plans } from "../src/accounts/plan.ts";
import { unmet, type Problems } from "../src/domain/expecting.ts";
import { PLAN_NAME, PLAN_NAME_EXPECTED, readPlan } from "../src/domain/plan-rules.ts";
import { ConfigError } from "./problem.ts";
import { inFile, readYaml } from "./yaml.ts";

export const PLANS_FILE = fileURLToPath(new URL("plans.yaml", import.meta.url));

/** @throws ConfigError */
export const loadPlans = (file = PLANS_FILE, name = file): Plans => {
  const read = readYaml(file, name);
  if ("problems" in read) throw new ConfigError(read.problems);
  // An empty file is no plans; an empty document is null.
  const document = read.data ?? {};
  const problems: Problems = [];
  const plans = new Map<string, Plan>();
  if (typeof document !== "object" || Array.isArray(document)) unmet(problems, "the file", "plans by name", document);
  else
    for (const [plan, value] of Object.entries(document)) {
      if (!PLAN_NAME.test(plan)) unmet(problems, "a plan's name", PLAN_NAME_EXPECTED, plan);
      plans.set(plan, readPlan(value, plan, problems));
    }
  if (problems.length > 0) throw new ConfigError(inFile(name, problems));
  return plans;
};
