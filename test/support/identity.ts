/** Accounts, keys, tokens, plans and the audit on a real Redis behind the API on a real socket; time is moved by hand. */
import type { Redis } from "ioredis";
import { pino } from "pino";
import { accountsOn } from "../../src/accounts/accounts.ts";
import { apiKeysOn } from "../../src/accounts/api-keys.ts";
import { auditOn } from "../../src/accounts/audit.ts";
import type { Plan, Plans } from "../../src/accounts/plan.ts";
import { planStoreOn } from "../../src/accounts/plan-store.ts";
import { tokensOn } from "../../src/accounts/tokens.ts";
import { instant, systemClock } from "../../src/domain/time.ts";
import { nudgerOn } from "../../src/gate/nudge.ts";
import { rulesOn } from "../../src/gate/rules.ts";
import { zonesOn } from "../../src/gate/zones.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { scriptRunner, type ScriptRunner } from "../../src/redis/script.ts";
import { anApi, textOf, type Answer, type Api } from "../http/api.ts";
import { testRedis, type TestRedis } from "./redis.ts";

const STARTS_AT = Date.parse("2026-03-01T04:29:00Z");

/** The file's plans. */
export const FILE_PLANS: Plans = new Map<string, Plan>([
  ["free", { quotas: { email: { hour: 20 } }, weight: 1, apiLimit: { minute: 60, hour: 1_000 }, apiCeiling: null }],
  ["scale", { quotas: {}, weight: 5, apiLimit: { minute: 3_000 }, apiCeiling: { minute: 9_000 } }],
]);

export const composeIdentity = (redis: Redis, scripts: ScriptRunner, cell: TestRedis["cell"], file = FILE_PLANS) => {
  const keys = keysOf(cell);
  const clock = systemClock;
  const nudger = nudgerOn(redis, keys);
  const control = rulesOn({
    redis,
    scripts,
    keys,
    zones: zonesOn(redis, scripts, keys, pino({ level: "silent" })),
    nudger,
  });
  const accounts = accountsOn({ redis, keys, scripts, control, plans: file, clock });
  const apiKeys = apiKeysOn({ redis, keys, scripts, clock, plans: file });
  return {
    accounts,
    control,
    keys: apiKeys,
    tokens: tokensOn({ scripts, clock, keys: apiKeys }),
    audit: auditOn({ redis, keys }),
    plans: planStoreOn({ redis, keys, scripts, clock, file, tellAccounts: accounts.finishPlans }),
  };
};

export interface Identity extends Api {
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly scripts: ScriptRunner;
  readonly identity: ReturnType<typeof composeIdentity>;
  now(): number;
  moveBy(ms: number): Promise<void>;
  /** Everything that the cell holds, as text. */
  everything(): Promise<string>;
  token(key: string, body?: object): Promise<Answer>;
}

export const anIdentity = async (): Promise<Identity> => {
  const server = await testRedis();
  const redis = server.connect();
  const scripts = scriptRunner(redis, server.cell, { testClock: true });
  const identity = composeIdentity(redis, scripts, server.cell);
  const api = await anApi(identity);
  let now = STARTS_AT;
  const moveBy = async (ms: number): Promise<void> => {
    now += ms;
    api.world.now = instant(now);
    await redis.set(keysOf(server.cell).testClock, now);
  };
  await moveBy(0);
  const content = async (key: string): Promise<unknown> => {
    const type = await redis.type(key);
    if (type === "string") return redis.get(key);
    if (type === "hash") return redis.hgetall(key);
    if (type === "set") return redis.smembers(key);
    return type === "zset" ? redis.zrange(key, "0", "-1") : type;
  };
  return {
    ...api,
    server,
    redis,
    scripts,
    identity,
    now: () => now,
    moveBy,
    everything: async () => {
      const names = await redis.keys(`${server.cell}*`);
      return JSON.stringify(await Promise.all(names.map(async (name) => [name, await content(name)])));
    },
    token: (key, body) => api.ask("POST", "/v1/auth/token", { key, ...(body ? { body } : {}) }),
    close: async () => {
      await api.close();
      await server.close();
    },
  };
};

export const linesOf = async (api: Api, query: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const answer = await api.operate("GET", `/v1/audit?${query}`);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body["items"] as readonly Readonly<Record<string, unknown>>[];
};

/** A key of an account, with what is stated of it. */
export const aKeyOf = async (api: Api, account: string, fields: object): Promise<{ id: string; key: string }> => {
  const made = await api.operate("POST", `/v1/accounts/${account}/keys`, fields);
  return { id: textOf(made, "id"), key: textOf(made, "key") };
};
