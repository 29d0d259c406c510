/** Where requests and replies of Redis's protocol end: as much of it as a proxy must know to cut between two. */

const CRLF = "\r\n";

/** The end of the value that begins at `from`, or null when it is not all there. */
const endOfValue = (bytes: Buffer, from: number): number | null => {
  const line = bytes.indexOf(CRLF, from);
  if (line < 0) return null;
  const count = Number(bytes.toString("latin1", from + 1, line));
  switch (String.fromCharCode(bytes[from] ?? 0)) {
    case "$":
    case "=":
    case "!": {
      const end = count < 0 ? line + 2 : line + 2 + count + 2;
      return end <= bytes.length ? end : null;
    }
    case "*":
    case "~":
    case ">":
      return endOfValues(bytes, line + 2, count);
    case "%":
    case "|":
      return endOfValues(bytes, line + 2, 2 * count);
    default:
      return line + 2;
  }
};

const endOfValues = (bytes: Buffer, from: number, count: number): number | null => {
  let end: number | null = from;
  for (let n = 0; n < count && end !== null; n++) end = endOfValue(bytes, end);
  return end;
};

/** Takes pieces as they come off a socket, and gives whole values as they become complete. */
export const wholeValues = (): ((piece: Buffer) => Buffer[]) => {
  let held = Buffer.alloc(0);
  return (piece) => {
    held = Buffer.concat([held, piece]);
    const whole: Buffer[] = [];
    for (let end = endOfValue(held, 0); held.length > 0 && end !== null; end = endOfValue(held, 0)) {
      whole.push(held.subarray(0, end));
      held = held.subarray(end);
    }
    return whole;
  };
};

/** The words of a request: an array of bulk strings. */
export const wordsOf = (request: Buffer): string[] => {
  const words: string[] = [];
  let at = request.indexOf(CRLF) + 2;
  while (at < request.length) {
    const line = request.indexOf(CRLF, at);
    const count = Number(request.toString("latin1", at + 1, line));
    words.push(request.toString("utf8", line + 2, line + 2 + count));
    at = line + 2 + count + 2;
  }
  return words;
};
