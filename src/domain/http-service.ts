/** A service that takes messages over HTTP: everything that there is to know to hand it one. */
import type { Json } from "./body-template.ts";

export interface HttpService {
  /** From the operator's own file and from nowhere else: no message and no answer can change where a request goes. */
  readonly url: string;
  /** Secrets filled in. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  /** What was filled into headers and body: no answer may show it to anybody. */
  readonly secrets: readonly string[];
  /** The way through a good answer to its name for the message; null: it gives none. */
  readonly providerId: readonly string[] | null;
  /** 4xx that say "never this message"; null: all but those that mean something else (providers/http-outcome.ts). */
  readonly permanent: readonly number[] | null;
  /** 5xx that say plainly "not taken": they cost a try, and no quota. */
  readonly notTaken: readonly number[];
  /** Shown the same Idempotency-Key twice, it sends once. */
  readonly idempotent: boolean;
  /** The number that a text or call goes out as when it names none. */
  readonly from: string | null;
}
