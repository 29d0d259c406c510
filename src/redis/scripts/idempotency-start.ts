import type { IdSeed } from "../../domain/id.ts";
import { instant, type Instant, type Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export type Start =
  | { readonly kind: "fresh"; readonly seed: IdSeed; readonly at: Instant }
  | { readonly kind: "replay"; readonly status: number; readonly body: string }
  | { readonly kind: "running" }
  | { readonly kind: "mismatch" };

export const startIdempotent = async (
  scripts: ScriptRunner,
  name: string,
  given: { fingerprint: string; run: string; seed: IdSeed; runFor: Millis; keepForSeconds: number },
): Promise<Start> => {
  const { fingerprint, run, seed, runFor, keepForSeconds } = given;
  const [kind, first, second] = list(await scripts.run(script, [name, fingerprint, run, seed, runFor, keepForSeconds]));
  if (kind === "fresh") return { kind, seed: text(first) as IdSeed, at: instant(number(second)) };
  if (kind === "replay") return { kind, status: number(first), body: text(second) };
  return { kind: kind === "running" ? "running" : "mismatch" };
};
