import { instant, type Instant, type Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface Refresh {
  readonly family: string;
  readonly digest: string;
  readonly successor: string;
  readonly grace: Millis;
  readonly length: Millis;
}

export type Refreshed =
  | {
      readonly kind: "granted";
      readonly key: string;
      readonly scopes: string;
      readonly now: Instant;
      readonly expiresAt: Instant;
    }
  | { readonly kind: "spent" | "reused" | "unknown" };

export const refreshFamily = async (scripts: ScriptRunner, refresh: Refresh): Promise<Refreshed> => {
  const { family, digest, successor, grace, length } = refresh;
  const [kind, key, scopes, now, expiresAt] = list(
    await scripts.run(script, [family, digest, successor, grace, length]),
  );
  if (kind !== "granted") return { kind: text(kind) as "spent" | "reused" | "unknown" };
  return {
    kind,
    key: text(key),
    scopes: text(scopes),
    now: instant(number(now)),
    expiresAt: instant(number(expiresAt)),
  };
};
