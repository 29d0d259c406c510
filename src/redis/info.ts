/** What INFO says, line by line. */
export type Info = ReadonlyMap<string, string>;

export const parseInfo = (text: string): Info =>
  new Map(
    text
      .split(/\r?\n/)
      .filter((line) => line.includes(":"))
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
