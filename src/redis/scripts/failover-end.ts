import type { Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface FailoverEnd {
  /** `ended`: by this call; `home`: it had ended. */
  readonly kind: "home" | "held" | "ended";
  /** Workers that lived and have not said what they know. */
  readonly silent: number;
  readonly lost: boolean;
}

export const endFailover = async (
  scripts: ScriptRunner,
  worker: string,
  foundLost: boolean,
  patience: Millis,
): Promise<FailoverEnd> => {
  const [kind, silent, lost] = list(await scripts.run(script, [worker, foundLost ? 1 : 0, patience]));
  return { kind: text(kind) as FailoverEnd["kind"], silent: number(silent), lost: lost === 1 };
};
