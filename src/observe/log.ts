/** One line of JSON per event. Who got what is nobody's business who reads it, at any level. */
import { pino, stdTimeFunctions, type Bindings, type DestinationStream, type Level, type Logger } from "pino";
import { cleanFields, cleanText } from "./scrub.ts";

export interface LogOptions {
  readonly level: Level | "silent";
  /** Standard output when absent. */
  readonly destination?: DestinationStream;
}

/** The path without its query, which may name an address or a reference. */
const pathOf = (url: unknown): string => (typeof url === "string" ? (url.split("?")[0] ?? "") : "");

export const createLogger = ({ level, destination }: LogOptions): Logger => {
  const withStack = level === "debug" || level === "trace";
  const clean = ({ req, res, ...fields }: Record<string, unknown>) => ({
    ...cleanFields(fields, withStack),
    // Fastify's own two: their serializers, below, choose what is told.
    ...(req === undefined ? {} : { req }),
    ...(res === undefined ? {} : { res }),
  });
  const options = {
    level,
    base: { service: "sluice", pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: clean },
    serializers: {
      // formatters.log has made it plain already; pino's own would look for what is no longer there.
      err: (error: unknown) => error,
      req: (request: { method?: unknown; url?: unknown }) => ({ method: request.method, path: pathOf(request.url) }),
      res: (reply: { statusCode?: unknown }) => ({ status: reply.statusCode }),
    },
    hooks: {
      // `log.error(error)` would make the error's whole message the line's, a provider's ten megabytes included.
      logMethod(this: Logger, parameters: Parameters<Logger["info"]>, method: (...args: unknown[]) => void) {
        const [first] = parameters as readonly unknown[];
        if (first instanceof Error && parameters.length === 1) method.call(this, { err: first }, first.name);
        else method.apply(this, parameters);
      },
      streamWrite: cleanText,
    },
  };
  const log: Logger = destination === undefined ? pino(options) : pino(options, destination);
  // pino forgets formatters.bindings in a child, and a child's child: this is inherited by both.
  const child = Reflect.get(log, "child") as unknown as (...parameters: unknown[]) => Logger;
  Reflect.set(log, "child", function cleanChild(this: Logger, bindings: Bindings, ...rest: unknown[]) {
    return Reflect.apply(child, this, [clean(bindings), ...rest]);
  });
  return log;
};
