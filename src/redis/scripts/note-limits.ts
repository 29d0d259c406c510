import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface LimitCount {
  readonly owner: string;
  /** Of UTC, since 1970. */
  readonly day: number;
  readonly field: string;
  readonly requests: number;
}

/** Sent again under the same number, a batch adds nothing. */
export interface LimitBatch {
  readonly number: number;
  readonly counts: readonly LimitCount[];
  /** JSON. */
  readonly events: readonly string[];
}

export const noteLimits = async (scripts: ScriptRunner, process: string, batch: LimitBatch): Promise<void> => {
  const counts = batch.counts.flatMap(({ owner, day, field, requests }) => [owner, day, field, requests]);
  await scripts.run(script, [process, batch.number, batch.counts.length, ...counts, ...batch.events]);
};
