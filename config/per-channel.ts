/** Lists by channel, as in `email=14/s,sms=1/s`. A channel that is not named keeps its default. */
import { CHANNELS, isChannel, type Channel } from "../src/domain/channel.ts";
import { parseRate, RATE_EXPECTED } from "../src/domain/rate.ts";
import type { Millis } from "../src/domain/time.ts";
import { shown } from "./problem.ts";
import { unmet, value, type Reader } from "./reading.ts";

type ByChannel<T> = { readonly [channel in Channel]?: T };

const list =
  <T>(example: string, expectedOne: string, readOne: (text: string) => T | undefined): Reader<ByChannel<T>> =>
  (text) => {
    const found: { [channel in Channel]?: T } = {};
    for (const part of text.split(",")) {
      const [name = "", given, ...rest] = part.trim().split("=");
      if (given === undefined || rest.length > 0) return unmet(`a list such as ${example}`, shown(text));
      if (!isChannel(name)) return unmet(`channels among ${CHANNELS.join(", ")}`, shown(name));
      if (name in found) return unmet("each channel once", `${name} twice`);
      const one = readOne(given);
      if (one === undefined) return unmet(`for ${name} ${expectedOne}`, shown(given));
      found[name] = one;
    }
    return value(found);
  };

export const rates: Reader<ByChannel<Millis | null>> = list("email=14/s,sms=1/s,voice=off", RATE_EXPECTED, parseRate);

/** More attempts in flight than this in one process only wait for its one event loop. */
const MOST_CONCURRENT = 1_000;

export const concurrency: Reader<ByChannel<number>> = list(
  "email=50,sms=20",
  `a whole number from 1 to ${MOST_CONCURRENT}`,
  (given) => (/^[1-9][0-9]{0,3}$/.test(given) && Number(given) <= MOST_CONCURRENT ? Number(given) : undefined),
);
