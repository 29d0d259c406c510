/** One word for many: what is said again and again is passed on after so many times, or soon after the first. */
import type { Millis } from "../domain/time.ts";

export const gathered = (many: number, within: Millis, act: () => void): (() => void) => {
  let said = 0;
  let timer: NodeJS.Timeout | null = null;
  const pass = (): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    said = 0;
    act();
  };
  return () => {
    said++;
    if (said >= many) pass();
    else timer ??= setTimeout(pass, within);
  };
};
