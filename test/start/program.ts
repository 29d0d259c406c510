/** A few lines run as a Node process of their own, because what is tested is what outlives or ends one. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Program {
  readonly process: ChildProcess;
  /** What it has written so far, to either output. */
  output(): string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** @param code an ES module; `@/` at the head of an import stands for the project's root. */
export const runProgram = (code: string, env: NodeJS.ProcessEnv = process.env): Program => {
  const source = code.replaceAll('from "@/', `from "${root}`);
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", source], {
    cwd: root,
    env,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  const ended = once(child, "close").then(([status, signal]) => (status ?? signal) as number | NodeJS.Signals);
  return { process: child, output: () => output, ended };
};
