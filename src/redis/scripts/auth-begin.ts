import type { Millis } from "../../domain/time.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface NewFamily {
  readonly id: string;
  readonly key: string;
  readonly scopes: string;
  readonly digest: string;
  readonly length: Millis;
  readonly most: number;
}

export const beginFamily = async (scripts: ScriptRunner, family: NewFamily): Promise<void> => {
  const { id, key, scopes, digest, length, most } = family;
  await scripts.run(script, [id, key, scopes, digest, length, most]);
};
