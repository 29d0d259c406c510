/** What stops the start: one line for each value that is wrong. */

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** `got` is written as it stands: quote a value with `shown`, and never put a secret there. */
export const expectedGot = (where: string, expected: string, got: string): string =>
  `${where}: expected ${expected}, got ${got}`;

/** A value as it may be echoed on a terminal: quoted, at most 80 characters. */
export const shown = (text: string): string => {
  const quoted = JSON.stringify(text);
  return quoted.length > 80 ? `${quoted.slice(0, 79)}…` : quoted;
};
