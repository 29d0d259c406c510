/**
 * Whether an error means that Redis is away, full or not itself, as opposed to a mistake of ours. Told by what the
 * errors say, because this room knows no Redis client.
 */
const NAMES = new Set(["MaxRetriesPerRequestError", "ClusterAllFailedError", "AbortError"]);
const SYSTEM_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);
/** Error replies that a server gives while it cannot serve anybody, whatever the command was. */
const REPLIES =
  /\b(?:OOM|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|MISCONF|NOREPLICAS|TRYAGAIN|BUSY|NOAUTH|WRONGPASS|NOTDURABLE) /;
const MESSAGES = [
  "Connection is closed",
  "Command timed out",
  "Stream isn't writeable",
  "Socket closed unexpectedly",
  "Redis connection lost",
  "connect ETIMEDOUT",
];

const replied = (message: string): string => {
  if (message.includes("OOM ")) return "it is full";
  return message.includes("NOTDURABLE ") ? "it keeps less than was promised" : "it is not ready to serve";
};

/** A few words for the answer, or null: not Redis's trouble. */
export const redisTrouble = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null;
  const { message, name } = error;
  if (REPLIES.test(`${message} `)) return replied(message);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && SYSTEM_CODES.has(code) && syscall !== undefined && syscall !== "open")
    return "no connection";
  if (NAMES.has(name)) return "no connection";
  return MESSAGES.some((known) => message.startsWith(known)) ? "no connection" : null;
};
