/** A rule of the gate as a check that is played twice: on the scripts as they are, and with the rule taken out. */
import { expect } from "@jest/globals";
import type { Mutation, Stage, StageOptions } from "../../support/gate-stage.ts";

export interface Rule {
  /** What breaks without it, as a sentence about the product. */
  readonly name: string;
  /** The number in the list of rules, or the name of the correction. */
  readonly of: string;
  readonly stage?: Omit<StageOptions, "mutations">;
  /** Throws where the promise is broken. */
  check(stage: Stage): Promise<void>;
  /** The scripts without the rule: any of these, alone, must break the check. */
  readonly without: readonly Mutation[];
}

/** The first of a list that must not be empty. */
export const only = <T>(list: readonly T[]): T => {
  expect(list).not.toHaveLength(0);
  return list[0] as T;
};

export const kinds = (replies: readonly { readonly kind: string }[]): string[] => replies.map(({ kind }) => kind);
