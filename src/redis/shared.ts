/** A question that many ask at once is asked once: whoever comes while it is under way gets its answer. */
export const shared = <Answer>(ask: () => Promise<Answer>): (() => Promise<Answer>) => {
  let underWay: Promise<Answer> | null = null;
  return () => {
    underWay ??= ask().finally(() => (underWay = null));
    return underWay;
  };
};
