/** What a worker process keeps of what it has sent: after many messages, beside after a few. */
import { startChild } from "../child.ts";
import type { Asked, Told } from "../children/worker.ts";
import { REQUEST_OF } from "../contender.ts";
import { inParallel } from "../in-parallel.ts";
import { requestsOf } from "../messages.ts";
import { benchRedis } from "../redis.ts";
import { figure } from "../report.ts";
import { sized, type Form, type Group } from "../row.ts";
import { aSystem } from "../system.ts";

const SIZES = {
  quick: { few: 10_000, many: 40_000 },
  long: { few: 50_000, many: 1_000_000 },
} as const;
const ACCOUNTS = 100;
/** Handed in and not yet sent, at most: what waits is Redis's. */
const AHEAD = 10_000;
const MEGABYTE = 2 ** 20;

const namesOf = (form: Form) => {
  const { few, many } = SIZES[form];
  return { rss: `worker-memory-${sized(many)}-to-${sized(few)}`, heap: `worker-heap-${sized(many)}-to-${sized(few)}` };
};

export const memory: Group = {
  names: (form) => Object.values(namesOf(form)),
  run: async (bench) => {
    const { few, many } = SIZES[bench.form];
    const names = namesOf(bench.form);
    const redis = await benchRedis("none");
    const system = aSystem({ redis });
    const worker = startChild<Asked, Told>("children/worker.ts", {
      args: [redis.socket, String(many)],
      execArgv: ["--expose-gc"],
    });
    try {
      await system.accounts(0, ACCOUNTS, { hour: many, day: many });
      await worker.told("ready");
      const requests = requestsOf(many, ACCOUNTS, REQUEST_OF);
      let accepted = 0;
      const sendUpTo = async (count: number): Promise<{ rss: number; heap: number }> => {
        while (accepted < count) {
          const taken = requests.splice(0, AHEAD / 2 / REQUEST_OF);
          await inParallel(taken, 4, system.accept);
          accepted += taken.reduce((sum, { numbers }) => sum + numbers.length, 0);
          await system.settled(Math.max(0, accepted - AHEAD));
        }
        await system.settled(accepted);
        worker.ask({ kind: "memory" });
        return worker.told("memory");
      };
      const early = await sendUpTo(few);
      bench.say(
        `after ${figure(accepted)}: ${figure(early.rss / MEGABYTE)} MB, heap ${figure(early.heap / MEGABYTE)} MB`,
      );
      const late = await sendUpTo(many);
      worker.ask({ kind: "judge", count: many, limit: Math.ceil(many / ACCOUNTS / REQUEST_OF) * REQUEST_OF });
      await worker.told("judged");
      const note = (what: string, from: number, to: number): string =>
        `${what} after a full collection: ${figure(to / MEGABYTE)} MB ÷ ${figure(from / MEGABYTE)} MB`;
      const row = { kind: "measured", unit: "×" } as const;
      bench.tell({
        ...row,
        name: names.rss,
        values: [late.rss / early.rss],
        must: { atMost: 1.2 },
        aim: { atMost: 1.05 },
        note: note("resident memory", early.rss, late.rss),
      });
      bench.tell({
        ...row,
        name: names.heap,
        values: [late.heap / early.heap],
        note: note("heap", early.heap, late.heap),
      });
    } finally {
      await worker.end();
      await system.close();
      await redis.close();
    }
  },
};
