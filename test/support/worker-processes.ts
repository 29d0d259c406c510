/** Starts worker processes beside a test, and sees to it that none outlives it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";
import type { World } from "./world.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** What it wrote: its log, where TEST_LOG names a level. */
  output(): string;
  /** Resolves with the exit code (null: killed by a signal). */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export const startWorkerProcess = async (
  world: World,
  { skewMs = 0, env = {} }: { skewMs?: number; env?: Record<string, string> } = {},
): Promise<WorkerProcess> => {
  const { address } = world.server;
  const { twilio, smtpUrl, cell } = world.config;
  const child = spawn(
    process.execPath,
    ["--import", here("skewed-clock.mjs"), "--import", "tsx", here("worker-process.ts")],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        PATH: process.env["PATH"],
        TEST_CLOCK_SKEW_MS: String(skewMs),
        TEST_ADDRESS: "socket" in address ? address.socket : address.url,
        TEST_BASE_URL: world.config.twilioApiBaseUrl ?? "",
        SLUICE_CELL: cell,
        SLUICE_TEST_CLOCK: "1",
        SLUICE_RATES: "email=off,sms=off,voice=off,whatsapp=off",
        SMTP_URL: smtpUrl ?? "",
        TWILIO_ACCOUNT_SID: twilio?.accountSid,
        TWILIO_AUTH_TOKEN: twilio?.authToken,
        // Where Twilio is to report: the only place in which a text carries our id, for the ledger.
        PUBLIC_URL: "https://sluice.example.com",
        ...env,
      },
    },
  );
  const ended = once(child, "exit");
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (said += piece));
  await Promise.race([
    until(() => said.includes("ready\n"), { what: "the worker process to be ready", within: 30_000 }),
    ended.then(([code]) => Promise.reject(new Error(`the worker process ended with ${String(code)}`))),
  ]);
  return {
    child,
    output: () => said,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
};
