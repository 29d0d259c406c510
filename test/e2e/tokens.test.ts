/** Tokens, plans and the audit as the whole of Sluice has them: joined as it is started. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { aWorld } from "../support/world.ts";

const worlds: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

describe("a token", () => {
  it("sends what its key may send, within a plan that was changed while it waited", async () => {
    const world = await aWorld();
    worlds.push(world);
    await world.call("PUT", "/v1/plans/tiny", { quotas: { email: { hour: 1 } } });
    const { id, key } = await world.newAccount("Tiny", { plan: "tiny" });
    const { body: granted } = await world.call("POST", "/v1/auth/token", { scope: "send" }, key);
    const mail = { from: "a@example.com", to: "b@example.net", subject: "x", text: "y" };
    for (let mails = 0; mails < 2; mails++)
      expect((await world.call("POST", "/v1/email/send", mail, granted.access_token)).status).toBe(202);
    await world.quiet();
    expect(world.ledger).toHaveLength(1);
    expect((await world.call("GET", "/v1/messages", undefined, granted.access_token)).status).toBe(403);

    await world.call("PUT", "/v1/plans/tiny", { quotas: { email: { hour: 2 } } });
    await until(() => world.ledger.length === 2);

    const refreshed = await world.call("POST", "/v1/auth/refresh", { refresh_token: granted.refresh_token });
    expect(refreshed.body).toMatchObject({ token_type: "Bearer", scope: "send" });
    await world.call("DELETE", `/v1/accounts/${id}?force=true`);
    expect((await world.call("POST", "/v1/email/send", mail, refreshed.body.access_token)).status).toBe(401);
    const told = await world.call("GET", `/v1/audit?account_id=${id}`);
    expect(told.body.items.map(({ what }: { what: string }) => what)).toEqual([
      "account.removed",
      "key.made",
      "account.made",
    ]);
  });
});
