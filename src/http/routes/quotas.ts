/** What an operator sets: quotas, senders' rules, pauses. All of it is in force when the answer leaves. */
import type { Account } from "../../accounts/account.ts";
import { invalidFields, notFound } from "../../domain/errors.ts";
import { unmet, type Problems } from "../../domain/expecting.ts";
import { parseQuota } from "../../domain/quota-rules.ts";
import type { Quota } from "../../domain/quota.ts";
import { parseRate, RATE_EXPECTED } from "../../domain/rate.ts";
import type { Millis } from "../../domain/time.ts";
import { whoOf, type App } from "../access.ts";
import { readKey } from "../draft/recipient.ts";
import { accountJson, quotaJson, ruleJson } from "../present/account.ts";
import * as schemas from "../schemas/account.ts";
import { ChannelInPath, IdInPath, NoQuery } from "../schemas/parts.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const config = { access: "operator" } as const;
const tags = ["Quotas"];

const known = <Value>(value: Value | null): Value => {
  if (value === null) throw notFound("such account");
  return value;
};

const quotaIn = (body: unknown): Quota => {
  const read = parseQuota(body, "");
  if ("errors" in read) throw invalidFields(read.errors);
  return read.quota;
};

const readRate = (text: string | null | undefined, wrong: Problems): Millis | null => {
  if (text === null || text === undefined) return null;
  const rate = parseRate(text);
  return rate === undefined ? (unmet(wrong, "rate", RATE_EXPECTED, text) ?? null) : rate;
};

export const quotaRoutes = (app: App, { accounts, control }: Services): void => {
  app.put(
    "/v1/accounts/:id/quotas/:channel",
    {
      config,
      schema: {
        tags,
        operationId: "setAccountQuota",
        summary: "Set an account's own quota on a channel, or over all: what is absent goes back to the plan's",
        params: schemas.QuotaPath,
        body: schemas.Quota,
        response: { 200: schemas.QuotaAnswer, ...problems },
      },
    },
    async (request) => {
      const { params, body } = request;
      const account = await accounts.setQuota(params.id, params.channel, quotaIn(body), whoOf(request));
      return quotaJson(known(account), params.channel);
    },
  );

  app.put(
    "/v1/accounts/:id/senders/:sender/quotas/:channel",
    {
      config,
      schema: {
        tags,
        operationId: "setSenderQuota",
        summary: "Set one sender's quota and rate: what is absent is unlimited",
        params: schemas.SenderPath,
        body: schemas.SenderQuota,
        response: { 200: schemas.SenderRule, ...problems },
      },
    },
    async (request) => {
      const { params } = request;
      const { rate, ...quota } = request.body;
      const wrong: Problems = [];
      const sender = readKey(params.channel, params.sender, "sender", wrong);
      const interval = readRate(rate, wrong);
      if (wrong.length > 0) throw invalidFields(wrong);
      const rule = { channel: params.channel, sender, quota: quotaIn(quota), rate: interval };
      return ruleJson(params.id, known(await accounts.setSenderRule(params.id, rule, whoOf(request))));
    },
  );

  app.get(
    "/v1/accounts/:id/senders",
    {
      config,
      schema: {
        tags,
        operationId: "listSenderRules",
        summary: "The senders that have a rule of their own",
        params: IdInPath,
        querystring: NoQuery,
        response: { 200: schemas.SenderRules, ...problems },
      },
    },
    async ({ params }) => {
      known(await accounts.get(params.id));
      const rules = await accounts.senderRules(params.id);
      return { items: rules.map((rule) => ruleJson(params.id, rule)), next_cursor: null };
    },
  );

  const accountSwitch = (verb: "pause" | "resume", summary: string): void => {
    app.post(
      `/v1/accounts/:id/channels/:channel/${verb}`,
      {
        config,
        schema: {
          tags,
          operationId: `${verb}AccountOnChannel`,
          summary,
          params: schemas.AccountChannelPath,
          response: { 200: schemas.Account, ...problems },
        },
      },
      async (request) => {
        const { id, channel } = request.params;
        return accountJson(known<Account>(await accounts[verb](id, channel, whoOf(request))));
      },
    );
  };
  accountSwitch("pause", "Stop an account's sending on a channel");
  accountSwitch("resume", "Let it send again");

  const channelSwitch = (verb: "pause" | "resume", summary: string): void => {
    app.post(
      `/v1/channels/:channel/${verb}`,
      {
        config,
        schema: {
          tags,
          operationId: `${verb}Channel`,
          summary,
          params: ChannelInPath,
          response: { 200: schemas.ChannelState, ...problems },
        },
      },
      async (request) => {
        const { channel } = request.params;
        await control[verb](null, channel, whoOf(request));
        return { channel, paused: verb === "pause" };
      },
    );
  };
  channelSwitch("pause", "Stop everybody's sending on a channel");
  channelSwitch("resume", "Let everybody send again");
};
