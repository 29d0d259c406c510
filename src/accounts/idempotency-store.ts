/** Idempotency-Key on Redis: one record for each account, route and key. */
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import { newSeed } from "../domain/id.ts";
import { seconds, type Clock } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { endIdempotent } from "../redis/scripts/idempotency-end.ts";
import { startIdempotent } from "../redis/scripts/idempotency-start.ts";
import type { Idempotency } from "./idempotency.ts";

/** How long a run may take before the next caller takes it for dead: a bulk of 10,000 takes two or three seconds. */
const RUN_FOR = seconds(30);
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

export const idempotencyOn = (parts: { scripts: ScriptRunner; clock: Clock }): Idempotency => {
  const { scripts, clock } = parts;
  return {
    start: async (account, route, key, fingerprint) => {
      const started = await startIdempotent(scripts, nameOf(account, route, key), {
        fingerprint,
        run: randomUUID(),
        seed: newSeed(clock.now()),
        runFor: RUN_FOR,
        keepForSeconds: KEEP_FOR_SECONDS,
      });
      if (started.kind !== "replay") return started;
      return { kind: "replay", answer: { status: started.status, body: await unpacked(started.body) } };
    },
    keep: async (account, route, key, fingerprint, { status, body }) =>
      endIdempotent(
        scripts,
        nameOf(account, route, key),
        fingerprint,
        { status, body: await packed(body) },
        KEEP_FOR_SECONDS,
      ),
    release: (account, route, key, fingerprint) =>
      endIdempotent(scripts, nameOf(account, route, key), fingerprint, null, KEEP_FOR_SECONDS),
  };
};
