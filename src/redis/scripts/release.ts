import type { Channel } from "../../domain/channel.ts";
import type { Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** One job for BullMQ: the messages it carries, each with its release number. */
export interface ReleasedJob {
  readonly job: string;
  readonly messages: readonly (readonly [id: string, release: number])[];
}

export interface Released {
  readonly jobs: readonly ReleasedJob[];
  /** The call stopped at one of its bounds: call again at once. */
  readonly more: boolean;
  /** Until something becomes due, or null when nothing will by itself. */
  readonly nextIn: Millis | null;
  /** Zones whose row is missing or has run out; their accounts were passed over. */
  readonly staleZones: readonly string[];
  /** Other channels into whose lanes something was promoted. */
  readonly woken: readonly Channel[];
  readonly released: number;
  readonly looked: number;
}

/** The bounds of one call: so that no call holds Redis longer than 5 ms. On two shared cores a message takes 20 µs
 *  where four are of one account, 65 where each is of another. */
export interface ReleaseBounds {
  readonly lanes: number;
  readonly messages: number;
  readonly pops: number;
  readonly promotions: number;
  /** By what each is reckoned to take (release.lua): a hundred messages of one account are a third of those of a hundred. */
  readonly workUs: number;
}
export const RELEASE_BOUNDS: ReleaseBounds = { lanes: 200, messages: 100, pops: 164, promotions: 40, workUs: 2_000 };

export const release = async (
  scripts: ScriptRunner,
  channel: Channel,
  parcel = 1,
  bounds: ReleaseBounds = RELEASE_BOUNDS,
): Promise<Released> => {
  const reply = list(
    await scripts.run(script, [
      channel,
      parcel,
      bounds.lanes,
      bounds.messages,
      bounds.pops,
      bounds.promotions,
      bounds.workUs,
    ]),
  );
  const nextIn = number(reply[2]);
  return {
    jobs: list(reply[0]).map((entry) => {
      const [job, ...messages] = list(entry);
      return {
        job: text(job),
        messages: messages.map((pair) => {
          const [id, releaseNumber] = list(pair);
          return [text(id), number(releaseNumber)] as const;
        }),
      };
    }),
    more: reply[1] === 1,
    nextIn: nextIn < 0 ? null : (nextIn as Millis),
    staleZones: list(reply[3]).map(text),
    woken: list(reply[4]).map(text) as Channel[],
    released: number(reply[5]),
    looked: number(reply[6]),
  };
};
