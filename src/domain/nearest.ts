/** Which known name somebody meant by a misspelt one. */

/** Levenshtein's distance: how many letters to add, drop or change. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** Undefined when none is near: more than two letters in five are wrong. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  // What came from outside may be long, and the work is the product of the lengths.
  if (name.length > 64) return undefined;
  const [best] = known
    .map((candidate) => ({ candidate, away: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.away - b.away);
  return best && best.away <= Math.max(name.length, best.candidate.length) * 0.4 ? best.candidate : undefined;
};
