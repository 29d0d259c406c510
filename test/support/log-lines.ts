/** What a logger writes, kept line by line. */
import { createLogger } from "../../src/observe/log.ts";

export interface LogLine {
  readonly level: string;
  readonly event?: string;
  readonly [field: string]: unknown;
}

/** The product's own logger, redaction and all, into memory. */
export const keptLog = (level: "trace" | "debug" | "info" | "warn" = "debug") => {
  const raw: string[] = [];
  const log = createLogger({ level, destination: { write: (line: string) => void raw.push(line) } });
  return {
    log,
    raw,
    lines: () => raw.map((line) => JSON.parse(line) as LogLine),
  };
};
