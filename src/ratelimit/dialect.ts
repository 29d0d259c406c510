/** How an API tells of its limits: headers and the body of a 429. One file each in dialects/. */
import type { Decision } from "./decision.ts";

export interface Refusal {
  readonly contentType: string;
  /** To be serialised as JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Dialect {
  readonly name: string;
  /** For every answer, 2xx included; a refused decision adds Retry-After. */
  headers(decision: Decision): Readonly<Record<string, string>>;
  /** Only of a decision that refuses. */
  refusal(decision: Decision, requestId: string): Refusal;
}
