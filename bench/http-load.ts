/** Requests as fast as they are answered, from a process of their own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const AUTOCANNON = fileURLToPath(import.meta.resolve("autocannon"));

/** Requests under way, one on each. */
export const CONNECTIONS = 50;

export interface HttpLoad {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A POST of this JSON; absent: a GET. */
  readonly body?: object;
  readonly seconds: number;
  /** CONNECTIONS when absent. */
  readonly connections?: number;
}

export interface Answered {
  readonly perSecond: number;
  readonly count: number;
}

/** @throws when anything was answered with other than 2xx */
export const load = async ({
  url,
  headers = {},
  body,
  seconds,
  connections = CONNECTIONS,
}: HttpLoad): Promise<Answered> => {
  const given = body === undefined ? headers : { ...headers, "content-type": "application/json" };
  const args = [
    AUTOCANNON,
    "--json",
    "--no-progress",
    `--connections=${connections}`,
    `--duration=${seconds}`,
    ...Object.entries(given).flatMap(([name, value]) => ["--headers", `${name}=${value}`]),
    ...(body === undefined ? [] : ["--method", "POST", "--body", JSON.stringify(body)]),
    url,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: (seconds + 30) * 1_000 });
  const result = JSON.parse(stdout) as {
    "2xx": number;
    non2xx: number;
    errors: number;
    timeouts: number;
    duration: number;
  };
  const bad = result.non2xx + result.errors + result.timeouts;
  if (bad > 0 || result["2xx"] === 0)
    throw new Error(`of the requests to ${url}, ${bad} were not answered well, and ${result["2xx"]} were`);
  return { perSecond: result["2xx"] / result.duration, count: result["2xx"] };
};
