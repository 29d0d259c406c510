/** A ledger on disk: `append` resolves when its line is beyond the reach of kill -9 and of a power cut. */
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";

export interface Ledger<Entry> {
  /** All that was handed in, synced or about to be. */
  readonly entries: readonly Entry[];
  append(...entries: readonly Entry[]): Promise<void>;
  close(): Promise<void>;
}

export const ledgerAt = async <Entry>(file: string): Promise<Ledger<Entry>> => {
  const handle = await open(file, "a");
  const entries: Entry[] = [];
  let waiting: string[] = [];
  let syncing: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const sync = async (): Promise<void> => {
    const lines = waiting.join("");
    waiting = [];
    await handle.write(lines);
    await handle.datasync();
  };
  // Those that come while a sync is under way share the next one.
  const append = (...more: readonly Entry[]): Promise<void> => {
    entries.push(...more);
    waiting.push(...more.map((entry) => `${JSON.stringify(entry)}\n`));
    next ??= (async () => {
      await syncing;
      syncing = next;
      next = null;
      await sync();
    })();
    return next;
  };
  return {
    entries,
    append,
    close: async () => {
      await (next ?? syncing);
      await handle.close();
    },
  };
};

/** What the disk says, which is what is judged. */
export const readLedger = <Entry>(file: string): Entry[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Entry);
