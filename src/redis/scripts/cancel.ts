import { list, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** More would hold Redis too long in one call. */
export const CANCEL_AT_MOST = 100;

export interface Canceled {
  readonly result: "ok" | "already_sending" | "already_final" | "unknown";
  /** The state it was in. */
  readonly state: string;
}

export const cancel = async (
  scripts: ScriptRunner,
  account: string,
  ids: readonly string[],
): Promise<readonly Canceled[]> =>
  list(await scripts.run(script, [account, ...ids])).map((entry) => {
    const [result, state] = list(entry);
    return { result: text(result) as Canceled["result"], state: text(state) };
  });
