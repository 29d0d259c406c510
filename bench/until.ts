/** Asking until it is so. Often enough that the asking is not what is measured, seldom enough not to be in the way. */
import { setTimeout as wait } from "node:timers/promises";

/** @throws after a minute, unless said otherwise: a measurement of something that stands still is none */
export const until = async (what: string, isSo: () => Promise<boolean>, withinMs = 60_000): Promise<void> => {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > withinMs) throw new Error(`waited ${withinMs / 1_000} s for ${what}`);
    await wait(1);
  }
};
