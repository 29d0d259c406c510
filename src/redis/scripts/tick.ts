import { CHANNELS, type Channel } from "../../domain/channel.ts";
import type { Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** How long ended messages are kept. */
export interface Retention {
  readonly bodies: Millis;
  readonly records: Millis;
}

/** Which server answers, and what the cell says of where it is (lib/home.lua). */
export interface Home {
  /** Its replication id. */
  readonly here: string;
  /** Of the server on which the cell was last known to be whole; null: the cell is new. */
  readonly at: string | null;
  readonly generation: number;
}

export interface Tick {
  readonly ready: readonly Channel[];
  readonly expire: boolean;
  readonly reap: boolean;
  readonly purge: boolean;
  readonly nextIn: Millis | null;
  /** How long ago the oldest of those that are released and not begun was released; null: there is none. */
  readonly releasedFor: Millis | null;
  readonly home: Home;
  /** Texts may have been sent, and it is time to ask their provider. */
  readonly ask: boolean;
}

export const tick = async (scripts: ScriptRunner, retention: Retention): Promise<Tick> => {
  const reply = list(await scripts.run(script, [retention.bodies, retention.records, ...CHANNELS]));
  const nextIn = number(reply[4]);
  const releasedFor = number(reply[5]);
  const [here, at, generation] = list(reply[7]);
  return {
    ready: list(reply[0]).map(text) as Channel[],
    expire: reply[1] === 1,
    reap: reply[2] === 1,
    purge: reply[3] === 1,
    nextIn: nextIn < 0 ? null : (nextIn as Millis),
    releasedFor: releasedFor < 0 ? null : (releasedFor as Millis),
    ask: reply[6] === 1,
    home: { here: text(here), at: at === null ? null : text(at), generation: number(generation ?? 0) },
  };
};
