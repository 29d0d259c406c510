/** Why Sluice does not start, as one sentence for the person who typed the command. No stack belongs under it. */
export interface StartRefused extends Error {
  readonly name: "StartRefused";
}

export const startRefused = (sentence: string): StartRefused =>
  Object.assign(new Error(sentence), { name: "StartRefused" as const });

export const isStartRefused = (error: unknown): error is StartRefused =>
  error instanceof Error && error.name === "StartRefused";
