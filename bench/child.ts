/** Processes of the suite's own, spoken to over IPC: they go when this one does, and are ended by their process id. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Child<Asked, Told extends { readonly kind: string }> {
  readonly pid: number;
  ask(what: Asked): void;
  /** The next word of this kind. @throws what the child failed of, or that it is gone, or that it says nothing */
  told<Kind extends Told["kind"]>(kind: Kind, withinMs?: number): Promise<Extract<Told, { kind: Kind }>>;
  end(): Promise<void>;
}

export const startChild = <Asked, Told extends { readonly kind: string }>(
  file: string,
  { args = [], execArgv = [] }: { args?: readonly string[]; execArgv?: readonly string[] } = {},
): Child<Asked, Told> => {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = fork(path, [...args], { execArgv: ["--import", "tsx", ...execArgv] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`could not start ${file}`);
  return {
    pid,
    ask: (what) => void child.send(what as object),
    told: (kind, withinMs = 120_000) =>
      new Promise((resolve, reject) => {
        const end = (act: () => void): void => {
          clearTimeout(overdue);
          child.off("message", onMessage);
          child.off("exit", onExit);
          act();
        };
        const onMessage = (what: Told & { why?: string }): void => {
          if (what.kind === "failed") end(() => reject(new Error(what.why ?? `${file} failed`)));
          else if (what.kind === kind) end(() => resolve(what as never));
        };
        const onExit = (code: number | null): void => end(() => reject(new Error(`${file} ended with ${code}`)));
        const overdue = setTimeout(
          () => end(() => reject(new Error(`${file} said nothing of "${kind}" for ${withinMs / 1_000} s`))),
          withinMs,
        );
        child.on("message", onMessage);
        child.on("exit", onExit);
      }),
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
};
