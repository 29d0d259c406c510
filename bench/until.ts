/** Asking until it is so. Without a pause in between: what is measured ends when it ends, not when a timer says so. */

/** @throws after a minute, unless said otherwise: a measurement of something that stands still is none */
export const until = async (what: string, isSo: () => Promise<boolean>, withinMs = 60_000): Promise<void> => {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > withinMs) throw new Error(`waited ${withinMs / 1_000} s for ${what}`);
  }
};
