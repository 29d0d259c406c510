/** The product as a contender: accept to settled, with the quotas of an hour and a day checked for each message. */
import { REQUEST_OF, REQUESTS_AT_ONCE, type Contender } from "../contender.ts";
import { newLedger } from "../ledger.ts";
import { inParallel } from "../in-parallel.ts";
import { requestsOf } from "../messages.ts";
import { nullProvider, takeIn } from "../provider.ts";
import { accountNumber, aSystem } from "../system.ts";

export const sluice: Contender = {
  name: "sluice",
  run: async (redis, { messages, accounts, concurrency, latency }) => {
    const system = aSystem({ redis, concurrency });
    try {
      // Exactly what each is about to send: the last message of every account finds room for one.
      const limit = Math.ceil(messages / accounts / REQUEST_OF) * REQUEST_OF;
      await system.accounts(0, accounts, { hour: limit, day: limit });
      const ledger = newLedger(messages);
      await system.startWorker(nullProvider(takeIn(ledger, latency), accountNumber));
      const startedAt = performance.now();
      await inParallel(requestsOf(messages, accounts, REQUEST_OF), REQUESTS_AT_ONCE, system.accept);
      await ledger.reached(messages, 120_000);
      await system.settled(messages);
      const tookMs = performance.now() - startedAt;
      ledger.judge(messages, limit);
      return tookMs;
    } finally {
      await system.close();
    }
  },
};
