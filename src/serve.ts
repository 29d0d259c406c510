/** The API of this process, listening. */
import type { FastifyInstance } from "fastify";
import { loadSeeds } from "../config/seed.ts";
import { seedAccounts } from "./accounts/seeding.ts";
import { composeServices } from "./compose-services.ts";
import type { Core } from "./compose.ts";
import { loop } from "./gate/loop.ts";
import { createServer } from "./http/server.ts";
import type { Lifecycle } from "./start/lifecycle.ts";
import { notListening } from "./start/listening.ts";

/** @returns the address it listens on; the seed file's accounts are made as soon as Redis is there */
export const serve = async (
  core: Core,
  lifecycle: Lifecycle,
  adminKey: string,
  sandboxed: boolean,
): Promise<string> => {
  const { config, log, accounts, plans } = core;
  const seeds = config.accountsFile === null ? [] : loadSeeds(config.accountsFile, [...plans.keys()]);
  const upkeep = loop("upkeep", log, async () => {
    await accounts.replan();
    const { made, refused } = await seedAccounts(accounts, seeds);
    if (made.length > 0) log.info({ event: "accounts_seeded", count: made.length }, "accounts of the seed file made");
    for (const { name, why } of refused)
      log.warn(
        { event: "account_not_seeded", account_name: name, err: why },
        "an account of the seed file was not made",
      );
    return null;
  });
  lifecycle.add("upkeep", () => upkeep.stop());
  const server: FastifyInstance = await createServer(composeServices(core, adminKey, sandboxed), {
    trustedProxies: config.trustedProxies,
  });
  lifecycle.add("api", () => server.close());
  const { host, port } = config;
  return server.listen({ host, port }).catch(notListening(host, "PORT", port));
};
