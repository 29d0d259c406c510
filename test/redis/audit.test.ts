/** The audit: every change has its line, with what was in force before and what is since; no line is ever changed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { CHANGES, notesOf, SYSTEM } from "../../src/domain/audit.ts";
import { newSeed } from "../../src/domain/id.ts";
import { instant, milliseconds } from "../../src/domain/time.ts";
import { cursorFrom } from "../../src/http/cursor.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { scriptRunner } from "../../src/redis/script.ts";
import { addApiKey } from "../../src/redis/scripts/api-keys-add.ts";
import { anIdentity, aKeyOf, composeIdentity, linesOf, type Identity } from "../support/identity.ts";
import { itemsOf, textOf, type Answer } from "../http/api.ts";
import { readRow } from "../support/rows.ts";

const YEAR = 365 * 86_400_000;

let api: Identity;
let account: string;
let keyId: string;
beforeAll(async () => {
  api = await anIdentity();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ id: account, keyId } = await api.anAccount({ plan: "free" }));
});

type Line = Readonly<Record<string, unknown>>;
const lines = (query = `account_id=${account}`): Promise<readonly Line[]> => linesOf(api, query);
/** The newest. */
const last = async (query?: string): Promise<Line | undefined> => (await lines(query))[0];
const operate = async (method: string, path: string, body?: unknown): Promise<Answer> => {
  const answer = await api.operate(method, path, body);
  if (answer.status >= 300) throw new Error(answer.text);
  return answer;
};
const path = (rest = ""): string => `/v1/accounts/${account}${rest}`;
const only = (line: Line | undefined): unknown => line && { what: line["what"], from: line["from"], to: line["to"] };

const CASES: readonly [string, () => Promise<unknown>, object][] = [
  [
    "a quota that goes back to the plan's",
    async () => {
      await operate("PUT", path("/quotas/email"), { hour: 5, day: null });
      await operate("PUT", path("/quotas/email"), {});
    },
    { what: "quotas", from: { email: { hour: 5, day: null } }, to: { email: { hour: 20 } } },
  ],
  [
    "a quota over all channels",
    () => operate("PUT", path("/quotas/all"), { month: 0 }),
    { what: "quotas", from: { all: {} }, to: { all: { month: 0 } } },
  ],
  [
    "a sender's first rule",
    () => operate("PUT", path("/senders/A@B.org/quotas/email"), { hour: 2, rate: "1/s" }),
    {
      what: "sender",
      from: null,
      to: { channel: "email", sender: "a@b.org", hour: 2, rate_interval_ms: 1_000 },
    },
  ],
  [
    "a sender's rule that is lifted",
    async () => {
      await operate("PUT", path("/senders/a@b.org/quotas/email"), { hour: 2 });
      await operate("PUT", path("/senders/a@b.org/quotas/email"), {});
    },
    { what: "sender", from: { channel: "email", sender: "a@b.org", hour: 2, rate_interval_ms: null }, to: null },
  ],
  [
    "a zone",
    () => operate("PATCH", path(), { timezone: "Europe/Lisbon" }),
    { what: "zone", from: "Asia/Kathmandu", to: "Europe/Lisbon" },
  ],
  ["a name", () => operate("PATCH", path(), { name: "New" }), { what: "account.name", from: "Test", to: "New" }],
  ["a weight", () => operate("PATCH", path(), { weight: 7 }), { what: "weight", from: 1, to: 7 }],
  [
    "what becomes of the uncertain",
    () => operate("PATCH", path(), { on_uncertain: { sms: "resend" } }),
    { what: "account.on_uncertain", from: {}, to: { sms: "resend" } },
  ],
  [
    "an API limit over the plan's",
    () => operate("PATCH", path(), { api_limit: { minute: 5 } }),
    { what: "api_limit", from: { minute: 60, hour: 1_000 }, to: { minute: 5, hour: 1_000 } },
  ],
  [
    "an API ceiling",
    () => operate("PATCH", path(), { api_ceiling: { minute: 500 } }),
    { what: "api_ceiling", from: null, to: { minute: 500 } },
  ],
  [
    "a pause",
    () => operate("POST", path("/channels/sms/pause")),
    { what: "pause", from: { channel: "sms", paused: false }, to: { channel: "sms", paused: true } },
  ],
  [
    "a resumption",
    async () => {
      await operate("POST", path("/channels/sms/pause"));
      await operate("POST", path("/channels/sms/resume"));
    },
    { what: "pause", from: { channel: "sms", paused: true }, to: { channel: "sms", paused: false } },
  ],
];
describe("a line of the audit", () => {
  it("says who changed what, when, from what to what, and with which request", async () => {
    const answer = await operate("PUT", path("/quotas/email"), { hour: 5 });
    expect(await last()).toEqual({
      id: expect.stringMatching(/^evt_[0-9A-HJKMNP-TV-Z]{26}$/),
      at: new Date(api.now()).toISOString(),
      by: { kind: "operator" },
      account_id: account,
      what: "quotas",
      // Its plan's, which was what held.
      from: { email: { hour: 20 } },
      to: { email: { hour: 5 } },
      request_id: answer.headers.get("x-request-id"),
    });
  });

  it.each(CASES)("tells of %s", async (_what, change, line) => {
    await change();
    expect(only(await last())).toEqual(line);
  });

  it("tells of each thing that one request changed, and of what another plan brings with it", async () => {
    await operate("PATCH", path(), { plan: "scale", name: "Bigger" });
    const told = (await lines()).filter(({ what }) => what !== "account.made" && what !== "key.made").map(only);
    expect(told).toHaveLength(6);
    expect(told).toEqual(
      expect.arrayContaining([
        { what: "account.name", from: "Test", to: "Bigger" },
        { what: "plan", from: "free", to: "scale" },
        { what: "weight", from: 1, to: 5 },
        { what: "quotas", from: { email: { hour: 20 } }, to: { email: {} } },
        { what: "api_limit", from: { minute: 60, hour: 1_000 }, to: { minute: 3_000 } },
        { what: "api_ceiling", from: null, to: { minute: 9_000 } },
      ]),
    );
  });

  it("tells of a key's whole life", async () => {
    const { id } = await aKeyOf(api, account, { name: "Shop", api_limit: { minute: 5 } });
    const made = { id, name: "Shop", scopes: ["send", "read"], api_limit: { minute: 5 }, expires_at: null };
    expect(only(await last())).toEqual({ what: "key.made", from: null, to: made });
    await operate("PATCH", path(`/keys/${id}`), { api_limit: null, expires_at: "2027-01-01T00:00:00Z" });
    const patched = { ...made, api_limit: null, expires_at: "2027-01-01T00:00:00.000Z" };
    expect(only(await last())).toEqual({ what: "key.patched", from: made, to: patched });
    const rotated = await operate("POST", path(`/keys/${id}/rotate`), { overlap: 60 });
    const successor = { ...patched, id: textOf(rotated, "id"), overlap_seconds: 60 };
    expect(only(await last())).toEqual({ what: "key.rotated", from: patched, to: successor });
    await operate("DELETE", path(`/keys/${id}`));
    const dying = new Date(api.now() + 60_000).toISOString();
    expect(only(await last())).toEqual({ what: "key.revoked", from: { ...patched, expires_at: dying }, to: null });
  });

  it("tells of an account's making and removal, which outlive it", async () => {
    await operate("DELETE", path());
    const told = await lines();
    expect(told.map(({ what }) => what)).toEqual(["account.removed", "key.made", "account.made"]);
    const was = { name: "Test", timezone: "Asia/Kathmandu", plan: "free" };
    expect(told[0]).toMatchObject({ from: was, to: null });
    expect(told[2]).toMatchObject({ from: null, to: was });
    expect(await api.redis.ttl(keysOf(api.server.cell).auditOf(account))).toBeGreaterThan(YEAR / 1_000);
  });

  it("tells of plans and of everybody's pauses, which are no one account's", async () => {
    await operate("PUT", "/v1/plans/passing", { weight: 2 });
    const made = { name: "passing", quotas: {}, weight: 2, api_limit: null, api_ceiling: null };
    expect(await last("what=plan.made")).toMatchObject({ account_id: null, from: null, to: made });
    await operate("PUT", "/v1/plans/passing", { weight: 3 });
    expect(only(await last("what=plan.patched"))).toMatchObject({ from: made, to: { ...made, weight: 3 } });
    const plans = (await operate("GET", "/v1/plans")).body["items"] as { name: string }[];
    await operate("PUT", "/v1/plans", { items: plans.filter(({ name }) => name !== "passing") });
    expect(only(await last("what=plan.removed"))).toMatchObject({ from: { ...made, weight: 3 }, to: null });
    await operate("POST", "/v1/channels/voice/pause");
    expect(await last("what=pause")).toMatchObject({
      account_id: null,
      from: { channel: "voice", paused: false },
      to: { channel: "voice", paused: true },
    });
    await operate("POST", "/v1/channels/voice/resume");
  });

  it("names the key that an account changed its keys with", async () => {
    const admin = await aKeyOf(api, account, { scopes: ["send", "read", "admin"] });
    const token = textOf(await api.token(admin.key), "access_token");
    for (const credential of [admin.key, token]) {
      await api.ask("PATCH", path(`/keys/${keyId}`), { key: credential, body: { name: credential.slice(0, 5) } });
      expect(await last()).toMatchObject({ what: "key.patched", by: { kind: "account", key: admin.id } });
    }
    const seen = await api.ask("GET", "/v1/audit", { key: admin.key });
    expect(new Set(itemsOf(seen).map(({ account_id }) => account_id))).toEqual(new Set([account]));
  });

  it("is not there for what changed nothing, and not for what was refused", async () => {
    await operate("POST", path("/channels/sms/pause"));
    const before = await lines();
    await operate("PATCH", path(), { name: "Test", quotas: { email: {} }, plan: "free" });
    await operate("PUT", path("/quotas/email"), { hour: 20 });
    await operate("POST", path("/channels/sms/pause"));
    await operate("PATCH", path(`/keys/${keyId}`), { scopes: ["read", "send"] });
    await operate("PUT", path("/senders/a@b.org/quotas/email"), {});
    await api.operate("PATCH", path(), { timezone: "PST" });
    await api.operate("DELETE", path("/keys/key_none"));
    await api.operate("PATCH", path(`/keys/${keyId}`), { api_limit: { minute: -1 } });
    expect(await lines()).toEqual(before);
  });

  it("never holds a secret", async () => {
    const { key } = await aKeyOf(api, account, {});
    const rotated = await operate("POST", path(`/keys/${keyId}/rotate`));
    await api.token(key);
    const text = JSON.stringify(await lines(""));
    for (const secret of [key, textOf(rotated, "key")]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(secret.slice(29, 60));
    }
    expect(text).not.toContain("digest");
  });
});

describe("the audit", () => {
  it("tells the order of changes made at once: each line begins where the one before it ended", async () => {
    const hours = Array.from({ length: 8 }, (_, at) => at + 1);
    const limits = Array.from({ length: 8 }, (_, at) => at + 100);
    await Promise.all([
      ...hours.map((hour) => operate("PUT", path("/quotas/email"), { hour })),
      ...limits.map((minute) => operate("PATCH", path(`/keys/${keyId}`), { api_limit: { minute } })),
    ]);
    for (const [what, count] of [
      ["quotas", 8],
      ["key.patched", 8],
    ] as const) {
      const told = (await lines(`account_id=${account}&what=${what}`)).toReversed();
      expect(told).toHaveLength(count);
      for (const [at, line] of told.slice(1).entries()) expect(line["from"]).toEqual(told[at]?.["to"]);
    }
  });

  /** A process that is overtaken: between its look and its write somebody else writes. */
  const overtaken = (script: string, meanwhile: () => Promise<unknown>) => {
    let isFirst = true;
    const run: typeof api.scripts.run = async (asked, args) => {
      if (asked.name === script && isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return api.scripts.run(asked, args);
    };
    return composeIdentity(api.redis, { run }, api.server.cell);
  };

  it.each(["patch", "rotate", "revoke"] as const)(
    "tells what a key was when it was changed, not when it was looked at: %s",
    async (verb) => {
      const meanwhile = () => operate("PATCH", path(`/keys/${keyId}`), { name: "Meanwhile" });
      const { keys } = overtaken(`api-keys-${verb}`, meanwhile);
      if (verb === "patch") await keys.patch(account, keyId, { apiLimit: { minute: 1 } });
      else if (verb === "rotate") await keys.rotate(account, keyId, milliseconds(60_000));
      else await keys.revoke(account, keyId);
      const [line, before] = await lines();
      expect(before).toMatchObject({ what: "key.patched", to: { name: "Meanwhile" } });
      expect(line?.["from"]).toEqual(before?.["to"]);
    },
  );

  it("tells what a plan was when it was changed, not when it was looked at", async () => {
    await operate("PUT", "/v1/plans/contested", { weight: 2 });
    const { plans } = overtaken("plans-write", () => operate("PUT", "/v1/plans/contested", { weight: 3 }));
    await plans.put("contested", { quotas: {}, weight: 4, apiLimit: null, apiCeiling: null });
    const told = (await lines("what=plan.patched&limit=2")).map(({ from, to }) => [from, to]);
    const weighing = (weight: number) => expect.objectContaining({ name: "contested", weight });
    expect(told).toEqual([
      [weighing(3), weighing(4)],
      [weighing(2), weighing(3)],
    ]);
  });

  it("is read by pages, of one account, of one kind, and each line once, also while others are added", async () => {
    for (let hour = 1; hour <= 7; hour++) await operate("PUT", path("/quotas/email"), { hour });
    const seen: Line[] = [];
    for (let cursor = ""; ;) {
      const page = await operate("GET", `/v1/audit?account_id=${account}&what=quotas&limit=2${cursor}`);
      expect(itemsOf(page).length).toBeLessThanOrEqual(2);
      seen.push(...itemsOf(page));
      await operate("PUT", path("/quotas/sms"), { hour: seen.length });
      if (page.body["next_cursor"] === null) break;
      cursor = `&cursor=${textOf(page, "next_cursor")}`;
    }
    expect(seen.map(({ to }) => to)).toEqual([7, 6, 5, 4, 3, 2, 1].map((hour) => ({ email: { hour } })));
  });

  it.each(["what=everything", "cursor=x", "limit=0", "limit=201", "who=me", "account_id="])(
    "is not asked for %s",
    async (query) => {
      expect((await api.operate("GET", `/v1/audit?${query}`)).status).toBe(422);
    },
  );

  it("takes no cursor that somebody made up, whole as it may seem", async () => {
    for (const inner of ["x", "1 LIMIT", "(1", "1e", "", "9".repeat(400)]) {
      const one = await api.operate(
        "GET",
        `/v1/audit?account_id=${account}&cursor=${cursorFrom(`audit ${account}`, inner)}`,
      );
      const all = await api.operate("GET", `/v1/audit?cursor=${cursorFrom("audit ", inner)}`);
      expect([one.status, all.status]).toEqual([422, 422]);
    }
  });

  it("takes no cursor of another account's", async () => {
    const page = await operate("GET", `/v1/audit?account_id=${account}&limit=1`);
    const cursor = textOf(page, "next_cursor");
    expect((await api.operate("GET", `/v1/audit?cursor=${cursor}`)).status).toBe(422);
  });

  it("is added to and nothing else: no route writes it", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"])
      for (const at of ["/v1/audit", `/v1/audit/${String((await last())?.["id"])}`])
        expect((await api.operate(method, at, {})).status).toBe(404);
  });

  it("is kept for a year", async () => {
    const { auditLine, auditOf } = keysOf(api.server.cell);
    const { id } = (await last()) as { id: string };
    expect(await api.redis.ttl(auditLine(id))).toBeGreaterThan(YEAR / 1_000);
    // What has outlived its year is no line, and leaves the lists as others come.
    const [newest, ...older] = (await lines()).map((line) => String(line["id"]));
    for (const old of older) await api.redis.del(auditLine(old));
    expect((await lines()).map((line) => line["id"])).toEqual([newest]);
    await operate("PATCH", path(), { name: "Later" });
    expect(await api.redis.zcard(auditOf(account))).toBe(2);
  });

  it("is told of every change there is", async () => {
    for (const [, change] of CASES) await change();
    await operate("PATCH", path(), { plan: "scale" });
    for (const weight of [2, 3]) await operate("PUT", "/v1/plans/fleeting", { weight });
    const { items } = (await operate("GET", "/v1/plans")).body as { items: readonly { name: string }[] };
    await operate("PUT", "/v1/plans", { items: items.filter(({ name }) => name !== "fleeting") });
    await operate("PATCH", path(`/keys/${keyId}`), { name: "Other" });
    await operate("POST", path(`/keys/${keyId}/rotate`));
    await operate("DELETE", path(`/keys/${keyId}`));
    await operate("DELETE", path());
    const told: string[] = [];
    for (const what of CHANGES) if (await last(`what=${what}`)) told.push(what);
    expect(told).toEqual(CHANGES);
  });
});

describe("a change whose process died", () => {
  it("has its line if it took effect, and none if it did not", async () => {
    const dying = (at: string) =>
      composeIdentity(
        api.redis,
        {
          run: (script, args) =>
            script.name === at ? Promise.reject(new Error("died")) : api.scripts.run(script, args),
        },
        api.server.cell,
      );
    const before = await lines();
    // Before it was stated.
    await expect(dying("accounts-write").accounts.setQuota(account, "email", { hour: 3 }, SYSTEM)).rejects.toThrow(
      "died",
    );
    expect(await lines()).toEqual(before);
    // Stated, and not at the gate: others complete it, and the line is there.
    await expect(dying("set-limits").accounts.setQuota(account, "email", { hour: 4 }, SYSTEM)).rejects.toThrow("died");
    expect(only(await last())).toEqual({ what: "quotas", from: { email: { hour: 20 } }, to: { email: { hour: 4 } } });
    expect(await api.identity.accounts.finishChanges()).toBe(1);
    expect(await readRow(api.redis, `${api.server.cell}q:C|${account}|email`)).toMatchObject({ "hour.limit": "4" });
    expect(await lines()).toHaveLength(before.length + 1);
  });

  it("and whose script came twice, has one", async () => {
    const scripts = scriptRunner(api.redis, api.server.cell, { testClock: true });
    const seed = newSeed(instant(api.now()));
    const notes = notesOf([{ account, what: "key.made", from: null, to: { id: "key_1" } }], SYSTEM, seed);
    for (let time = 0; time < 3; time++) await addApiKey(scripts, account, "key_1", { name: "" }, notes);
    expect((await lines()).filter(({ id }) => id === notes[0]?.id)).toHaveLength(1);
  });
});
