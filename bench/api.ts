/** The product's API of this process, listening on loopback, with an account that may do as it likes. */
import { createServer } from "../src/http/server.ts";
import type { System } from "./system.ts";

/** Limits that are counted and never reached. */
const PLENTY = 1_000_000_000;

export interface Api {
  readonly origin: string;
  readonly account: string;
  readonly key: string;
}

export const startApi = async (system: System): Promise<Api> => {
  const { services, parts } = system;
  const app = await createServer(services, { guessLimit: { perSecond: PLENTY, burst: PLENTY } });
  parts.add("api", () => app.close());
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const account = await services.accounts.create({
    name: "Bench",
    timezone: "UTC",
    quotas: { email: { hour: PLENTY, day: PLENTY } },
  });
  const made = await services.keys.create(account.id, { apiLimit: { minute: PLENTY, hour: PLENTY } });
  if (made === null) throw new Error("no key for the account that was just made");
  return { origin, account: account.id, key: made.key };
};
