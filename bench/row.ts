/** What a row of the table is: a name with the size it ran at, what was measured, and what it is held against. */

/** `atLeast` for ratios and rates, `atMost` for times, bytes and commands. */
export type Bound = { readonly atLeast: number } | { readonly atMost: number };

export interface Measured {
  readonly kind: "measured";
  readonly name: string;
  /** One value a round; the verdict is on their median. */
  readonly values: readonly number[];
  /** `×` for ratios, else `ms`, `B`, `/s`, `µs`. */
  readonly unit: string;
  /** Absent in rows that are there to be compared with (a peer's own figure): they carry no verdict. */
  readonly must?: Bound;
  readonly aim?: Bound;
  /** How it was measured, and the absolute numbers behind a ratio. */
  readonly note: string;
}

export interface Skipped {
  readonly kind: "skipped";
  readonly name: string;
  readonly why: string;
}

/** A measurement of something that did not work is none. */
export interface Failed {
  readonly kind: "failed";
  readonly name: string;
  readonly why: string;
}

export type Row = Measured | Skipped | Failed;

/** Of a group of rows: `long` is what the project is judged by, `quick` what a person waits for. */
export type Form = "quick" | "long";

export interface Bench {
  readonly form: Form;
  /** What a row was called for (`--only`): a prefix of its name. */
  readonly isWanted: (name: string) => boolean;
  /** Progress, on standard error. */
  readonly say: (line: string) => void;
  /** A row is told as soon as it is known. */
  readonly tell: (row: Row) => void;
}

export interface Group {
  /** The rows of the group in this form, as they will be told. */
  readonly names: (form: Form) => readonly string[];
  readonly run: (bench: Bench) => Promise<void>;
}

/** 20000 → `20k`, 1000000 → `1m`: rows carry the size they ran at. */
export const sized = (count: number): string =>
  count >= 1_000_000 && count % 100_000 === 0
    ? `${count / 1_000_000}m`
    : count >= 1_000 && count % 100 === 0
      ? `${count / 1_000}k`
      : String(count);
