/** What arrived, as the far end sees it. It is what says whether a measurement was of anything that works. */

export interface Ledger {
  /** Before the provider answers: an attempt that began is one that arrived. */
  arrive(account: number, n: number): void;
  readonly arrived: () => number;
  readonly ofAccount: (account: number) => number;
  /** Resolves when that many have arrived; rejects with what is missing when it takes too long. */
  reached(count: number, withinMs: number): Promise<void>;
  /** @throws when a message of 0 … count − 1 is missing or came twice, or an account got more than its limit */
  judge(count: number, limit: number): void;
}

export const newLedger = (most: number): Ledger => {
  const times = new Uint8Array(most);
  const perAccount = new Map<number, number>();
  let arrived = 0;
  let waiting: { count: number; done: () => void } | null = null;
  const judge = (count: number, limit: number): void => {
    const wrong = (isWrong: (seen: number) => boolean): number[] =>
      Array.from({ length: count }, (_, n) => n).filter((n) => isWrong(times[n] ?? 0));
    const [missing, twice] = [wrong((seen) => seen === 0), wrong((seen) => seen > 1)];
    if (missing.length > 0) throw new Error(`${missing.length} messages did not arrive, among them ${missing[0]}`);
    if (twice.length > 0) throw new Error(`${twice.length} messages arrived more than once, among them ${twice[0]}`);
    for (const [account, got] of perAccount)
      if (got > limit) throw new Error(`account ${account} sent ${got} in a window of ${limit}`);
  };
  return {
    arrive: (account, n) => {
      times[n] = (times[n] ?? 0) + 1;
      perAccount.set(account, (perAccount.get(account) ?? 0) + 1);
      arrived += 1;
      if (waiting !== null && arrived >= waiting.count) waiting.done();
    },
    arrived: () => arrived,
    ofAccount: (account) => perAccount.get(account) ?? 0,
    reached: (count, withinMs) =>
      new Promise((resolve, reject) => {
        const overdue = setTimeout(
          () => reject(new Error(`after ${withinMs / 1_000} s only ${arrived} of ${count} messages had arrived`)),
          withinMs,
        );
        const done = (): void => {
          clearTimeout(overdue);
          waiting = null;
          resolve();
        };
        if (arrived >= count) done();
        else waiting = { count, done };
      }),
    judge,
  };
};
