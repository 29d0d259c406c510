/** Drafts become messages: see sending.ts. */
import type { Redis } from "ioredis";
import { backlogFull, notFound, notReplayable, SluiceError } from "../domain/errors.ts";
import type { PassPoint } from "../domain/fault-point.ts";
import { idOf, type IdSeed } from "../domain/id.ts";
import type { Draft, MessageState, MessageView } from "../domain/message.ts";
import type { Keys } from "../redis/keys.ts";
import type { DurableRunner } from "../redis/durable.ts";
import type { ScriptRunner } from "../redis/script.ts";
import {
  accept,
  ACCEPT_AT_MOST,
  ACCEPT_BYTES,
  acceptEach,
  type AcceptedRecord,
  type AcceptMessage,
  type AcceptReply,
  type AcceptRequest,
} from "../redis/scripts/accept.ts";
import { look, type Look } from "../redis/scripts/look.ts";
import { together } from "../redis/together.ts";
import { openBatch } from "../redis/scripts/open-batch.ts";
import { bodyOf } from "./body.ts";
import type { Contents } from "./contents.ts";
import { keptOf } from "./record.ts";
import type { Accepted, Accepting } from "./sending.ts";
import type { Shedding } from "./shedding.ts";
import { standingOf, viewOf, type Standing } from "./view.ts";
import { forecastFor, isQuota, placeOfDraft } from "./waiting.ts";

export interface AcceptingParts {
  readonly redis: Redis;
  readonly scripts: ScriptRunner;
  /** What is answered with yes must be kept. */
  readonly durable: DurableRunner;
  readonly keys: Keys;
  readonly contents: Contents;
  readonly shedding: Shedding;
  /** Messages of one account that have not ended, at most. */
  readonly backlogCap: number;
  readonly pass: PassPoint;
}

const REPLAYABLE: ReadonlySet<MessageState> = new Set(["failed", "uncertain", "undelivered"]);

/** Pieces that one script call may take. One message may be as large as it likes: it is in a piece of its own. */
const pieces = (messages: readonly AcceptMessage[]): AcceptMessage[][] => {
  const found: AcceptMessage[][] = [];
  let bytes = Infinity;
  for (const message of messages) {
    const size = message.kept.length + message.body.length;
    const piece = found.at(-1);
    if (piece && piece.length < ACCEPT_AT_MOST && bytes + size <= ACCEPT_BYTES) {
      piece.push(message);
      bytes += size;
    } else {
      found.push([message]);
      bytes = size;
    }
  }
  return found;
};

const recordOf = (draft: Draft, id: string): AcceptMessage => ({
  id,
  channel: draft.channel,
  class: draft.class,
  sender: draft.sender,
  recipient: draft.recipient,
  sendAt: draft.sendAt ?? null,
  expiresAt: draft.expiresAt ?? null,
  kept: keptOf(draft),
  body: bodyOf(draft),
});

const recordsOf = (drafts: readonly Draft[], seed: IdSeed): AcceptMessage[] =>
  drafts.map((draft, at) => recordOf(draft, idOf("msg", seed, at)));

const bytesOf = (messages: readonly AcceptMessage[]): number =>
  messages.reduce((sum, { kept, body }) => sum + kept.length + body.length, 0);

/** Requests of one message that share a call: with 200 connections 64 were quicker than 32, and hold Redis for 1 to 2 ms. */
const TOGETHER = 64;
/** A message that is larger goes by itself: all of a call are two pieces of a bulk at most. */
const SHARES_UP_TO = (2 * ACCEPT_BYTES) / TOGETHER;

/** In a bulk nobody is told when: only whether its lane is out of quota as it stands. */
const statusOf = ({ state, parked }: AcceptedRecord): Accepted["status"] => {
  if (state === "suppressed" || state === "scheduled") return state;
  return parked ? "throttled" : "queued";
};

const isTold = (reply: AcceptReply | undefined): boolean =>
  reply?.kind === "accepted" && reply.records.every(({ seen }) => seen !== null);

/** One message is told everything. */
const withStanding = (message: Accepted, { status, heldBy, estimatedSendAt }: Omit<Standing, "position">): Accepted => {
  // The gate may have been quicker than we: it waits no more, and was accepted as queued.
  const isOut = status === "throttled" || (status === "queued" && isQuota(heldBy));
  const told = isOut ? "throttled" : status === "scheduled" || status === "suppressed" ? status : "queued";
  const { id, channel, createdAt, zone } = message;
  return { id, channel, status: told, heldBy, estimatedSendAt, createdAt, zone };
};

export const acceptingOn = (parts: AcceptingParts): Accepting => {
  const { redis, scripts, durable, keys, contents, shedding, backlogCap, pass } = parts;
  const sharing = together<AcceptRequest, AcceptReply>((requests) => acceptEach(durable, requests), TOGETHER, "all");

  const answersOf = (reply: AcceptReply, piece: readonly AcceptMessage[]): Accepted[] => {
    if (reply.kind === "full") throw backlogFull(backlogCap);
    if (reply.kind === "gone") throw notFound("such account");
    const { zone, records } = reply;
    return records.map((record, place): Accepted => {
      const { id, channel, class: urgency } = piece[place]!;
      const status = statusOf(record);
      const answer = { id, channel, status, heldBy: null, estimatedSendAt: null, createdAt: record.createdAt, zone };
      if (record.seen === null) return answer;
      return withStanding(answer, standingOf(record.seen, { number: record.number, channel, class: urgency }));
    });
  };

  const acceptPieces = async (
    account: string,
    messages: readonly AcceptMessage[],
    batchId: string | null,
  ): Promise<Accepted[]> => {
    pass("accept.validated");
    const accepted = await durable.whole(async (accepting) => {
      const answers: Accepted[] = [];
      for (const [at, piece] of pieces(messages).entries()) {
        // The first piece asks for room for all of them: a request is never accepted in part.
        const cap = at === 0 ? Math.max(0, backlogCap - (messages.length - piece.length)) : Number.MAX_SAFE_INTEGER;
        answers.push(...answersOf(await accept(accepting, account, cap, batchId, piece), piece));
      }
      return answers;
    });
    pass("accept.written");
    return accepted;
  };

  const acceptOne = async (account: string, message: AcceptMessage): Promise<readonly Accepted[]> => {
    const messages = [message];
    const bytes = bytesOf(messages);
    const admitted = shedding.admit(1, bytes);
    if (admitted) await admitted;
    pass("accept.validated");
    const request = { account, backlogCap, batchId: null, messages, told: true };
    const shares = bytes <= SHARES_UP_TO;
    const [reply] = shares ? [await sharing(request)] : await acceptEach(durable, [request]);
    const [accepted] = reply ? answersOf(reply, messages) : [];
    if (accepted === undefined) throw new TypeError("accept did not answer for its one message");
    pass("accept.written");
    if (accepted.status === "suppressed" || isTold(reply)) return [accepted];
    // It was there before: the same request, again.
    const seen = await look(scripts, account, { id: message.id });
    return [seen ? withStanding(accepted, viewOf(message.id, seen)) : accepted];
  };

  /** A batch of which nothing was accepted: what was stands on its row. */
  const forget = async (id: string): Promise<void> => {
    if ((await redis.hget(keys.batch(id), "accepted")) === "0") await redis.unlink(keys.batch(id));
  };

  const replayDraft = async (view: MessageView): Promise<Draft> => {
    const content = view.content && (await contents.of({ ...view, body: JSON.stringify(view.content) }));
    if (!REPLAYABLE.has(view.status) || content === null) throw notReplayable(view.id, view.status);
    return {
      channel: view.channel,
      sender: view.sender,
      recipient: view.recipient,
      class: view.class,
      content,
      ...(view.reference === null ? {} : { reference: view.reference }),
      ...(view.metadata === null ? {} : { metadata: view.metadata }),
    };
  };

  const acceptMany = async (account: string, messages: readonly AcceptMessage[]): Promise<readonly Accepted[]> => {
    await shedding.admit(messages.length, bytesOf(messages));
    return acceptPieces(account, messages, null);
  };

  const acceptAll: Accepting["accept"] = (account, drafts, seed) => {
    const messages = recordsOf(drafts, seed);
    const [only] = messages;
    return only && messages.length === 1 ? acceptOne(account, only) : acceptMany(account, messages);
  };

  return {
    accept: acceptAll,
    acceptBatch: async (account, { channel, template }, drafts, seed) => {
      const batchId = idOf("bat", seed);
      // Where every recipient was refused, nobody will ever want the template, and no message's end would take it away.
      const text = template === undefined || drafts.length === 0 ? null : JSON.stringify(template);
      const messages = recordsOf(drafts, seed);
      await shedding.admit(messages.length, bytesOf(messages) + (text?.length ?? 0));
      const [first] = messages;
      const shared = first === undefined ? {} : { shared: first };
      await openBatch(scripts, { id: batchId, account, channel, total: drafts.length, template: text, ...shared });
      try {
        return { batchId, messages: await acceptPieces(account, messages, batchId) };
      } catch (error) {
        // Refused as a whole: its template would stay for a day, for nobody.
        if (error instanceof SluiceError) await forget(batchId).catch(() => {});
        throw error;
      }
    },
    estimating: (account) => {
      const lanes = new Map<string, Promise<Look | null>>();
      return async (draft, company) => {
        const lane = `${draft.channel} ${draft.class} ${draft.sender}`;
        const looking = lanes.get(lane) ?? look(scripts, account, draft);
        lanes.set(lane, looking);
        const seen = await looking;
        return seen && forecastFor(seen, draft, placeOfDraft(seen), draft.sendAt ?? null, company).at;
      };
    },
    replay: async (account, id, seed) => {
      const seen = await look(scripts, account, { id });
      if (!seen) return null;
      const [accepted] = await acceptAll(account, [await replayDraft(viewOf(id, seen))], seed);
      return accepted ?? null;
    },
  };
};
