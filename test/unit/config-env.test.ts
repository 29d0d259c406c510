import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { CHANNEL_DEFAULTS } from "../../config/channels.ts";
import { cacheDirectory, readEnv, VARIABLES, type Config } from "../../config/env.ts";
import { FAULT_EXPECTED } from "../../src/domain/fault-point.ts";
import { ConfigError } from "../../config/problem.ts";
import { smtpServer } from "../../src/providers/smtp-url.ts";

const SID = "AC0123456789abcdef0123456789abcdef";
const TOKEN = "0123456789abcdef0123456789abcdef";

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readEnv(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

type Row = readonly [variable: string, text: string, pick: (config: Config) => unknown, expected: unknown];

const GOOD: readonly Row[] = [
  ["PORT", "8080", (c) => c.port, 8080],
  ["PORT", "0", (c) => c.port, 0],
  ["PORT", "65535", (c) => c.port, 65535],
  ["PORT", "", (c) => c.port, 3000],
  ["HOST", "0.0.0.0", (c) => c.host, "0.0.0.0"],
  ["HOST", "::1", (c) => c.host, "::1"],
  ["REDIS_URL", "redis://localhost", (c) => c.redisUrl, "redis://localhost"],
  [
    "REDIS_URL",
    "rediss://u:p,w@redis.example.com:6380/2",
    (c) => c.redisUrl,
    "rediss://u:p,w@redis.example.com:6380/2",
  ],
  ["REDIS_URL", "redis://:sentinel@[::1]:6379/", (c) => c.redisUrl, "redis://:sentinel@[::1]:6379/"],
  ["SLUICE_DATA_DIR", "/var/lib/sluice", (c) => c.dataDir, "/var/lib/sluice"],
  ["SLUICE_FSYNC", "everysec", (c) => c.fsync, "everysec"],
  ["SLUICE_ADMIN_KEY", "12345678901234567890", (c) => c.adminKey, "12345678901234567890"],
  ["SMTP_URL", "smtp://mail.example.com", (c) => c.smtpUrl, "smtp://mail.example.com"],
  ["SMTP_URL", "smtps://me%40x.org:p%2Fw@m.example:4650", (c) => c.smtpUrl, "smtps://me%40x.org:p%2Fw@m.example:4650"],
  ["SMTP_URL", "smtp://u:p@[::1]:25/?tls=required", (c) => c.smtpUrl, "smtp://u:p@[::1]:25/?tls=required"],
  ["SMTP_URL", "smtp://127.0.0.1:25?tls=off", (c) => c.smtpUrl, "smtp://127.0.0.1:25?tls=off"],
  ["SLUICE_SANDBOX", "on", (c) => c.sandbox, true],
  ["SLUICE_SANDBOX", "1", (c) => c.sandbox, true],
  ["SLUICE_SANDBOX", "off", (c) => c.sandbox, false],
  ["SLUICE_SANDBOX", "false", (c) => c.sandbox, false],
  ["SLUICE_SANDBOX", "", (c) => c.sandbox, null],
  ["TWILIO_API_BASE_URL", "http://127.0.0.1:4010/", (c) => c.twilioApiBaseUrl, "http://127.0.0.1:4010"],
  ["TWILIO_API_BASE_URL", "http://127.0.0.1:4010/a/b", (c) => c.twilioApiBaseUrl, "http://127.0.0.1:4010/a/b"],
  ["PUBLIC_URL", "https://sluice.example.com/", (c) => c.publicUrl, "https://sluice.example.com"],
  ["SLUICE_RATES", "email=14/s", (c) => c.channels.email.rateInterval, 1000 / 14],
  ["SLUICE_RATES", "email=14/s", (c) => c.channels.sms.rateInterval, 100],
  ["SLUICE_RATES", "sms=90/min, voice=off", (c) => c.channels.sms.rateInterval, 60_000 / 90],
  ["SLUICE_RATES", "sms=90/m,voice=off", (c) => c.channels.voice.rateInterval, null],
  ["SLUICE_RATES", "whatsapp=0.5/s", (c) => c.channels.whatsapp.rateInterval, 2000],
  ["SLUICE_RATES", "voice=1/h", (c) => c.channels.voice.rateInterval, 3_600_000],
  ["SLUICE_RATES", "email=10000/s", (c) => c.channels.email.rateInterval, 0.1],
  ["SLUICE_CONCURRENCY", "email=7", (c) => c.channels.email.concurrency, 7],
  ["SLUICE_CONCURRENCY", "email=7", (c) => c.channels.voice.concurrency, 5],
  ["SLUICE_CONCURRENCY", "email=1000,sms=1", (c) => c.channels.sms.concurrency, 1],
  ["SLUICE_RETENTION", "2d", (c) => c.retention, 172_800_000],
  ["SLUICE_RETENTION", "36h", (c) => [c.retention, c.bodyRetention], [129_600_000, 86_400_000]],
  ["SLUICE_RETENTION", "90m", (c) => [c.retention, c.bodyRetention], [5_400_000, 5_400_000]],
  ["SLUICE_BODY_RETENTION", "30s", (c) => c.bodyRetention, 30_000],
  ["SLUICE_BACKLOG_CAP", "5", (c) => c.backlogCap, 5],
  ["SLUICE_DURABILITY", "power", (c) => c.durability, "power"],
  ["SLUICE_REPLICAS", "2", (c) => c.replicas, 2],
  ["SLUICE_API_POLICY", "iron-gate", (c) => c.apiPolicy, "iron-gate"],
  [
    "TRUSTED_PROXIES",
    "10.0.0.0/8, fd00::/8,192.0.2.1",
    (c) => c.trustedProxies,
    ["10.0.0.0/8", "fd00::/8", "192.0.2.1"],
  ],
  ["TRUSTED_PROXIES", "none", (c) => c.trustedProxies, []],
  ["LOG_LEVEL", "debug", (c) => c.logLevel, "debug"],
  ["SLUICE_ACCOUNTS_FILE", "accounts.yaml", (c) => c.accountsFile, "accounts.yaml"],
  // What may stand in such a file: config-http-providers.test.ts.
  ["SLUICE_HTTP_PROVIDERS", "/dev/null", (c) => c.httpProviders, {}],
  ["SLUICE_WORKER_PORT", "9100", (c) => c.workerPort, 9100],
  ["SLUICE_CELL", "t-1", (c) => c.cell, "t-1"],
  ["SLUICE_TEST_CLOCK", "1", (c) => c.testClock, true],
  ["SLUICE_TEST_CLOCK", "0", (c) => c.testClock, false],
];

const REDIS = "redis://host:6379 or rediss://host:6379 (one server)";
const SMTP = "smtp://user:password@host:587 or smtps://user:password@host:465";
const WEB = "an address such as https://sluice.example.com";
const RATE = "a rate from 1/h to 10000/s, such as 14/s, 90/min or 200/h, or off";
const LENGTH = "a length of time from 1s to 366d such as 7d, 24h, 90m or 30s";
const HIDDEN = "hunter2";

const BAD: readonly (readonly [variable: string, text: string, expectedGot: string])[] = [
  ["PORT", "80a", 'expected a whole number from 0 to 65535, got "80a"'],
  ["PORT", "65536", 'expected a whole number from 0 to 65535, got "65536"'],
  ["PORT", "-1", 'expected a whole number from 0 to 65535, got "-1"'],
  ["PORT", " 80", 'expected a whole number from 0 to 65535, got " 80"'],
  ["PORT", "8e3", 'expected a whole number from 0 to 65535, got "8e3"'],
  ["HOST", "a b", 'expected a host name or an address such as 127.0.0.1, got "a b"'],
  ["REDIS_URL", `${HIDDEN}@host`, `expected ${REDIS}, got a URL that does not parse`],
  ["REDIS_URL", `${HIDDEN}:x@host`, `expected ${REDIS}, got a URL with another scheme (14 characters, not shown)`],
  ["REDIS_URL", "http://host", `expected ${REDIS}, got a http:// URL`],
  ["REDIS_URL", "redis:///0", `expected ${REDIS}, got a redis:// URL without a host`],
  ["REDIS_URL", "unix:///run/redis.sock", `expected ${REDIS}, got a unix:// URL without a host`],
  [
    "REDIS_URL",
    "redis-sentinel://a:26379,b:26379/mymaster",
    `expected ${REDIS}, got the Sentinel form, which is not supported yet: give the address of the primary`,
  ],
  [
    "REDIS_URL",
    "redis://a:26379?sentinelMasterId=mymaster",
    `expected ${REDIS}, got the Sentinel form, which is not supported yet: give the address of the primary`,
  ],
  [
    "REDIS_URL",
    `redis://:${HIDDEN}@a:7000,b:7000`,
    `expected ${REDIS}, got the Cluster form, which is not supported yet: give the address of one server`,
  ],
  [
    "REDIS_URL",
    "redis+cluster://a:7000",
    `expected ${REDIS}, got the Cluster form, which is not supported yet: give the address of one server`,
  ],
  [
    "REDIS_URL",
    `redis://h/${HIDDEN}`,
    "expected redis://host:6379/0, with the number of a database or nothing after the host, got another path",
  ],
  [
    "REDIS_URL",
    `redis://:${HIDDEN}%zz@host`,
    "expected user and password with %, @, : and / written as %25, %40, %3A and %2F, got a % before something else",
  ],
  [
    "REDIS_URL",
    "redis://redis.münchen.de:6379",
    "expected a host in ASCII, as in xn--mnchen-3ya.de for münchen.de, got one with other characters",
  ],
  ["REDIS_URL", "redis://h?keyPrefix=x", `expected ${REDIS} without parameters, got a URL with some`],
  ["SLUICE_DATA_DIR", "a\0b", String.raw`expected a directory, got "a\u0000b"`],
  ["SLUICE_FSYNC", "no", 'expected one of always, everysec, got "no"'],
  [
    "SLUICE_ADMIN_KEY",
    HIDDEN,
    "expected 20 to 512 printable characters without spaces, got something else (7 characters, not shown)",
  ],
  [
    "SLUICE_ADMIN_KEY",
    `${HIDDEN} and some more words`,
    "expected 20 to 512 printable characters without spaces, got something else (27 characters, not shown)",
  ],
  ["SMTP_URL", HIDDEN, `expected ${SMTP}, got a URL that does not parse`],
  ["SMTP_URL", "https://mail.example.com", `expected ${SMTP}, got a https:// URL`],
  ["SMTP_URL", "smtp://", `expected ${SMTP}, got a smtp:// URL without a host`],
  ["SMTP_URL", `smtp://u:12/${HIDDEN}@host`, `expected ${SMTP} with nothing behind it, got more`],
  ["SMTP_URL", `smtp://u:12#${HIDDEN}@host`, `expected ${SMTP} with nothing behind it, got more`],
  [
    "SMTP_URL",
    `smtp://u:12?${HIDDEN}@host`,
    "expected no parameter but one of ?tls=required and ?tls=off, got another one",
  ],
  ["SMTP_URL", "smtps://host?tls=off", "expected no ?tls=off for a server that speaks TLS from the first byte, got it"],
  [
    "SMTP_URL",
    "smtp://host:465?tls=off",
    "expected no ?tls=off for a server that speaks TLS from the first byte, got it",
  ],
  [
    "SMTP_URL",
    "smtp://host?tls=off&tls=required",
    "expected no parameter but one of ?tls=required and ?tls=off, got another one",
  ],
  ["SMTP_URL", "smtp://host?tls=never", "expected no parameter but one of ?tls=required and ?tls=off, got another one"],
  [
    "SMTP_URL",
    `smtp://u:${HIDDEN}%zz@host`,
    "expected user and password with %, @, : and / written as %25, %40, %3A and %2F, got a % before something else",
  ],
  // As Latin-1 writes "é".
  [
    "SMTP_URL",
    `smtp://u:${HIDDEN}%E9@host`,
    "expected user and password with %, @, : and / written as %25, %40, %3A and %2F, got a % before something else",
  ],
  [
    "SMTP_URL",
    "smtp://mail.münchen.de",
    "expected a host in ASCII, as in xn--mnchen-3ya.de for münchen.de, got one with other characters",
  ],
  ["SMTP_URL", "smtp://user@host", "expected user and password, or neither, got one of them"],
  ["SLUICE_SANDBOX", "maybe", 'expected on or off, got "maybe"'],
  ["TWILIO_FROM", "5551234567", 'expected a number in E.164 form such as +15551234567, got "5551234567"'],
  ["TWILIO_FROM", "+٣٤٥٦٧٨٩٠", 'expected a number in E.164 form such as +15551234567, got "+٣٤٥٦٧٨٩٠"'],
  ["TWILIO_API_BASE_URL", "127.0.0.1:4010", `expected ${WEB}, got a URL that does not parse`],
  ["TWILIO_API_BASE_URL", `http://u:${HIDDEN}@h`, `expected ${WEB} without user and password, got a URL with one`],
  ["PUBLIC_URL", "ftp://sluice.example.com", `expected ${WEB}, got a ftp:// URL`],
  ["PUBLIC_URL", "https://sluice.example.com/?a", `expected ${WEB} without ? and #, got a URL with one`],
  ["SLUICE_RATES", "off", 'expected a list such as email=14/s,sms=1/s,voice=off, got "off"'],
  ["SLUICE_RATES", "fax=1/s", 'expected channels among email, sms, voice, whatsapp, got "fax"'],
  ["SLUICE_RATES", "email=1/s,", 'expected a list such as email=14/s,sms=1/s,voice=off, got "email=1/s,"'],
  ["SLUICE_RATES", "email=1/s,email=2/s", "expected each channel once, got email twice"],
  ["SLUICE_RATES", "email=0/s", `expected for email ${RATE}, got "0/s"`],
  ["SLUICE_RATES", "email=14", `expected for email ${RATE}, got "14"`],
  ["SLUICE_RATES", "email=10001/s", `expected for email ${RATE}, got "10001/s"`],
  ["SLUICE_RATES", "email=-1/s", `expected for email ${RATE}, got "-1/s"`],
  ["SLUICE_RATES", "email=0.1/h", `expected for email ${RATE}, got "0.1/h"`],
  ["SLUICE_CONCURRENCY", "50", 'expected a list such as email=50,sms=20, got "50"'],
  ["SLUICE_CONCURRENCY", "email=0", 'expected for email a whole number from 1 to 1000, got "0"'],
  ["SLUICE_CONCURRENCY", "email=1001", 'expected for email a whole number from 1 to 1000, got "1001"'],
  ["SLUICE_RETENTION", "7", `expected ${LENGTH}, got "7"`],
  ["SLUICE_RETENTION", "0s", `expected ${LENGTH}, got "0s"`],
  ["SLUICE_RETENTION", "1.5h", `expected ${LENGTH}, got "1.5h"`],
  ["SLUICE_RETENTION", "367d", `expected ${LENGTH}, got "367d"`],
  ["SLUICE_BODY_RETENTION", "8d", "expected no more than SLUICE_RETENTION, got 8d, which is longer"],
  ["SLUICE_BACKLOG_CAP", "0", 'expected a whole number from 1 to 100000000, got "0"'],
  ["SLUICE_BACKLOG_CAP", "1e6", 'expected a whole number from 1 to 100000000, got "1e6"'],
  ["SLUICE_DURABILITY", "disk", 'expected one of process, power, got "disk"'],
  ["SLUICE_REPLICAS", "-1", 'expected a whole number from 0 to 10, got "-1"'],
  ["SLUICE_API_POLICY", "../x", 'expected the name of a file of config/policies/ without its ending, got "../x"'],
  ["TRUSTED_PROXIES", "true", 'expected addresses and networks such as 10.0.0.0/8,fd00::/8, got "true"'],
  ["TRUSTED_PROXIES", "10.0.0.0/33", 'expected addresses and networks such as 10.0.0.0/8,fd00::/8, got "10.0.0.0/33"'],
  ["TRUSTED_PROXIES", "::1/129", 'expected addresses and networks such as 10.0.0.0/8,fd00::/8, got "::1/129"'],
  ["TRUSTED_PROXIES", "10.0.0.0/", 'expected addresses and networks such as 10.0.0.0/8,fd00::/8, got "10.0.0.0/"'],
  ["TRUSTED_PROXIES", "::/0", 'expected the networks of your own proxies, got "::/0", which is everybody'],
  ["LOG_LEVEL", "verbose", 'expected one of fatal, error, warn, info, debug, trace, silent, got "verbose"'],
  ["SLUICE_ACCOUNTS_FILE", "a\nb", String.raw`expected a file, got "a\nb"`],
  ["SLUICE_HTTP_PROVIDERS", "a\nb", String.raw`expected a file, got "a\nb"`],
  ["SLUICE_WORKER_PORT", "0", 'expected a whole number from 1 to 65535, got "0"'],
  ["SLUICE_CELL", "{a}", 'expected 1 to 32 lower-case letters, digits and dashes, got "{a}"'],
  ["SLUICE_TEST_CLOCK", "yes", 'expected one of 0, 1, got "yes"'],
  ["SLUICE_FAULTPOINT", "worker.begun", `expected ${FAULT_EXPECTED}, got "worker.begun"`],
  ["SLUICE_FAULTPOINT", "worker.began:1", `expected ${FAULT_EXPECTED}, got "worker.began:1"`],
  ["SLUICE_FAULTPOINT", "worker.begun:0", `expected ${FAULT_EXPECTED}, got "worker.begun:0"`],
  [
    "SLUICE_FAULTPOINT",
    "worker.begun:1",
    "expected nothing, unless SLUICE_TEST_CLOCK=1 says that this is a test, got a point to die at",
  ],
  [
    "SLUICE_RATE",
    "email=1/s",
    "expected a variable of docs/operations.md (SLUICE_RATES?), got a name that nobody reads",
  ],
  [
    "SLUICE_SANDBOXES",
    "on",
    "expected a variable of docs/operations.md (SLUICE_SANDBOX?), got a name that nobody reads",
  ],
  ["SLUICE_PORT", "80", "expected a variable of docs/operations.md (PORT?), got a name that nobody reads"],
  ["SLUICE_QQQQQQQQQQ", "x", "expected a variable of docs/operations.md, got a name that nobody reads"],
];

describe("the environment", () => {
  it("is complete when nothing is set: a private Redis, on this machine only, with the sandbox left to the command", () => {
    expect(readEnv({})).toEqual({
      host: "127.0.0.1",
      port: 3000,
      redisUrl: null,
      dataDir: ".sluice",
      fsync: "always",
      adminKey: null,
      smtpUrl: null,
      twilio: null,
      twilioApiBaseUrl: null,
      sandbox: null,
      publicUrl: null,
      channels: CHANNEL_DEFAULTS,
      retention: 7 * 86_400_000,
      bodyRetention: 86_400_000,
      backlogCap: 1_000_000,
      durability: "process",
      replicas: 0,
      apiPolicy: "sluice",
      trustedProxies: [],
      logLevel: "info",
      accountsFile: null,
      httpProviders: {},
      workerPort: null,
      cell: "s0",
      testClock: false,
      fault: null,
    });
  });

  it.each(GOOD)("takes %s=%s", (variable, text, pick, expected) => {
    expect(pick(readEnv({ [variable]: text }))).toEqual(expected);
  });

  it.each(BAD)("refuses %s=%j in one line", (variable, text, sentence) => {
    const problems = problemsOf({ [variable]: text });
    expect(problems).toEqual([`${variable}: ${sentence}`]);
    expect(problems[0]).not.toMatch(new RegExp(`\n|${HIDDEN}`));
  });

  it("has a good and a bad row in this test for every variable that it reads", () => {
    const twilioPair = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"];
    const good = new Set([...GOOD.map(([variable]) => variable), ...twilioPair, "TWILIO_FROM", "SLUICE_FAULTPOINT"]);
    const bad = new Set([...BAD.map(([variable]) => variable), ...twilioPair]);
    expect(VARIABLES.filter((variable) => !good.has(variable) || !bad.has(variable))).toEqual([]);
  });

  it("takes Twilio's account whole or not at all, and the number to send from only beside it", () => {
    const both = { TWILIO_ACCOUNT_SID: SID, TWILIO_AUTH_TOKEN: TOKEN };
    expect(readEnv(both).twilio).toEqual({ accountSid: SID, authToken: TOKEN, from: null });
    expect(readEnv({ ...both, TWILIO_FROM: "+15551234567" }).twilio?.from).toBe("+15551234567");
    expect(problemsOf({ TWILIO_ACCOUNT_SID: SID })).toEqual([
      "TWILIO_AUTH_TOKEN: expected a value, since TWILIO_ACCOUNT_SID is set, got nothing",
    ]);
    expect(problemsOf({ TWILIO_AUTH_TOKEN: TOKEN })).toEqual([
      "TWILIO_ACCOUNT_SID: expected a value, since TWILIO_AUTH_TOKEN is set, got nothing",
    ]);
    expect(problemsOf({ TWILIO_ACCOUNT_SID: "AC12", TWILIO_AUTH_TOKEN: HIDDEN })).toEqual([
      'TWILIO_ACCOUNT_SID: expected AC and 32 hexadecimal digits, got "AC12"',
      "TWILIO_AUTH_TOKEN: expected 16 to 128 printable characters without spaces, got something else (7 characters, not shown)",
    ]);
  });

  it("takes a point to die at only where a test's clock says that this is a test", () => {
    const test = { SLUICE_TEST_CLOCK: "1", SLUICE_FAULTPOINT: "gate.released:12" };
    expect(readEnv(test).fault).toEqual({ point: "gate.released", nth: 12 });
    expect(problemsOf({ ...test, SLUICE_TEST_CLOCK: "0" })).toHaveLength(1);
    expect(readEnv({ SLUICE_TEST_CLOCK: "1" }).fault).toBeNull();
  });

  it("tells of every bad value at once, a line for each", () => {
    expect(problemsOf({ PORT: "x", LOG_LEVEL: "y", SLUICE_CELLS: "z" })).toEqual([
      'PORT: expected a whole number from 0 to 65535, got "x"',
      'LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, got "y"',
      "SLUICE_CELLS: expected a variable of docs/operations.md (SLUICE_CELL?), got a name that nobody reads",
    ]);
  });

  it("does not look at other programs' variables", () => {
    expect(problemsOf({ PATH: "/bin", SLUICEGATE: "1", REDIS_URI: "redis://x" })).toEqual([]);
  });

  it("takes no SMTP_URL that the adapter cannot take apart", () => {
    for (const [variable, text] of GOOD) if (variable === "SMTP_URL") expect(smtpServer(text).host).not.toBe("");
  });
});

/** All waits together, at their longest. */
const longest = ({ base, cap, tries }: (typeof CHANNEL_DEFAULTS)["email"]["retry"]) =>
  Array.from({ length: tries - 1 }, (_, n) => Math.min(cap, base * 2 ** n)).reduce((sum, wait) => sum + wait, 0);

describe("the channels' defaults", () => {
  it("give an attempt of email and SMS no more than 25 seconds from begin to reaping", () => {
    for (const channel of ["email", "sms"] as const) {
      const { callBudget, attemptTimeout, reapMargin } = CHANNEL_DEFAULTS[channel];
      expect(callBudget + attemptTimeout + reapMargin).toBeLessThanOrEqual(25_000);
    }
  });

  it("try email for over an hour on average, texts for five minutes, and call back within two", () => {
    expect(longest(CHANNEL_DEFAULTS.email.retry) / 2).toBe(5_505_000);
    expect(longest(CHANNEL_DEFAULTS.sms.retry) / 2).toBe(317_500);
    expect(longest(CHANNEL_DEFAULTS.voice.retry)).toBe(90_000);
  });
});

describe("what was fetched", () => {
  it("is kept where XDG_CACHE_HOME says, and in the home directory where that says nothing", () => {
    const usual = join(homedir(), ".cache", "sluice");
    expect(cacheDirectory({ XDG_CACHE_HOME: "/var/cache/one" })).toBe("/var/cache/one/sluice");
    for (const env of [{}, { XDG_CACHE_HOME: "" }, { XDG_CACHE_HOME: "here" }]) expect(cacheDirectory(env)).toBe(usual);
  });
});
