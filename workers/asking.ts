/** Asks providers about texts that may have been sent: 15, 60 and 300 s after nobody knew (lib/outcomes.lua). */
import type { Logger } from "pino";
import type { Channel } from "../src/domain/channel.ts";
import { seconds } from "../src/domain/time.ts";
import type { Contents } from "../src/gate/contents.ts";
import type { Provider } from "../src/providers/provider.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import { asked, type Answer } from "../src/redis/scripts/asked.ts";
import { askingDue, type Doubtful } from "../src/redis/scripts/asking-due.ts";

export interface AskingParts {
  readonly scripts: ScriptRunner;
  readonly contents: Contents;
  readonly providers: readonly Provider[];
  readonly mostTries: { readonly [channel in Channel]: number };
  readonly log: Logger;
}

const AT_ONCE = 20;
/** Longer than a provider may take to answer: then another worker may ask. Who dies while asking costs no more than this. */
const CLAIM = seconds(30);
const ANSWER_WITHIN = seconds(20);
/** Before one goes again whose account asked for that. */
const AGAIN_AFTER = seconds(5);

export const askingWith = ({ scripts, contents, providers, mostTries, log }: AskingParts) => {
  const ask = async (doubtful: Doubtful): Promise<Answer> => {
    const { batchId: _batch, body: _body, ...text } = doubtful;
    const provider = providers.find(({ channels }) => channels.includes(text.channel));
    if (!provider) return { kind: "unknown" };
    if (!provider.find) return { kind: "unaskable" };
    const content = await contents.of(doubtful);
    if (content === null) return { kind: "unknown" };
    return provider.find({ ...text, content }, AbortSignal.timeout(ANSWER_WITHIN));
  };
  const settle = async (text: Doubtful): Promise<void> => {
    const found = await ask(text);
    const became = await asked(scripts, text, found, mostTries[text.channel], AGAIN_AFTER);
    const { id, channel } = text;
    log.info({ event: "asked", id, channel, verdict: found.kind, became }, "the provider was asked about a text");
  };
  return async (): Promise<{ more: boolean }> => {
    const { doubtful } = await askingDue(scripts, AT_ONCE, CLAIM);
    await Promise.all(doubtful.map(settle));
    return { more: doubtful.length === AT_ONCE };
  };
};
