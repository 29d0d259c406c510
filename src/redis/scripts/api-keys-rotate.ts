import type { AuditNote } from "../../domain/audit.ts";
import { instant, type Instant, type Millis } from "../../domain/time.ts";
import { auditArguments } from "../audit-arguments.ts";
import { number, type Fields } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface Rotation {
  readonly account: string;
  readonly old: string;
  /** The old one's revision that was seen. */
  readonly seen: number;
  readonly id: string;
  readonly fields: Fields;
  readonly overlap: Millis;
}

export type Rotated =
  { readonly kind: "done"; readonly oldExpiresAt: Instant } | { readonly kind: "unknown" | "changed" };

export const rotateApiKey = async (
  scripts: ScriptRunner,
  { account, old, seen, id, fields, overlap }: Rotation,
  notes: readonly AuditNote[] = [],
): Promise<Rotated> => {
  const pairs = Object.entries(fields).flat();
  const at = number(await scripts.run(script, [account, old, seen, id, overlap, ...auditArguments(notes), ...pairs]));
  if (at > 0) return { kind: "done", oldExpiresAt: instant(at) };
  return { kind: at === 0 ? "unknown" : "changed" };
};
