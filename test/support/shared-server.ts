/** What global-setup.ts hands to global-teardown.ts: jest loads the two apart, so a module's variable will not do. */
import type { PrivateRedis } from "../../src/start/private-redis.ts";

interface SharedServer {
  readonly server: PrivateRedis;
  readonly dataDir: string;
}

const shelf = globalThis as { sluiceTestServer?: SharedServer };

export const keepServer = (shared: SharedServer): void => {
  shelf.sluiceTestServer = shared;
};
export const keptServer = (): SharedServer | undefined => shelf.sluiceTestServer;
