/** What a call fails with, whoever's fault it is. */
import type { Millis } from "../domain/time.ts";
import type { FieldError } from "./messages.ts";

/** A response, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it was JSON, else the text. */
  readonly body: unknown;
}

export interface FailureFacts {
  readonly code: string;
  readonly attempts: number;
  /** The last one that came, perhaps before the last attempt. */
  readonly answer: Answer | null;
  readonly errors?: readonly FieldError[];
  readonly requestId?: string | null;
  readonly retryIn?: Millis | undefined;
  readonly cause?: unknown;
}

export class SluiceFailure extends Error {
  override readonly name = "SluiceFailure";
  /**
   * As docs/api.md lists them (`invalid_request`, `too_many_requests`, …), or `no_answer`, `unreadable_answer` and
   * `out_of_patience` (it waited for its turn for as long as it may, and was never sent).
   */
  readonly code: string;
  /** Null when no answer came. */
  readonly status: number | null;
  /** Which fields are wrong, and how. */
  readonly errors: readonly FieldError[];
  /** Under which the server's log has it. */
  readonly requestId: string | null;
  /** Requests made. */
  readonly attempts: number;
  /** The last response. */
  readonly answer: Answer | null;
  /** Ms that the last response asked to wait. */
  readonly retryIn: Millis | null;
  constructor(message: string, facts: FailureFacts) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.answer?.status ?? null;
    this.errors = facts.errors ?? [];
    this.requestId = facts.requestId ?? null;
    this.attempts = facts.attempts;
    this.answer = facts.answer;
    this.retryIn = facts.retryIn ?? null;
  }
}
