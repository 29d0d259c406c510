/** What a failover that loses writes leaves: the cell as it was, on a server that is not its home. */
import type { Stage } from "./gate-stage.ts";

/** Time goes on, whatever is forgotten. */
const KEPT = "test_clock";

export interface Moment {
  /** The cell is again as it was at this moment, somewhere else. */
  comeBack(): Promise<void>;
}

const keysOf = async ({ redis, cell }: Stage): Promise<string[]> =>
  (await redis.keys(`${cell}*`)).filter((key) => key !== cell + KEPT);

export const momentOf = async (stage: Stage): Promise<Moment> => {
  const { redis } = stage;
  const kept = new Map<string, Buffer>();
  for (const key of await keysOf(stage)) {
    const dump = await redis.dumpBuffer(key);
    if (dump) kept.set(key, dump);
  }
  return {
    comeBack: async () => {
      const keys = await keysOf(stage);
      if (keys.length > 0) await redis.unlink(keys);
      for (const [key, dump] of kept) await redis.restore(key, 0, dump);
      await stage.elsewhere();
    },
  };
};
