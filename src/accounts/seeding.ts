/** Accounts of the seed file: made where they do not exist, left as they are where they do. */
import { createHash } from "node:crypto";
import { SluiceError } from "../domain/errors.ts";
import type { NewAccount } from "./account.ts";
import type { AccountsUpkeep } from "./accounts.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * An id that is made of the name alone: two processes that seed at once make one account, and a second start finds the
 * first one's. 80 bits of SHA-256 behind ten zeros where other ids have the time, so that seeds come first in lists.
 */
export const seedId = (name: string): string => {
  const digest = createHash("sha256").update(`seed ${name}`).digest();
  return `acc_${"0".repeat(10)}${[...digest.subarray(0, 16)].map((byte) => ALPHABET[byte % 32]).join("")}`;
};

export interface Seeded {
  readonly made: readonly string[];
  /** Not touched: what was changed over the API since stays in force. */
  readonly left: readonly string[];
  /** Not made, and why: its plan may be gone, or another's, since the file was read. The others are. */
  readonly refused: readonly { readonly name: string; readonly why: SluiceError }[];
}

export const seedAccounts = async (
  accounts: Pick<AccountsUpkeep, "ensure">,
  seeds: readonly NewAccount[],
): Promise<Seeded> => {
  const made: string[] = [];
  const left: string[] = [];
  const refused: { name: string; why: SluiceError }[] = [];
  for (const seed of seeds)
    try {
      const happened = await accounts.ensure(seedId(seed.name), seed);
      (happened === "made" ? made : left).push(seed.name);
    } catch (why) {
      // What is wrong with the seed stays so; where Redis is away, or the account busy, it is tried again.
      if (!(why instanceof SluiceError) || why.status >= 500) throw why;
      refused.push({ name: seed.name, why });
    }
  return { made, left, refused };
};
