/** A worker process of the product, with a provider that takes everything in: for what it keeps in its memory. */
import { connect } from "../../src/redis/connect.ts";
import { newLedger } from "../ledger.ts";
import { atOnce, nullProvider, takeIn } from "../provider.ts";
import { silent } from "../redis.ts";
import { accountNumber, aSystem } from "../system.ts";

export type Asked =
  { readonly kind: "memory" } | { readonly kind: "judge"; readonly count: number; readonly limit: number };

export type Told =
  | { readonly kind: "ready" }
  | { readonly kind: "memory"; readonly rss: number; readonly heap: number }
  | { readonly kind: "judged" }
  | { readonly kind: "failed"; readonly why: string };

const tell = (what: Told): void => void process.send?.(what);
const [socket = "", most = "0"] = process.argv.slice(2);

const look = connect({ socket }, "commands", silent);
const system = aSystem({ redis: { address: { socket }, look } });
const ledger = newLedger(Number(most));
await system.startWorker(nullProvider(takeIn(ledger, atOnce), accountNumber));

process.on("message", (asked: Asked) => {
  if (asked.kind === "judge") {
    try {
      ledger.judge(asked.count, asked.limit);
      tell({ kind: "judged" });
    } catch (error) {
      tell({ kind: "failed", why: error instanceof Error ? error.message : String(error) });
    }
    return;
  }
  // Twice: what the first frees may hold what the second does.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  tell({ kind: "memory", rss, heap: heapUsed });
});
process.on("disconnect", () => process.exit(0));
tell({ kind: "ready" });
