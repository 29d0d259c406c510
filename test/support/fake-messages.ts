import { CHANNELS, type Channel } from "../../src/domain/channel.ts";
import { notReplayable } from "../../src/domain/errors.ts";
import { idOf } from "../../src/domain/id.ts";
import type { Draft, MessageView } from "../../src/domain/message.ts";
import { WINDOW_KINDS } from "../../src/domain/quota.ts";
import type { Instant } from "../../src/domain/time.ts";
import { windowOf } from "../../src/domain/window.ts";
import type { LevelUse, Looking } from "../../src/gate/looking.ts";
import type { Accepted, Sending } from "../../src/gate/sending.ts";
import { onRedis, paged, type FakeState } from "./fake-state.ts";

const byChannel = <Value>(value: Value): { [channel in Channel]: Value } => ({
  email: value,
  sms: value,
  voice: value,
  whatsapp: value,
});

const own = (world: FakeState, account: string, id: string): MessageView | null => {
  const message = world.messages.get(id);
  return message?.account === account ? message : null;
};

export const fakeSending = (world: FakeState): Sending => {
  const batchOf = new Map<string, { account: string; ids: string[]; createdAt: Instant }>();
  const accept = (account: string, draft: Draft, id: string, batchId: string | null): Accepted => {
    world.drafts.push(draft);
    const isSuppressed = world.suppressed.some(
      (one) => one.account === account && one.channel === draft.channel && one.address === draft.recipient,
    );
    const status = isSuppressed ? "suppressed" : draft.sendAt !== undefined ? "scheduled" : "queued";
    const view: MessageView = {
      id,
      account,
      channel: draft.channel,
      status,
      class: draft.class,
      sender: draft.sender,
      recipient: draft.recipient,
      createdAt: world.now,
      sendAt: draft.sendAt ?? null,
      expiresAt: draft.expiresAt ?? null,
      endedAt: null,
      reference: draft.reference ?? null,
      metadata: draft.metadata ?? null,
      batchId,
      content: draft.content,
      attempts: [],
      heldBy: status === "scheduled" ? "schedule" : null,
      estimatedSendAt: draft.sendAt ?? world.now,
      position: 1,
      reason: null,
      providerId: null,
    };
    if (!world.messages.has(id)) world.messages.set(id, view);
    return {
      id,
      channel: draft.channel,
      status,
      heldBy: view.heldBy,
      estimatedSendAt: view.estimatedSendAt,
      createdAt: world.now,
      zone: world.accounts.get(account)?.timezone ?? "UTC",
    };
  };
  return {
    accept: async (account, drafts, seed) => {
      await onRedis(world);
      await world.before?.();
      return drafts.map((draft, index) => accept(account, draft, idOf("msg", seed, index), null));
    },
    acceptBatch: async (account, batch, drafts, seed) => {
      await onRedis(world);
      world.batches.push(batch);
      const batchId = idOf("bat", seed);
      const messages = drafts.map((draft, index) => accept(account, draft, idOf("msg", seed, index), batchId));
      batchOf.set(batchId, { account, ids: messages.map(({ id }) => id), createdAt: world.now });
      return { batchId, messages };
    },
    estimating: () => async () => world.estimate,
    cancel: async (account, id) => {
      const message = own(world, account, id);
      if (!message) return { kind: "unknown" };
      if (message.status === "sending") return { kind: "already_sending" };
      if (message.endedAt !== null) return { kind: "already_final", state: message.status };
      world.messages.set(id, { ...message, status: "canceled", endedAt: world.now });
      return { kind: "canceled" };
    },
    cancelBatch: async (account, id) => {
      const batch = batchOf.get(id);
      return batch?.account === account ? { canceled: batch.ids.length, left: 0 } : null;
    },
    batch: async (account, id) => {
      const batch = batchOf.get(id);
      if (batch?.account !== account) return null;
      return { id, total: batch.ids.length, createdAt: batch.createdAt, counts: { queued: batch.ids.length } };
    },
    replay: async (account, id, seed) => {
      const message = own(world, account, id);
      if (!message) return null;
      if (message.status !== "failed") throw notReplayable(id, message.status);
      const draft: Draft = {
        channel: message.channel,
        sender: message.sender,
        recipient: message.recipient,
        class: message.class,
        content: message.content!,
      };
      return accept(account, draft, idOf("msg", seed), null);
    },
  };
};

export const fakeLooking = (world: FakeState): Looking => ({
  message: async (account, id) => {
    await onRedis(world);
    return own(world, account, id);
  },
  messages: async (account, filter, cursor, limit) =>
    paged(
      [...world.messages.values()]
        .filter(
          (message) =>
            message.account === account &&
            message.status === (filter.status ?? message.status) &&
            message.channel === (filter.channel ?? message.channel) &&
            message.reference === (filter.reference ?? message.reference) &&
            message.batchId === (filter.batchId ?? message.batchId),
        )
        .toReversed(),
      cursor,
      limit,
    ),
  quotas: async (id) => {
    const account = world.accounts.get(id);
    if (!account) return null;
    const level = (quota: { readonly [kind: string]: number | null | undefined }): LevelUse =>
      Object.fromEntries(
        WINDOW_KINDS.map((kind) => [
          kind,
          {
            limit: quota[kind] ?? null,
            used: 2,
            held: 1,
            window: windowOf(kind, world.now, account.timezone),
          },
        ]),
      ) as unknown as LevelUse;
    return {
      timezone: account.timezone,
      channels: Object.fromEntries(
        CHANNELS.map((channel) => [channel, level(account.quotas[channel] ?? {})]),
      ) as unknown as { [channel in Channel]: LevelUse },
      all: level(account.quotas.all ?? {}),
      senders: (world.rules.get(id) ?? []).map(({ channel, sender, quota }) => ({
        channel,
        sender,
        use: level(quota),
      })),
    };
  },
  queues: async (account) =>
    byChannel({
      queued: 3,
      throttled: 1,
      scheduled: 0,
      sending: 0,
      oldestAt: account === null ? null : world.now,
      ratePerSecond: 14,
      drainsAt: null,
      paused: false,
      ...(account === null ? { jobs: { waiting: 2, active: 1 } } : {}),
    }),
  usage: async (_account, { from, to, channel }) =>
    world.usage.filter((row) => row.startsAt >= from && row.startsAt < to && row.channel === (channel ?? row.channel)),
  now: async () => {
    await onRedis(world);
    return world.now;
  },
});
