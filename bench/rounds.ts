/** Rounds of a comparison: all contenders in each, in another order each time, since a machine changes under way. */

/**
 * @param contenders what each does, answering with its figure of one round
 * @param options.withinMs no round but the first is begun after that long: on a machine that has something else to do, a
 * person who asked for the quick form gets fewer rounds, not a longer wait
 * @returns the figures of each, one a round. A round before the first is played and forgotten: code that has not run yet is
 * slow, and whoever is first would pay for the others.
 */
export const inRounds = async <Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<number>>>,
  { withinMs = Number.POSITIVE_INFINITY }: { withinMs?: number } = {},
): Promise<Record<Name, number[]>> => {
  const names = Object.keys(contenders) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  const startedAt = performance.now();
  for (let round = -1; round < rounds; round++) {
    if (round > 0 && performance.now() - startedAt > withinMs) break;
    for (let at = 0; at < names.length; at++) {
      const name = names[(at + round + 1) % names.length] as Name;
      const figure = await contenders[name]();
      if (round >= 0) figures[name].push(figure);
    }
  }
  return figures;
};

/** Round by round: what the machine did in between is in neither. */
export const ratios = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN));
