import type { Channel } from "../../domain/channel.ts";
import type { Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Release } from "./begin.ts";

const script = loadScript(import.meta.url);

export interface Stuck extends Release {
  /** Its BullMQ job. */
  readonly job: string;
}

const AT_MOST = 100;

export const stuck = async (scripts: ScriptRunner, channel: Channel, olderThan: Millis): Promise<readonly Stuck[]> =>
  list(await scripts.run(script, [channel, olderThan, AT_MOST])).map((entry) => {
    const [id, release, job] = list(entry);
    return { id: text(id), release: number(release), job: text(job) };
  });
