/**
 * The environment, read once and typed: the only place where process.env is read. Nothing in src/ looks at it; what is
 * needed is handed in.
 */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { CHANNELS, type Channel } from "../src/domain/channel.ts";
import { FAULT_EXPECTED, parseFault, type Fault } from "../src/domain/fault-point.ts";
import { nearest } from "../src/domain/nearest.ts";
import { days, seconds, type Millis } from "../src/domain/time.ts";
import { CHANNEL_DEFAULTS, type ChannelSettings } from "./channels.ts";
import { type HttpServices, loadHttpProviders } from "./http-providers.ts";
import { concurrency, rates } from "./per-channel.ts";
import { ConfigError, expectedGot } from "./problem.ts";
import { duration, matching, networks, oneOf, onOff, parsed, secret, whole, type Reader } from "./reading.ts";
import { redisUrl, smtpUrl, webUrl } from "./url.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface TwilioAccount {
  readonly accountSid: string;
  readonly authToken: string;
  /** The number used where a message names none. */
  readonly from: string | null;
}

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Null: a private redis-server is started. */
  readonly redisUrl: string | null;
  readonly dataDir: string;
  readonly fsync: "always" | "everysec";
  /** Null: generated once and kept in the data directory. */
  readonly adminKey: string | null;
  /** Null: the sandbox, or no email. */
  readonly smtpUrl: string | null;
  /** Null: the sandbox, or no SMS, voice and WhatsApp. */
  readonly twilio: TwilioAccount | null;
  readonly twilioApiBaseUrl: string | null;
  /** What goes to a service over HTTP, in the place of SMTP and Twilio. */
  readonly httpProviders: HttpServices;
  /** Null: on with `npm start`, off otherwise. */
  readonly sandbox: boolean | null;
  readonly publicUrl: string | null;
  readonly channels: { readonly [channel in Channel]: ChannelSettings };
  readonly retention: Millis;
  readonly bodyRetention: Millis;
  readonly backlogCap: number;
  /** What a 202 promises: that it outlives the death of any process, or power loss as well. */
  readonly durability: "process" | "power";
  /** Replicas that must have a message before the 202, and the mark "being sent" before the provider is called. */
  readonly replicas: number;
  /** A file of config/policies/. */
  readonly apiPolicy: string;
  readonly trustedProxies: readonly string[];
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  readonly accountsFile: string | null;
  /** Where a worker answers health checks and metrics; null: nowhere. */
  readonly workerPort: number | null;
  /** The name in the hash tag of all keys. Several installations may share one Redis under different names. */
  readonly cell: string;
  /** For tests: the scripts take their time from a key that is moved by hand. */
  readonly testClock: boolean;
  /** For tests: where this process kills itself. Only beside `testClock`: production has neither. */
  readonly fault: Fault | null;
}

/** One printable line: a key is put into a header and shown on a terminal. */
const ADMIN_KEY = /^[\x21-\x7e]{20,512}$/;

/** Usage and counters are kept for 40 days: a message kept longer than a year has no use here. */
const LONGEST_RETENTION = days(366);

const READERS = {
  PORT: whole(0, 65_535),
  HOST: matching(/^[A-Za-z0-9.:_-]{1,253}$/, "a host name or an address such as 127.0.0.1"),
  REDIS_URL: redisUrl,
  SLUICE_DATA_DIR: matching(/^[^\0\n\r]{1,4096}$/, "a directory"),
  SLUICE_FSYNC: oneOf(["always", "everysec"]),
  SLUICE_ADMIN_KEY: secret(ADMIN_KEY, "20 to 512 printable characters without spaces"),
  SMTP_URL: smtpUrl,
  SLUICE_SANDBOX: onOff,
  TWILIO_ACCOUNT_SID: matching(/^AC[0-9a-fA-F]{32}$/, "AC and 32 hexadecimal digits"),
  TWILIO_AUTH_TOKEN: secret(/^[\x21-\x7e]{16,128}$/, "16 to 128 printable characters without spaces"),
  TWILIO_FROM: matching(/^\+[1-9][0-9]{6,14}$/, "a number in E.164 form such as +15551234567"),
  TWILIO_API_BASE_URL: webUrl,
  SLUICE_HTTP_PROVIDERS: matching(/^[^\0\n\r]{1,4096}$/, "a file"),
  PUBLIC_URL: webUrl,
  SLUICE_RATES: rates,
  SLUICE_CONCURRENCY: concurrency,
  SLUICE_RETENTION: duration(seconds(1), LONGEST_RETENTION),
  SLUICE_BODY_RETENTION: duration(seconds(1), LONGEST_RETENTION),
  SLUICE_BACKLOG_CAP: whole(1, 100_000_000),
  SLUICE_DURABILITY: oneOf(["process", "power"]),
  SLUICE_REPLICAS: whole(0, 10),
  SLUICE_API_POLICY: matching(/^[a-z0-9][a-z0-9-]{0,63}$/, "the name of a file of config/policies/ without its ending"),
  TRUSTED_PROXIES: networks,
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
  SLUICE_ACCOUNTS_FILE: matching(/^[^\0\n\r]{1,4096}$/, "a file"),
  SLUICE_WORKER_PORT: whole(1, 65_535),
  SLUICE_CELL: matching(/^[a-z0-9-]{1,32}$/, "1 to 32 lower-case letters, digits and dashes"),
  SLUICE_TEST_CLOCK: oneOf(["0", "1"]),
  SLUICE_FAULTPOINT: parsed(parseFault, FAULT_EXPECTED),
} satisfies Readonly<Record<string, Reader<unknown>>>;

type Variable = keyof typeof READERS;
type ValueOf<V extends Variable> = (typeof READERS)[V] extends Reader<infer T> ? T : never;

export const VARIABLES = Object.keys(READERS) as readonly Variable[];

/** A misspelt variable would leave its default in force without a word. Other programs' variables are not ours to judge. */
const unknownOnes = (env: Environment): readonly string[] =>
  Object.keys(env)
    .filter((name) => name.startsWith("SLUICE_") && !(name in READERS))
    .sort()
    .map((name) => {
      const bare = name.replace(/^SLUICE_/, "");
      const meant = bare in READERS ? bare : nearest(name, VARIABLES);
      return expectedGot(
        name,
        `a variable of docs/operations.md${meant ? ` (${meant}?)` : ""}`,
        "a name that nobody reads",
      );
    });

/** @throws ConfigError with a line for each value that is wrong */
export const readEnv = (env: Environment): Config => {
  const problems: string[] = [];
  const read = <V extends Variable>(name: V): ValueOf<V> | null => {
    // `${X:-}` in a compose file sets a variable to nothing: that is the same as not setting it.
    const text = env[name];
    if (text === undefined || text === "") return null;
    const reading = READERS[name](text);
    if (reading.kind === "value") return reading.value as ValueOf<V>;
    problems.push(expectedGot(name, reading.expected, reading.got));
    return null;
  };

  const twilioPart = { accountSid: read("TWILIO_ACCOUNT_SID"), authToken: read("TWILIO_AUTH_TOKEN") };
  const from = read("TWILIO_FROM");
  const missing = (name: Variable, because: string): void => {
    if ((env[name] ?? "") === "") problems.push(expectedGot(name, `a value, since ${because} is set`, "nothing"));
  };
  if (env["TWILIO_ACCOUNT_SID"]) missing("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID");
  if (env["TWILIO_AUTH_TOKEN"]) missing("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN");

  /** For a service's headers: what is ours (the operator's key, Redis's password) is nobody else's. */
  const secretOf = (name: string): string | undefined | null =>
    name in READERS || name.startsWith("SLUICE_") ? null : env[name];
  const servicesIn = (file: string): HttpServices => {
    try {
      return loadHttpProviders(file, secretOf);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return {};
    }
  };
  const httpFile = read("SLUICE_HTTP_PROVIDERS");

  const rateOf = read("SLUICE_RATES") ?? {};
  const concurrencyOf = read("SLUICE_CONCURRENCY") ?? {};
  const channel = (name: Channel): ChannelSettings => {
    const { [name]: rateInterval = CHANNEL_DEFAULTS[name].rateInterval } = rateOf;
    return {
      ...CHANNEL_DEFAULTS[name],
      rateInterval,
      concurrency: concurrencyOf[name] ?? CHANNEL_DEFAULTS[name].concurrency,
    };
  };

  const retention = read("SLUICE_RETENTION") ?? days(7);
  const bodyRetention = read("SLUICE_BODY_RETENTION");
  if (bodyRetention !== null && bodyRetention > retention)
    problems.push(
      expectedGot(
        "SLUICE_BODY_RETENTION",
        "no more than SLUICE_RETENTION",
        `${env["SLUICE_BODY_RETENTION"] ?? ""}, which is longer`,
      ),
    );

  const testClock = read("SLUICE_TEST_CLOCK") === "1";
  const fault = read("SLUICE_FAULTPOINT");
  if (fault !== null && !testClock)
    problems.push(
      expectedGot(
        "SLUICE_FAULTPOINT",
        "nothing, unless SLUICE_TEST_CLOCK=1 says that this is a test",
        "a point to die at",
      ),
    );

  const config: Config = {
    host: read("HOST") ?? "127.0.0.1",
    port: read("PORT") ?? 3_000,
    redisUrl: read("REDIS_URL"),
    dataDir: read("SLUICE_DATA_DIR") ?? ".sluice",
    fsync: read("SLUICE_FSYNC") ?? "always",
    adminKey: read("SLUICE_ADMIN_KEY"),
    smtpUrl: read("SMTP_URL"),
    twilio:
      twilioPart.accountSid !== null && twilioPart.authToken !== null
        ? { accountSid: twilioPart.accountSid, authToken: twilioPart.authToken, from }
        : null,
    twilioApiBaseUrl: read("TWILIO_API_BASE_URL"),
    httpProviders: httpFile === null ? {} : servicesIn(httpFile),
    sandbox: read("SLUICE_SANDBOX"),
    publicUrl: read("PUBLIC_URL"),
    channels: Object.fromEntries(CHANNELS.map((name) => [name, channel(name)])) as Config["channels"],
    retention,
    bodyRetention: bodyRetention ?? (Math.min(days(1), retention) as Millis),
    backlogCap: read("SLUICE_BACKLOG_CAP") ?? 1_000_000,
    durability: read("SLUICE_DURABILITY") ?? "process",
    replicas: read("SLUICE_REPLICAS") ?? 0,
    apiPolicy: read("SLUICE_API_POLICY") ?? "sluice",
    trustedProxies: read("TRUSTED_PROXIES") ?? [],
    logLevel: read("LOG_LEVEL") ?? "info",
    accountsFile: read("SLUICE_ACCOUNTS_FILE"),
    workerPort: read("SLUICE_WORKER_PORT"),
    cell: read("SLUICE_CELL") ?? "s0",
    testClock,
    fault,
  };
  problems.push(...unknownOnes(env));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
};

/** The environment of this process. */
export const processEnvironment = (): Environment => process.env;

/** npm runs scripts through a shell and dies without telling them: then this process goes with it. */
export const isRunByNpm = (): boolean => process.env["npm_lifecycle_event"] !== undefined;

/** Where a Redis that was fetched is kept from one start to the next: XDG_CACHE_HOME, or .cache in the home directory. */
export const cacheDirectory = (env: Environment): string => {
  const stated = env["XDG_CACHE_HOME"] ?? "";
  // As the standard has it: one that is empty or relative counts as none.
  return join(isAbsolute(stated) ? stated : join(homedir(), ".cache"), "sluice");
};
