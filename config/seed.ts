/** The seed file: accounts that are made at start where they do not exist. See accounts.example.yaml. */
import { parseAccount, type WholeAccount } from "../src/domain/account-rules.ts";
import type { FieldError } from "../src/domain/errors.ts";
import { readFields, unmet, type Problems } from "../src/domain/expecting.ts";
import { ConfigError } from "./problem.ts";
import { inFile, readYaml } from "./yaml.ts";

/** Seeds are written by hand. Whoever has more accounts makes them over the API. */
const MOST_SEEDS = 1_000;

const repeatedNames = (accounts: readonly (WholeAccount | null)[]): readonly FieldError[] => {
  const first = new Map<string, number>();
  return accounts.flatMap((account, index) => {
    if (!account) return [];
    const before = first.get(account.name);
    if (before === undefined) first.set(account.name, index);
    return before === undefined
      ? []
      : [{ field: `accounts[${index}].name`, expected: "a name of its own", got: `that of accounts[${before}]` }];
  });
};

/** @throws ConfigError with a line for each thing that is wrong */
export const loadSeeds = (file: string, plans: readonly string[], name = file): readonly WholeAccount[] => {
  const read = readYaml(file, name);
  if ("problems" in read) throw new ConfigError(read.problems);
  const problems: Problems = [];
  const { accounts: given } = readFields(read.data ?? {}, "", ["accounts"], problems) ?? {};
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  if (!Array.isArray(given)) unmet(problems, "accounts", "a list of accounts", given);
  if (list.length > MOST_SEEDS) unmet(problems, "accounts", `at most ${MOST_SEEDS} accounts`, list.length);
  const accounts = list.map((value, index) => {
    const parsed = parseAccount(value, `accounts[${index}]`, plans);
    if ("account" in parsed) return parsed.account;
    problems.push(...parsed.errors);
    return null;
  });
  problems.push(...repeatedNames(accounts));
  if (problems.length > 0) throw new ConfigError(inFile(name, problems));
  return accounts.filter((account) => account !== null);
};
