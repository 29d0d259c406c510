/** The plans of plans.yaml. */
import { fileURLToPath } from "node:url";
import type { Plan, Plans } from "../src/accounts/plan.ts";
import { LARGEST_WEIGHT } from "../src/domain/account-rules.ts";
import { readApiLimit } from "../src/domain/api-limit-rules.ts";
import { fieldIn, readFields, readWhole, unmet, type Problems } from "../src/domain/expecting.ts";
import { readQuotas } from "../src/domain/quota-rules.ts";
import { ConfigError } from "./problem.ts";
import { inFile, readYaml } from "./yaml.ts";

export const PLANS_FILE = fileURLToPath(new URL("plans.yaml", import.meta.url));

/** It is written to each account and read by people. */
const PLAN_NAME = /^[a-z][a-z0-9_-]{0,39}$/;

const readPlan = (value: unknown, field: string, problems: Problems): Plan => {
  const given = readFields(value, field, ["quotas", "weight", "api_limit"], problems) ?? {};
  const within = (name: string): string => fieldIn(field, name);
  return {
    quotas: given.quotas === undefined ? {} : readQuotas(given.quotas, within("quotas"), problems),
    weight:
      given.weight === undefined ? 1 : (readWhole(given.weight, within("weight"), [1, LARGEST_WEIGHT], problems) ?? 1),
    apiLimit: given.api_limit === undefined ? null : readApiLimit(given.api_limit, within("api_limit"), problems),
  };
};

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
      if (!PLAN_NAME.test(plan))
        unmet(problems, "the file", "names of plans in lower-case letters, digits, - and _", plan);
      plans.set(plan, readPlan(value, plan, problems));
    }
  if (problems.length > 0) throw new ConfigError(inFile(name, problems));
  return plans;
};
