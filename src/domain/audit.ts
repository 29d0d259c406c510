/** Who changed what: a line of it for every change that is made. Lines are added and never changed. */
import type { IdSeed } from "./id.ts";
import { idOf } from "./id.ts";

export type Actor =
  | { readonly kind: "operator" }
  /** An account's key, by itself or by one of its tokens. */
  | { readonly kind: "account"; readonly key: string }
  /** The seed file, at start. */
  | { readonly kind: "system" };

/** Who asks for a change, and with which request. */
export interface Who {
  readonly by: Actor;
  readonly requestId: string | null;
}

export const SYSTEM: Who = { by: { kind: "system" }, requestId: null };

export const CHANGES = [
  "account.made",
  "account.name",
  "account.on_uncertain",
  "account.removed",
  "api_ceiling",
  "api_limit",
  "key.made",
  "key.patched",
  "key.revoked",
  "key.rotated",
  "pause",
  "plan",
  "plan.made",
  "plan.patched",
  "plan.removed",
  "quotas",
  "sender",
  "weight",
  "zone",
] as const;
export type Change = (typeof CHANGES)[number];

/** A change as it is handed to the script that makes it: what was in force, and what is from now on. No secrets. */
export interface Changed {
  readonly account: string | null;
  readonly what: Change;
  readonly from: unknown;
  readonly to: unknown;
}

/** The same with an id, made before anything is written: repeating the script adds no second line. */
export interface AuditNote extends Changed {
  readonly id: string;
  readonly who: Who;
}

export const notesOf = (changes: readonly Changed[], who: Who, seed: IdSeed): readonly AuditNote[] =>
  changes.map((change, number) => ({ ...change, id: idOf("evt", seed, number), who }));
