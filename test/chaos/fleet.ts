/** The product's processes: started, killed, and started again whatever they died of. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Program = "api" | "worker";

export interface Death {
  readonly program: Program | "redis";
  readonly realAt: number;
  /** `kill`: by the run; else the point at which it killed itself. */
  readonly cause: string;
}

export interface Slot {
  readonly program: Program;
  /** Null while it is starting or dead. An API's address; "ready" of a worker. */
  ready(): string | null;
  /** kill -9. False: there was nothing alive. */
  kill(): boolean;
  /** Resolves once it is ready again after its next death, or as it is now if it lives. */
  alive(): Promise<void>;
  /** Ends it for good: resolves with its exit code, or the signal. */
  stop(signal: NodeJS.Signals): Promise<number | string>;
}

export interface FleetParts {
  readonly buildUrl: string;
  readonly redisUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the processes' logs go. */
  readonly logFile: string;
  readonly realNow: () => number;
}

/** A process that cannot start is not started for ever. */
const MOST_SURPRISES = 5;

const PROGRAM = fileURLToPath(new URL("program.mjs", import.meta.url));
const SKEW = new URL("../support/skewed-clock.mjs", import.meta.url).href;

export const fleetOf = ({ buildUrl, redisUrl, env, logFile, realNow }: FleetParts) => {
  const output = openSync(logFile, "a");
  const deaths: Death[] = [];
  /** Ends that nobody asked for: a process of ours must never end by itself. */
  const surprises: string[] = [];

  const spawn = (program: Program, more: Readonly<Record<string, string>>): ChildProcess =>
    fork(PROGRAM, [], {
      execArgv: ["--import", SKEW],
      stdio: ["ignore", output, output, "ipc"],
      env: {
        PATH: process.env["PATH"],
        CHAOS_BUILD: buildUrl,
        CHAOS_PROGRAM: program,
        CHAOS_REDIS: redisUrl,
        SLUICE_CELL: "own",
        SLUICE_TEST_CLOCK: "1",
        LOG_LEVEL: "warn",
        // Load is what the run is about.
        SLUICE_API_POLICY: "none",
        PORT: "0",
        ...env,
        ...more,
      },
    });

  /** @param next what its next life is like: a fault point, a wrong clock */
  const slot = (program: Program, next: () => Readonly<Record<string, string>>): Slot => {
    let ready: string | null = null;
    let killed = false;
    let stopping = false;
    let child: ChildProcess;
    let up: Promise<void>;
    let gone: Promise<number | string>;
    const start = (): void => {
      const life = next();
      killed = false;
      const mine = spawn(program, life);
      child = mine;
      up = once(mine, "message").then(([said]) => {
        if (child === mine) ready = String(said);
      });
      gone = once(mine, "exit").then(([code, signal]) => {
        ready = null;
        if (stopping) return (code ?? signal) as number | string;
        const fault = life["SLUICE_FAULTPOINT"];
        if (signal === "SIGKILL" && (killed || fault !== undefined))
          deaths.push({ program, realAt: realNow(), cause: killed ? "kill" : (fault ?? "") });
        else surprises.push(`a process (${program}) ended by itself with ${String(code ?? signal)}`);
        if (surprises.length > MOST_SURPRISES) return signal as string;
        start();
        return signal as string;
      });
    };
    start();
    return {
      program,
      ready: () => ready,
      kill: () => {
        // One that is still starting has nothing in its hands: its death would count for nothing.
        if (ready === null || killed) return false;
        killed = true;
        return child.kill("SIGKILL");
      },
      alive: async () => {
        while (ready === null) {
          if (surprises.length > MOST_SURPRISES) throw new Error(surprises.at(-1));
          await Promise.race([up, gone]);
        }
      },
      stop: async (signal) => {
        stopping = true;
        if (child.exitCode !== null || child.signalCode !== null) return "gone";
        child.kill(signal);
        return gone;
      },
    };
  };
  return {
    slot,
    deaths: deaths as readonly Death[],
    surprises: surprises as readonly string[],
    /** Redis is nobody's slot: it is started again by what started it. */
    redisDied: (): void => void deaths.push({ program: "redis", realAt: realNow(), cause: "kill" }),
  };
};
