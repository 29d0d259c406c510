/** From the first message accepted to the last one settled, against BullMQ with less and with as much to do. */
import type { Contender, Load } from "../contender.ts";
import { bareBullMq } from "../peers/bare.ts";
import { bottleneck } from "../peers/bottleneck.ts";
import { bullMqWithQuotas } from "../peers/rate-limiter-flexible.ts";
import { atOnce, likeAProvider, type Latency } from "../provider.ts";
import { benchRedis, type Fsync } from "../redis.ts";
import { figure, median } from "../report.ts";
import { inRounds, ratios } from "../rounds.ts";
import { sized, type Bench, type Bound, type Form, type Group } from "../row.ts";
import { sluice } from "./sluice.ts";

type Sizes = {
  readonly [form in Form]: { readonly messages: number; readonly rounds: number; readonly withinMs: number };
};

const SIZES: Sizes = {
  quick: { messages: 16_000, rounds: 3, withinMs: 12_000 },
  long: { messages: 20_000, rounds: 5, withinMs: 600_000 },
};
const ACCOUNTS = 100;

/** One set of contenders that meet in the same rounds, and the rows that come of it. */
interface Meeting {
  readonly name: string;
  readonly concurrency: number;
  readonly latency: Latency;
  readonly sizes: Sizes;
  readonly against: readonly {
    readonly peer: Contender;
    readonly row: string;
    readonly must?: Bound;
    readonly aim?: Bound;
  }[];
}

const atLeast = (bound: number): Bound => ({ atLeast: bound });

const MEETINGS: readonly Meeting[] = [
  {
    name: "pipeline-c100",
    concurrency: 100,
    latency: atOnce,
    sizes: SIZES,
    against: [
      { peer: bareBullMq, row: "pipeline-c100-to-bare", must: atLeast(0.8), aim: atLeast(2) },
      { peer: bullMqWithQuotas, row: "pipeline-c100-to-rlf", must: atLeast(1.2), aim: atLeast(3) },
    ],
  },
  {
    name: "pipeline-c200",
    concurrency: 200,
    latency: atOnce,
    sizes: SIZES,
    against: [
      { peer: bareBullMq, row: "pipeline-c200-to-bare", must: atLeast(0.9), aim: atLeast(2.5) },
      { peer: bullMqWithQuotas, row: "pipeline-c200-to-rlf", must: atLeast(1.2), aim: atLeast(3) },
    ],
  },
  {
    name: "pipeline-20ms-c200",
    concurrency: 200,
    latency: likeAProvider,
    sizes: SIZES,
    against: [{ peer: bareBullMq, row: "pipeline-20ms-c200-to-bare", must: atLeast(1), aim: atLeast(1.35) }],
  },
  {
    name: "bottleneck-c100",
    concurrency: 100,
    latency: atOnce,
    // It is slow: in the quick form it would take longer than all the others.
    sizes: { ...SIZES, quick: { messages: 1_000, rounds: 2, withinMs: 7_000 } },
    against: [{ peer: bottleneck, row: "pipeline-c100-to-bottleneck" }],
  },
];

/** With appends to disk, the quick form keeps to the first meeting, and nobody waits for the last. */
const isHeld = (form: Form, fsync: Fsync, { name }: Meeting): boolean =>
  fsync === "none" || name === "pipeline-c100" || (form === "long" && name !== "bottleneck-c100");

const FSYNCS: readonly Fsync[] = ["none", "everysec", "always"];

const rowName = ({ sizes }: Meeting, row: string, fsync: Fsync, form: Form): string =>
  `${row}${fsync === "none" ? "" : `-${fsync}`}-${sized(sizes[form].messages)}`;

const meet = async (bench: Bench, fsync: Fsync, meeting: Meeting): Promise<void> => {
  const { form } = bench;
  const wanted = meeting.against.filter(({ row }) => bench.isWanted(rowName(meeting, row, fsync, form)));
  if (wanted.length === 0 || !isHeld(form, fsync, meeting)) return;
  const { messages, rounds, withinMs } = meeting.sizes[form];
  const redis = await benchRedis(fsync);
  try {
    const load: Load = { messages, accounts: ACCOUNTS, concurrency: meeting.concurrency, latency: meeting.latency };
    const perSecond = (contender: Contender) => async (): Promise<number> => {
      await redis.empty();
      const rate = (messages / (await contender.run(redis, load))) * 1_000;
      bench.say(`${meeting.name} ${fsync} ${contender.name}: ${figure(rate)}/s`);
      return rate;
    };
    const contenders = [sluice, ...wanted.map(({ peer }) => peer)];
    const rates = await inRounds(
      rounds,
      Object.fromEntries(contenders.map((contender) => [contender.name, perSecond(contender)])),
      { withinMs },
    );
    const ours = rates[sluice.name] ?? [];
    for (const { peer, row, must, aim } of wanted) {
      const theirs = rates[peer.name] ?? [];
      bench.tell({
        kind: "measured",
        name: rowName(meeting, row, fsync, form),
        values: ratios(ours, theirs),
        unit: "×",
        ...(must && { must }),
        ...(aim && { aim }),
        note: `${figure(median(ours))}/s ÷ ${peer.name} ${figure(median(theirs))}/s, fsync ${fsync}`,
      });
    }
  } finally {
    await redis.close();
  }
};

export const pipeline: Group = {
  names: (form) =>
    FSYNCS.flatMap((fsync) =>
      MEETINGS.filter((meeting) => isHeld(form, fsync, meeting)).flatMap((meeting) =>
        meeting.against.map(({ row }) => rowName(meeting, row, fsync, form)),
      ),
    ),
  run: async (bench) => {
    for (const fsync of FSYNCS) for (const meeting of MEETINGS) await meet(bench, fsync, meeting);
  },
};
