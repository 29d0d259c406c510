/** A start that cannot go on says why in a line each, and ends. */
import { ConfigError } from "../../config/problem.ts";
import { isStartRefused } from "./refusal.ts";

const lines = (error: unknown): readonly string[] => {
  if (error instanceof ConfigError) return error.problems;
  if (isStartRefused(error)) return [error.message];
  if (error instanceof Error && "code" in error && error.code === "EADDRINUSE")
    return ["PORT: expected a free port, got one that another process listens on (set PORT)"];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
};

export const failToStart = (error: unknown): never => {
  for (const line of lines(error)) process.stderr.write(`sluice: ${line}\n`);
  process.exit(1);
};
