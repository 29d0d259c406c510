import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface Declared {
  /** `home`: there is none, or it has ended; `declared`: by this call; `held`: somebody has declared it. */
  readonly kind: "home" | "declared" | "held";
  /** How many there have been; names this one. */
  readonly moves: number;
  readonly generation: number;
}

/** @param seen the newest generation that this process has seen */
export const declareFailover = async (scripts: ScriptRunner, seen: number): Promise<Declared> => {
  const [kind, moves, generation] = list(await scripts.run(script, [seen]));
  return { kind: text(kind) as Declared["kind"], moves: number(moves), generation: number(generation) };
};
