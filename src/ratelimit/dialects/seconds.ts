/** Decisions are in milliseconds, headers in whole seconds: rounded so that whoever obeys them is never too early. */
import type { Millis } from "../../domain/time.ts";
import { type Decision, type Standing, tightest } from "../decision.ts";

const MS = 1_000;

export const inSeconds = (length: Millis): number => Math.ceil(length / MS);

/**
 * For Retry-After. At least 1, since "0" invites to ask at once; never before the end of a window that refuses, as the
 * IETF draft has it. Windows with room do not count: nobody waits for a day because a minute is spent.
 */
export const retryAfterSeconds = ({ retryIn, violated }: Decision): number =>
  Math.max(1, inSeconds(retryIn), ...violated.map(({ resetIn }) => inSeconds(resetIn)));

export const resetAtSeconds = ({ at }: Decision, { resetIn }: Standing): number => Math.ceil((at + resetIn) / MS);

/** What headers with room for one window name: of a refusal, one that refuses. */
export const named = ({ standings, violated }: Decision): Standing | null =>
  tightest(violated.length > 0 ? violated : standings);
