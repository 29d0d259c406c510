/** The tables of the five published descriptions, row by row, as they stand there. */
import { days, hours, minutes, type Millis } from "../../src/domain/time.ts";
import type { ActionRequest, Facts } from "../../src/ratelimit/caller.ts";

export interface Row {
  /** In words, as the document has it. */
  readonly what: string;
  readonly method: string;
  /** As a Fastify route. */
  readonly route: string;
  readonly rule: string;
  readonly limit: number;
  readonly per: Millis;
  readonly facts?: Facts;
  /** Beside the route's own parameters. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

type Short = readonly [what: string, method: string, route: string, rule: string, limit: number];

const perMinute = (rows: readonly Short[], facts: Facts): readonly Row[] =>
  rows.map(([what, method, route, rule, limit]) => ({ what, method, route, rule, limit, per: minutes(1), facts }));

const ACCOUNT: Facts = { account: "acc_1", ip: "192.0.2.1" };

export const MIGOSMTP: readonly Row[] = perMinute(
  [
    ["Email send", "POST", "/email/send", "email-send", 300],
    ["Bulk email send", "POST", "/email/send/bulk", "email-bulk", 60],
    ["Reporting & logs", "GET", "/reports/daily", "reports", 120],
    ["Suppressions", "POST", "/suppressions/add", "suppressions", 60],
    ["Domain management, reading", "GET", "/domains/:domain", "domains", 30],
    ["Domain management, writing", "POST", "/domains/verify", "domains", 30],
    ["All other endpoints", "DELETE", "/templates/:id", "other", 60],
  ],
  ACCOUNT,
);

export const TELNXO: readonly Row[] = perMinute(
  [
    ["SMS send", "POST", "/sms/send", "sms-send", 300],
    ["Voice call initiate", "POST", "/voice/call", "voice-call", 60],
    ["WhatsApp send", "POST", "/whatsapp/send", "whatsapp-send", 120],
    ["Reporting & logs", "GET", "/reports/daily", "reports", 120],
    ["All other endpoints", "GET", "/numbers", "other", 60],
  ],
  ACCOUNT,
);

/** Ours: the same numbers at our own routes. */
export const SLUICE: readonly Row[] = perMinute(
  [
    ["Email send", "POST", "/v1/email/send", "email-send", 300],
    ["Bulk email send", "POST", "/v1/email/send/bulk", "email-bulk", 60],
    ["SMS send", "POST", "/v1/sms/send", "sms-send", 300],
    ["Voice call initiate", "POST", "/v1/voice/call", "voice-call", 60],
    ["WhatsApp send", "POST", "/v1/whatsapp/send", "whatsapp-send", 120],
    ["Reports", "GET", "/v1/reports/usage", "reports", 120],
    ["One message", "GET", "/v1/messages/:id", "reports", 120],
    ["One message of a channel", "GET", "/v1/:channel/messages/:id", "reports", 120],
    ["All messages", "GET", "/v1/messages", "reports", 120],
    ["Batches", "GET", "/v1/batches/:id", "reports", 120],
    ["Queues", "GET", "/v1/queues", "reports", 120],
    ["Quotas", "GET", "/v1/quotas", "reports", 120],
    ["Limits", "GET", "/v1/limits", "reports", 120],
    ["Suppressions", "POST", "/v1/suppressions", "suppressions", 60],
    ["All other endpoints", "DELETE", "/v1/messages/:id", "other", 60],
    ["Token", "POST", "/v1/auth/token", "auth-token", 5],
    ["Refresh", "POST", "/v1/auth/refresh", "auth-refresh", 5],
    ["What providers tell", "POST", "/v1/callbacks/twilio/status", "provider-callbacks", 6_000],
  ],
  ACCOUNT,
);

const USER: Facts = { user: "usr_1", ip: "192.0.2.1" };
const CALLER: Facts = { key: "key_1", ip: "192.0.2.1" };

const ipto = (per: Millis, rows: readonly Short[], body?: Row["body"]): readonly Row[] =>
  rows.map(([what, method, route, rule, limit]) => ({
    what,
    method,
    route,
    rule,
    limit,
    per,
    facts: CALLER,
    ...(body ? { body } : {}),
  }));

/** Without the three of every caller, which lie over all of these. */
export const IPTO: readonly Row[] = [
  ...ipto(hours(1), [["Magic link requests", "POST", "/auth/magic-link", "magic-link", 3]], { email: "a@example.org" }),
  ...ipto(days(1), [["Token verification", "POST", "/auth/verify", "verification", 5]], { link: "one" }),
  ...ipto(hours(1), [["Token refresh", "POST", "/auth/refresh", "refresh", 10]], { refresh_token: "rt" }),
  ...ipto(hours(1), [
    ["Asset creation", "POST", "/assets", "asset-creation", 10],
    ["Asset updates", "PUT", "/assets/:id", "asset-updates", 20],
    ["License creation", "POST", "/microip/licenses", "license-creation", 5],
    ["Asset downloads", "GET", "/microip/assets/:id/download", "asset-downloads", 20],
    ["Deposits", "POST", "/balance/deposits", "deposits", 10],
    ["Withdrawals", "POST", "/balance/withdrawals", "withdrawals", 5],
    ["Wallet addition", "POST", "/wallets", "wallet-addition", 5],
    ["Wallet verification", "POST", "/wallets/:id/verify", "wallet-verification", 10],
  ]),
  ...ipto(minutes(1), [
    ["Asset listing", "GET", "/assets", "asset-listing", 100],
    ["Search requests", "GET", "/microip/search", "search", 50],
    ["Balance checks", "GET", "/balance", "balance-checks", 100],
    ["Wallet listing", "GET", "/wallets", "wallet-listing", 50],
  ]),
];

export const MONOGOTO_PLANS = [
  { plan: "standard", minute: 60, hour: 1_000 },
  { plan: "business", minute: 300, hour: 10_000 },
] as const;
export const MONOGOTO_USER = USER;

export type Plan = "free" | "starter" | "scale";

/** Route, then requests per minute of Free, Starter and Scale. */
export const TAGOIO: readonly (readonly [what: string, free: number, starter: number, scale: number])[] = [
  ["POST /device", 10, 250, 5_000],
  ["DELETE /device/:device_id", 10, 250, 5_000],
  ["GET /device", 50, 100, 500],
  ["GET /device/:device_id", 100, 1_000, 5_000],
  ["GET /device/token/:device_id", 100, 1_000, 5_000],
  ["GET /device/:device_id/data_amount", 100, 1_000, 5_000],
  ["GET /device/:device_id/chunk", 100, 1_000, 15_000],
  ["GET /device/params", 100, 1_000, 5_000],
  ["GET /device/params/:device_id", 100, 1_000, 5_000],
  ["PUT /device/:device_id", 50, 250, 2_000],
  ["POST /device/token", 50, 250, 2_000],
  ["DELETE /device/token/:token", 50, 250, 2_000],
  ["POST /device/:device_id/convert", 50, 250, 2_000],
  ["POST /device/:device_id/empty", 50, 250, 2_000],
  ["POST /device/:device_id/chunk/copy", 50, 250, 2_000],
  ["DELETE /device/:device_id/chunk/:chunk_id", 50, 250, 2_000],
  ["GET /data", 250, 5_000, 15_000],
  ["POST /data", 250, 5_000, 15_000],
  ["PUT /data", 60, 250, 1_000],
  ["DELETE /data", 60, 250, 1_000],
  ["GET /data?query=aggregate", 5, 10, 100],
  ["PUT /account", 50, 100, 500],
  ["GET /account", 50, 100, 500],
  ["POST /analysis", 60, 100, 1_000],
  ["PUT /analysis/:analysis_id", 60, 100, 1_000],
  ["DELETE /analysis/:analysis_id", 60, 100, 1_000],
  ["POST /analysis/:analysis_id/upload", 60, 100, 1_000],
  ["GET /analysis", 60, 1_000, 2_000],
  ["POST /action", 60, 100, 1_000],
  ["PUT /action/:action_id", 60, 100, 1_000],
  ["DELETE /action/:action_id", 60, 100, 1_000],
  ["POST /dashboard", 60, 100, 1_000],
  ["PUT /dashboard/:dashboard_id", 60, 100, 1_000],
  ["DELETE /dashboard/:dashboard_id", 60, 100, 1_000],
  ["POST /files", 60, 100, 200],
  ["PUT /files", 60, 100, 200],
  ["DELETE /files", 60, 100, 200],
  ["POST /profile", 60, 100, 200],
  ["PUT /profile/:profile_id", 60, 100, 200],
  ["DELETE /profile/:profile_id", 60, 100, 200],
  ["POST /notification", 60, 100, 1_000],
  ["PUT /notification/:notification_id/:btn_id", 60, 100, 1_000],
  ["POST /run/notification", 60, 100, 1_000],
  ["POST /run/users", 60, 100, 1_000],
  ["PUT /run/users/:user_id", 60, 100, 1_000],
  ["POST /am", 60, 100, 200],
  ["PUT /am/:am_id", 60, 100, 200],
  ["GET /tags/keys/:type", 60, 100, 1_000],
  ["GET /info", 60, 5_000, 10_000],
  ["POST /integration/network", 60, 100, 500],
  ["POST /serviceauth", 60, 100, 200],
  ["POST /dictionary", 60, 100, 200],
  ["POST /template", 60, 100, 100],
  ["POST /tcore/instance", 60, 100, 100],
  ["mqtt-publish", 250, 5_000, 15_000],
  ["mqtt-subscribe", 250, 5_000, 15_000],
  ["mqtt-connect", 20, 100, 200],
];

/** A row of TagoIO's as what is asked of the limiter. */
export const tagoRequest = (
  what: string,
  facts: Facts,
): ActionRequest | (Omit<Row, "what" | "rule" | "limit" | "per"> & { facts: Facts }) => {
  const [method = "", path] = what.split(" ");
  if (path === undefined) return { action: method, facts };
  const [route = "", query] = path.split("?");
  return { method, route, facts, ...(query === undefined ? {} : { query: Object.fromEntries([query.split("=")]) }) };
};
