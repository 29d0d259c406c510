/** The policies of policies/: limits on HTTP requests as data, one file each. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Problems } from "../src/domain/expecting.ts";
import { DIALECTS } from "../src/ratelimit/dialects/by-name.ts";
import type { Policy } from "../src/ratelimit/policy.ts";
import { readPolicy } from "../src/ratelimit/policy-reading.ts";
import { ConfigError, expectedGot } from "./problem.ts";
import { inFile, readYaml } from "./yaml.ts";

export const POLICIES = fileURLToPath(new URL("policies/", import.meta.url));

export const policyNames = (folder = POLICIES): readonly string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();

/** As errors name it. */
export const policyFile = (name: string, folder = POLICIES): string =>
  folder === POLICIES ? `config/policies/${name}.yaml` : join(folder, `${name}.yaml`);

/**
 * @param name the file's, without `.yaml`
 * @param folder where it lies, if it is none of those that come with Sluice
 * @throws ConfigError with a line for each thing that is wrong
 */
export const loadPolicy = (name: string, folder = POLICIES): Policy => {
  const shownAs = policyFile(name, folder);
  const read = readYaml(join(folder, `${name}.yaml`), shownAs);
  if ("problems" in read) throw new ConfigError(read.problems);
  const problems: Problems = [];
  const policy = readPolicy(
    name,
    read.data,
    DIALECTS.map((dialect) => dialect.name),
    problems,
  );
  if (problems.length > 0) throw new ConfigError(inFile(shownAs, problems));
  return policy;
};

/**
 * What SLUICE_API_POLICY may say.
 * @throws ConfigError
 */
export const policyNamed = (name: string): string => {
  const names = policyNames();
  if (names.includes(name)) return name;
  throw new ConfigError([expectedGot("SLUICE_API_POLICY", `one of config/policies/: ${names.join(", ")}`, name)]);
};
