/** Nudges: a word from whoever has made something releasable to every gate. They may be lost; gates look anyway. */
import type { Redis } from "ioredis";
import { isChannel, type Channel } from "../domain/channel.ts";
import { seconds } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";

/** `*`: something changed that may concern every channel. */
export type Nudge = Channel | "*";

export interface Nudger {
  /** Never fails: a lost nudge costs half a second at most. */
  nudge(what: Nudge): void;
}

export const nudgerOn = (redis: Redis, keys: Keys): Nudger => {
  // What was made releasable in one turn of the event loop, by many requests in one call, needs one word.
  const words = new Set<Nudge>();
  const say = (): void => {
    for (const word of words) redis.publish(keys.nudge, word).catch(() => {});
    words.clear();
  };
  return {
    nudge: (what) => {
      if (words.size === 0) setImmediate(say);
      words.add(what);
    },
  };
};

/** A connection that only listens would never find out that nobody speaks any more. */
const ASK_EVERY = seconds(15);

/** @param subscriber a connection of its own; the caller closes it. Until it is heard, and while it is cut, gates look by themselves. */
export const onNudge = (subscriber: Redis, keys: Keys, act: (what: Nudge) => void): void => {
  const asking = setInterval(() => void subscriber.ping().catch(() => {}), ASK_EVERY).unref();
  subscriber.once("end", () => clearInterval(asking));
  subscriber.on("message", (_, word: string) => act(isChannel(word) ? word : "*"));
  const listen = (): void => void subscriber.subscribe(keys.nudge).catch(() => {});
  subscriber.on("ready", listen);
  if (subscriber.status === "ready") listen();
};
