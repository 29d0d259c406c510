/** Connections to Redis. Who opens one closes it. */
import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";
import { seconds, systemClock } from "../domain/time.ts";

/** A server: a URL (`redis://`, `rediss://`) or the unix socket of a private one. */
export type RedisAddress = { readonly url: string } | { readonly socket: string };

export type Purpose =
  /** Commands of the API and the gate: fail within seconds when Redis is away, so that a caller gets a 503. */
  | "commands"
  /** BullMQ's workers and queues: wait for Redis however long it is away. */
  | "patient"
  /** What must be kept as promised: nothing is sent again by itself (durable.ts). */
  | "durable"
  /** A subscriber to nudges. */
  | "subscriber";

/** How often a command is sent again when its connection breaks before the reply: every script of ours may be repeated.
 *  For ever, where nobody waits for the answer. */
const SENT_AGAIN = { commands: 1, durable: 0, patient: null, subscriber: null } as const;

/** Each attempt costs a handshake, and every command that is refused would make one. */
const LEAVE_EVERY = seconds(1);

/** The address may lead to another server by now. Within a script's error, servers before 7 say it in mid-sentence. */
const leavingReplicas = () => {
  let leftAt = -Infinity;
  return (error: Error): boolean => {
    if (!/\bREADONLY\b/.test(error.message) || systemClock.monotonic() - leftAt < LEAVE_EVERY) return false;
    leftAt = systemClock.monotonic();
    return true;
  };
};

const isCallers = (purpose: Purpose): boolean => purpose === "commands" || purpose === "durable";

const options = (purpose: Purpose) =>
  ({
    maxRetriesPerRequest: SENT_AGAIN[purpose],
    autoResendUnfulfilledCommands: purpose !== "durable",
    // ioredis does it without a catch: a connection that is closed in that moment would end the process (gate/nudge.ts does it).
    autoResubscribe: false,
    enableReadyCheck: true,
    connectTimeout: 3_000,
    // A command that is stuck in a frozen server must not hold its caller for ever.
    ...(isCallers(purpose) ? { commandTimeout: 5_000 } : {}),
    // A connection that a firewall forgot, or whose machine is gone, says nothing: it is given up, and a new one made. Longer
    // than a command may take, and than BullMQ's workers wait for a job (10 s).
    socketTimeout: isCallers(purpose) ? 6_000 : 12_000,
    // A caller's command waits for two of these at most before it fails; a patient one can do with fewer knocks.
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), isCallers(purpose) ? 500 : 2_000),
    reconnectOnError: leavingReplicas(),
  }) satisfies RedisOptions;

/** The database of the address is none of this server's, or not for this user: what may be told of it is for the log. */
const isRefusedDatabase = (error: Error & { readonly command?: { readonly name?: string } }): boolean =>
  error.command?.name === "select";

export const connect = (address: RedisAddress, purpose: Purpose, log: Logger): Redis => {
  const how = options(purpose);
  const redis = "url" in address ? new Redis(address.url, how) : new Redis({ ...how, path: address.socket });
  let away = false;
  redis.on("error", (error: Error) => {
    // ioredis would go on in the first one, which may be another installation's.
    if (isRefusedDatabase(error)) redis.disconnect(true);
    if (!away) log.warn({ event: "redis_away", purpose, why: error.message }, "Redis is away");
    away = true;
  });
  redis.on("ready", () => {
    if (away) log.info({ event: "redis_back", purpose }, "Redis is back");
    away = false;
  });
  return redis;
};

const GOODBYE = seconds(2);

/** Politely, unless Redis is away, or says nothing any more: then there is nobody to say goodbye to. */
export const closeConnection = async (redis: Redis): Promise<void> => {
  const overdue = setTimeout(() => redis.disconnect(), GOODBYE);
  if (redis.status === "ready") await redis.quit().catch(() => {});
  clearTimeout(overdue);
  redis.disconnect();
};
