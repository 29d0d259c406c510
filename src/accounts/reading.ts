/** Accounts as they stand: one round trip, however many. */
import { CHANNELS } from "../domain/channel.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { snapshot } from "../redis/scripts/snapshot.ts";
import type { Account } from "./account.ts";
import type { Plans } from "./plan.ts";
import { withGone } from "./plan-note.ts";
import { overFile } from "./plan-record.ts";
import { fromFields, toAccount } from "./record.ts";

/** In the order of the ids; those that are gone are left out. @param file the plans of the file */
export const readAccounts = async (
  scripts: ScriptRunner,
  keys: Keys,
  file: Plans,
  ids: readonly string[],
): Promise<readonly Account[]> => {
  if (ids.length === 0) return [];
  // The gate keeps a pause beside what it looks at anyway.
  const rowsOf = (id: string) => [keys.account(id), ...CHANNELS.map((channel) => keys.accountOnChannel(id, channel))];
  const { hashes } = await snapshot(scripts, [keys.setPlans, keys.plans, ...ids.flatMap(rowsOf)]);
  const [set = {}, notes = {}, ...rows] = hashes;
  const plans = withGone(overFile(set, file), set, notes);
  const each = 1 + CHANNELS.length;
  return ids.flatMap((id, index) => {
    const [fields = {}, ...onChannels] = rows.slice(index * each, (index + 1) * each);
    const account = fromFields(fields);
    const paused = CHANNELS.filter((_, at) => onChannels[at]?.["paused"] === "1");
    return account ? [toAccount(id, account, plans, { paused, removed: fields["removed"] === "1" })] : [];
  });
};
