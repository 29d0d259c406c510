import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Release } from "./begin.ts";
import type { ReleasedJob } from "./release.ts";

const script = loadScript(import.meta.url);

/** The jobs to add; a message that has moved on meanwhile makes none. */
export const rerelease = async (
  scripts: ScriptRunner,
  messages: readonly Release[],
): Promise<readonly ReleasedJob[]> => {
  const replies = list(
    await scripts.run(
      script,
      messages.flatMap((m) => [m.id, m.release]),
    ),
  );
  return replies.flatMap((entry, at) => {
    const [job, release] = list(entry);
    const message = messages[at];
    return job === undefined || !message
      ? []
      : [{ job: text(job), messages: [[message.id, number(release)] as const] }];
  });
};
