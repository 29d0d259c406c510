/** One request and its answer, read to its end; or why there is none. */
import type { Millis } from "../domain/time.ts";
import type { Answer } from "./failure.ts";
import { LONGEST_TIMER } from "./waiting.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type Exchanged =
  | ({ readonly kind: "answer" } & Answer)
  /** Refused, reset, cut off, or no answer in time: whether the server has seen it, nobody knows. */
  | { readonly kind: "lost"; readonly cause: unknown };

/** Why an answer is lost, as told by what lost it (`connect ECONNREFUSED …`): fetch itself says `fetch failed` of all. */
export const reasonOf = (lost: unknown): string | null => {
  if (typeof lost !== "object" || lost === null) return null;
  // Not asked whether it is an Error: fetch may be of another realm.
  const { cause, message } = lost as { readonly cause?: unknown; readonly message?: unknown };
  return reasonOf(cause) ?? (typeof message === "string" && message !== "" ? message : null);
};

const bodyOf = (text: string, headers: Headers): unknown => {
  if (text === "" || !/\bjson\b/i.test(headers.get("content-type") ?? "")) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Judged by whoever expected something of it.
    return text;
  }
};

/** @throws the caller's own reason, when it is the caller's signal that aborted; TypeError, when it can be no request */
export const exchange = async (
  fetch: Fetch,
  url: string,
  init: RequestInit,
  within: Millis,
  signal: AbortSignal | undefined,
): Promise<Exchanged> => {
  signal?.throwIfAborted();
  // A header that cannot be one is the caller's mistake: fetch would fail of it as it does of a lost connection.
  const headers = new Headers(init.headers);
  // By hand: AbortSignal.any keeps what it made alive as long as the caller's signal lives (Node 20).
  const inner = new AbortController();
  const stop = (): void => inner.abort(signal?.reason);
  const timer = setTimeout(
    () => inner.abort(new Error(`no answer within ${within} ms`)),
    Math.min(within, LONGEST_TIMER),
  );
  signal?.addEventListener("abort", stop, { once: true });
  try {
    // The API sends nobody elsewhere: what does is not the API, and is not given the key.
    const response = await fetch(url, { ...init, headers, redirect: "manual", signal: inner.signal });
    const { status, headers: told } = response;
    return { kind: "answer", status, headers: told, body: bodyOf(await response.text(), told) };
  } catch (cause) {
    signal?.throwIfAborted();
    return { kind: "lost", cause };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
};
