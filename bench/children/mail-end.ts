/**
 * A process of its own: the far end of mail, and the caller of an API. Both in one, so that the time from a request to the
 * arrival of its mail is read from one clock.
 */
import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { numberIn } from "../messages.ts";
import { smtpSink } from "./smtp-sink.ts";

export type Asked =
  /** Tell when that many more have arrived. */
  | { readonly kind: "expect"; readonly count: number }
  /** Enqueue mails one by one, each after the one before it has arrived. */
  | {
      readonly kind: "send";
      readonly origin: string;
      readonly key: string;
      readonly from: number;
      readonly count: number;
    };

export type Told =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "reached"; readonly twice: number }
  | { readonly kind: "times"; readonly ms: readonly number[] }
  | { readonly kind: "failed"; readonly why: string };

const tell = (what: Told): void => void process.send?.(what);

let seen = new Set<number>();
let [expected, twice] = [Number.POSITIVE_INFINITY, 0];
let awaited: { n: number; arrived: (at: number) => void } | null = null;

const sink = await smtpSink((recipient) => {
  const n = numberIn(recipient);
  if (seen.has(n)) twice += 1;
  seen.add(n);
  if (awaited?.n === n) awaited.arrived(performance.now());
  if (seen.size === expected) tell({ kind: "reached", twice });
});

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const post = (origin: string, key: string, n: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({
      from: "shop@example.com",
      to: `r${n}@example.net`,
      subject: `Order ${n} is on its way`,
      text: "Your order has left our warehouse and will be with you in a few days.",
    });
    const headers = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
    };
    const asking = request(`${origin}/v1/email/send`, { method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.on("end", () =>
        answer.statusCode === 202 ? resolve() : reject(new Error(`the API answered ${answer.statusCode}`)),
      );
    });
    asking.on("error", reject);
    asking.end(body);
  });

const send = async ({ origin, key, from, count }: Extract<Asked, { kind: "send" }>): Promise<void> => {
  const ms: number[] = [];
  for (let n = from; n < from + count; n++) {
    const arrival = new Promise<number>((arrived) => {
      awaited = { n, arrived };
    });
    const startedAt = performance.now();
    const [at] = await Promise.all([arrival, post(origin, key, n)]);
    ms.push(at - startedAt);
    // So that what is left to do for this one is done, and the next comes at any moment of anybody's timers.
    await wait(20 + Math.random() * 50);
  }
  tell({ kind: "times", ms });
};

process.on("message", (asked: Asked) => {
  if (asked.kind === "expect") {
    seen = new Set();
    [expected, twice] = [asked.count, 0];
    return;
  }
  send(asked).catch((error: Error) => tell({ kind: "failed", why: error.message }));
});
// It goes with whoever started it, however that one ends.
process.on("disconnect", () => process.exit(0));
tell({ kind: "listening", port: sink.port });
