/** What the methods are made of. */
import type { Question } from "./asking.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The body of a good answer; null of one that has none. */
export type Get = <Body>(question: Question, options: CallOptions | undefined) => Promise<Body>;
