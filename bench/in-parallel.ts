/** Runs over all of them, `atOnce` at a time, as so many connections of producers would. */
export const inParallel = async <T>(
  items: readonly T[],
  atOnce: number,
  each: (item: T) => Promise<unknown>,
): Promise<void> => {
  const left = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of left) await each(item);
    }),
  );
};
