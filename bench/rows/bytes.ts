/** What a waiting message takes of Redis's memory. Deterministic: Redis counts what it has asked its allocator for. */
import type { Redis } from "ioredis";
import { Queue } from "bullmq";
import { Redis as Client } from "ioredis";
import type { Draft } from "../../src/domain/message.ts";
import { newSeed } from "../../src/domain/id.ts";
import { systemClock } from "../../src/domain/time.ts";
import { inParallel } from "../in-parallel.ts";
import { draftOf, recipientOf, requestsOf, SENDER, type Request } from "../messages.ts";
import { benchRedis, type BenchRedis } from "../redis.ts";
import { figure } from "../report.ts";
import { sized, type Form, type Group } from "../row.ts";
import { accountId, aSystem } from "../system.ts";

const SIZES = { quick: 20_000, long: 50_000 } as const;
const ACCOUNTS = 100;

const namesOf = (form: Form) => {
  const size = sized(SIZES[form]);
  return {
    whole: `bytes-waiting-600b-${size}`,
    templated: `bytes-waiting-templated-${size}`,
    bullMq: `bytes-waiting-600b-${size}-bullmq`,
    bullMqTemplated: `bytes-waiting-templated-${size}-bullmq`,
  };
};

/** 84 bytes of JSON for a recipient: an address, a name and an order number. */
const templatedDraft = (n: number): Draft => ({
  channel: "email",
  sender: SENDER,
  recipient: recipientOf(n),
  class: "normal",
  content: { to: recipientOf(n), variables: { name: "Ingeborg", order: String(n).padStart(14, "0") } },
});
const TEMPLATE = {
  from: SENDER,
  subject: "Order {{order}} is on its way",
  text: "Dear {{name}}, it has left our warehouse. ".repeat(12),
};

/** Until the server has given back what it frees in the background. */
const usedMemory = async (look: Redis): Promise<number> => {
  for (;;) {
    const text = await look.info("memory");
    const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(text)?.[1]);
    if (field("lazyfree_pending_objects") === 0) return field("used_memory");
  }
};

interface Taken {
  readonly each: number;
  readonly note: string;
}

const bytesOf = async (redis: BenchRedis, messages: number, templated: boolean): Promise<Taken> => {
  await redis.empty();
  const system = aSystem({ redis });
  try {
    // No worker and no gate: all of them wait. The accounts are there before, as they are in life.
    await system.accounts(0, ACCOUNTS, { hour: 10, day: 100 });
    const bulk = ({ account, numbers }: Request) =>
      system.services.sending.acceptBatch(
        accountId(account),
        { channel: "email", template: TEMPLATE },
        numbers.map(templatedDraft),
        newSeed(systemClock.now()),
      );
    // Not as a batch: what a batch keeps besides is told in the templated row.
    const single = ({ account, numbers }: Request) =>
      system.services.sending.accept(accountId(account), numbers.map(draftOf), newSeed(systemClock.now()));
    const before = await usedMemory(redis.look);
    await inParallel(requestsOf(messages, ACCOUNTS, 10_000), 4, templated ? bulk : single);
    const drop = async (pattern: string): Promise<number> => {
      const keys = await redis.look.keys(system.core.keys.cell + pattern);
      const had = await usedMemory(redis.look);
      if (keys.length > 0) await redis.look.del(keys);
      return (had - (await usedMemory(redis.look))) / messages;
    };
    // The index that lists an account's messages is not what waiting costs: sent ones are in it too.
    const index = await drop("idx:*");
    const each = ((await usedMemory(redis.look)) - before) / messages;
    return { each, note: `used_memory, ${ACCOUNTS} accounts; the index of ${figure(index)} B not counted` };
  } finally {
    await system.close();
  }
};

const bytesOfBullMq = async (redis: BenchRedis, messages: number, templated: boolean): Promise<Taken> => {
  await redis.empty();
  const connection = new Client({ path: redis.socket, maxRetriesPerRequest: null });
  const queue = new Queue("mail", { connection });
  try {
    await queue.waitUntilReady();
    const before = await usedMemory(redis.look);
    await inParallel(requestsOf(messages, ACCOUNTS, 1_000), 4, ({ account, numbers }) =>
      queue.addBulk(
        numbers.map((n) => ({
          name: "mail",
          data: templated ? templatedDraft(n).content : { account, content: draftOf(n).content },
        })),
      ),
    );
    return { each: ((await usedMemory(redis.look)) - before) / messages, note: "BullMQ, waiting, addBulk" };
  } finally {
    await queue.close();
    connection.disconnect();
  }
};

export const bytes: Group = {
  names: (form) => Object.values(namesOf(form)),
  run: async (bench) => {
    const names = namesOf(bench.form);
    const messages = SIZES[bench.form];
    const redis = await benchRedis("none");
    const row = (name: string, { each, note }: Taken) =>
      ({ kind: "measured", name, values: [each], unit: "B", note }) as const;
    try {
      bench.tell({
        ...row(names.whole, await bytesOf(redis, messages, false)),
        must: { atMost: 850 },
        aim: { atMost: 780 },
      });
      bench.tell({
        ...row(names.templated, await bytesOf(redis, messages, true)),
        must: { atMost: 260 },
        aim: { atMost: 125 },
      });
      bench.tell(row(names.bullMq, await bytesOfBullMq(redis, messages, false)));
      bench.tell(row(names.bullMqTemplated, await bytesOfBullMq(redis, messages, true)));
    } finally {
      await redis.close();
    }
  },
};
