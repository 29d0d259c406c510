import { rmSync } from "node:fs";
import { keptServer } from "./shared-server.ts";

export default async (): Promise<void> => {
  const kept = keptServer();
  if (kept === undefined) return;
  await kept.server.stop();
  rmSync(kept.dataDir, { recursive: true, force: true });
};
