/** Idempotency-Key on Redis: one record for each account, route and key. */
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import { newSeed } from "../domain/id.ts";
import { seconds, type Clock } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { decideIdempotent } from "../redis/scripts/idempotency-decide.ts";
import { endIdempotent } from "../redis/scripts/idempotency-end.ts";
import { startIdempotent } from "../redis/scripts/idempotency-start.ts";
import type { Idempotency } from "./idempotency.ts";
import { everySoOften, renewing, type Repeat } from "./renewing.ts";

/**
 * A run that has not said for so long that it runs is taken for dead, and the next caller goes on with its seed. (With one
 * length for all runs it had to be that of the longest, 30 s: who asked again after a death of the API or a restart of Redis
 * was told 409 for that long, and where both happened, for a minute.)
 */
const TAKEN_FOR = seconds(5);
const RENEW_EVERY = seconds(2);
/** No request takes longer: its body 30 s, a bulk of 10,000 three, and Redis's own limits ten. */
const LONGEST = seconds(60);
const KEEP_FOR_SECONDS = 86_400;

/**
 * The answer to a bulk of 10,000 is 0.6 MB of ids that share 21 of their 26 characters. Kept as it is, a day of bulk
 * requests with keys would outweigh their messages; brotli at nearly its fastest makes a fortieth of it within a few
 * milliseconds, off the event loop. Below this size there is little to gain.
 */
const COMPRESS_FROM = 4_096;
const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);
const QUICKLY = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** The first character says which it is; base64 because replies of scripts are read as text. */
const packed = async (body: unknown): Promise<string> => {
  const json = JSON.stringify(body) ?? "null";
  return json.length < COMPRESS_FROM ? `j${json}` : `b${(await compress(json, QUICKLY)).toString("base64")}`;
};

const unpacked = async (text: string): Promise<unknown> =>
  JSON.parse(
    text.startsWith("j") ? text.slice(1) : (await decompress(Buffer.from(text.slice(1), "base64"))).toString("utf8"),
  );

const nameOf = (account: string, route: string, key: string): string => `${account}:${route}:${key}`;

export interface IdempotencyParts {
  readonly scripts: ScriptRunner;
  readonly clock: Clock;
  readonly repeat?: Repeat;
}

export const idempotencyOn = ({ scripts, clock, repeat = everySoOften }: IdempotencyParts): Idempotency => {
  const runs = renewing(RENEW_EVERY, LONGEST, repeat);
  return {
    start: async (account, route, key, fingerprint) => {
      const name = nameOf(account, route, key);
      const run = {
        fingerprint,
        run: randomUUID(),
        seed: newSeed(clock.now()),
        runFor: TAKEN_FOR,
        keepForSeconds: KEEP_FOR_SECONDS,
      };
      const started = await startIdempotent(scripts, name, run);
      if (started.kind === "replay")
        return { kind: "replay", answer: { status: started.status, body: await unpacked(started.body) } };
      // The same run that starts again has its time again, and nothing else.
      if (started.kind === "fresh") runs.begin(name, async () => void (await startIdempotent(scripts, name, run)));
      return started;
    },
    keep: async (account, route, key, fingerprint, { status, body }) => {
      const name = nameOf(account, route, key);
      const answer = { status, body: await packed(body) };
      runs.end(name);
      await endIdempotent(scripts, name, fingerprint, answer, KEEP_FOR_SECONDS);
    },
    decide: async <Decision>(
      account: string,
      route: string,
      key: string,
      fingerprint: string,
      decision: Decision | null,
    ): Promise<Decision | null> => {
      const told = decision === null ? "" : await packed(decision);
      const inForce = await decideIdempotent(scripts, nameOf(account, route, key), fingerprint, told);
      return inForce === "" ? null : ((await unpacked(inForce)) as Decision);
    },
    release: async (account, route, key, fingerprint, made) => {
      const name = nameOf(account, route, key);
      // Even where this is not told to Redis: whoever asks again waits for seconds.
      runs.end(name);
      await endIdempotent(scripts, name, fingerprint, { made }, KEEP_FOR_SECONDS);
    },
  };
};
