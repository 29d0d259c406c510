import type { Channel, Class } from "../../domain/channel.ts";
import { instant, type Instant } from "../../domain/time.ts";
import { list, number, text, type Fields } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Look } from "./look.ts";

const script = loadScript(import.meta.url);

/** More would hold Redis too long in one call: 12 µs each in a bulk of one account, and as much again for every 10 KB of body. */
export const ACCEPT_AT_MOST = 100;
export const ACCEPT_BYTES = 262_144;

export interface AcceptMessage {
  readonly id: string;
  readonly channel: Channel;
  readonly class: Class;
  readonly sender: string;
  readonly recipient: string;
  readonly sendAt: Instant | null;
  readonly expiresAt: Instant | null;
  /** JSON that stays as long as the record. */
  readonly kept: string;
  /** JSON that goes with the body's retention. */
  readonly body: string;
}

export interface AcceptRequest {
  readonly account: string;
  readonly backlogCap: number;
  readonly batchId: string | null;
  readonly messages: readonly AcceptMessage[];
  /** Whether what `look` would say is wanted as well. */
  readonly told: boolean;
}

export interface AcceptedRecord {
  readonly state: string;
  /** Its lane, or its account on the channel, is out of quota. */
  readonly parked: boolean;
  readonly createdAt: Instant;
  /** Its place in its lane's sequence; 0 while it is scheduled. */
  readonly number: number;
  /** As far as a forecast needs it; null where it was not wanted, and for one that was there before or has ended. */
  readonly seen: Look | null;
}

export type AcceptReply =
  | { readonly kind: "accepted"; readonly zone: string; readonly records: readonly AcceptedRecord[] }
  | { readonly kind: "full" }
  | { readonly kind: "gone" };

const wordsOf = (line: string | undefined): Fields => {
  const out: Record<string, string> = {};
  if (line === undefined || line === "") return out;
  const words = line.split(" ");
  for (let at = 0; at + 1 < words.length; at += 2) out[words[at]!] = words[at + 1]!;
  return out;
};

/** One lane's, without what is the message's own. */
const viewOf = (view: string, now: Instant): Look => {
  const lines = view.split("\n");
  return {
    now,
    record: "",
    x: {},
    dueAt: instant(0),
    lane: wordsOf(lines[0]),
    accountOnChannel: wordsOf(lines[1]),
    channelSums: wordsOf(lines[2]),
    channelRate: wordsOf(lines[3]),
    senderRow: wordsOf(lines[4]),
    channelRow: wordsOf(lines[5]),
    accountRow: wordsOf(lines[6]),
    zone: lines[10] ?? "",
    removed: false,
    lanesInClass: Number(lines[7]),
    accountsInRing: Number(lines[8]),
    failover: lines[9] === "1",
    urgentOfSender: Number(lines[11]),
  };
};

const recordOf = (entry: string, message: AcceptMessage | undefined, views: readonly Look[]): AcceptedRecord => {
  const [state = "", parked, created, sequence, view] = entry.split(" ");
  const seen = views[Number(view) - 1] ?? null;
  const dueAt = state === "scheduled" ? message?.sendAt : null;
  return {
    state,
    parked: parked === "1",
    createdAt: instant(Number(created)),
    number: Number(sequence),
    seen: seen && dueAt ? { ...seen, dueAt } : seen,
  };
};

const replyOf = (line: string, messages: readonly AcceptMessage[], views: readonly Look[]): AcceptReply => {
  if (line === "gone" || line === "full") return { kind: line };
  const [zone = "", ...entries] = line.split("|");
  return { kind: "accepted", zone, records: entries.map((entry, at) => recordOf(entry, messages[at], views)) };
};

const laneOf = ({ channel, class: urgency, sender }: AcceptMessage): string => `${channel} ${urgency} ${sender}`;

/** Null where they are of several. */
const sharedLane = (messages: readonly AcceptMessage[]): string | null => {
  const [first] = messages;
  if (first === undefined) return null;
  const isOfOne = messages.every(
    ({ channel, class: urgency, sender }) =>
      channel === first.channel && urgency === first.class && sender === first.sender,
  );
  return isOfOne ? laneOf(first) : null;
};

/** Each request is taken or refused for itself. */
export const acceptEach = async (
  scripts: ScriptRunner,
  requests: readonly AcceptRequest[],
): Promise<readonly AcceptReply[]> => {
  const args: string[] = [];
  for (const { account, backlogCap, batchId, told, messages } of requests) {
    const lane = sharedLane(messages);
    args.push(`${account} ${backlogCap} ${batchId ?? "-"} ${told ? 1 : 0} ${messages.length} ${lane ?? "-"}`);
    for (const message of messages) {
      const { id, recipient, sendAt, expiresAt, kept, body } = message;
      args.push(`${id} ${recipient} ${sendAt ?? 0} ${expiresAt ?? 0}`, `${kept}\n${body}`);
      if (lane === null) args.push(laneOf(message));
    }
  }
  const [at, lines, ...told] = list(await scripts.run(script, args));
  const now = instant(number(at));
  const views = told.map((view) => viewOf(text(view), now));
  return text(lines)
    .split("\n")
    .map((line, place) => replyOf(line, requests[place]?.messages ?? [], views));
};

export const accept = async (
  scripts: ScriptRunner,
  account: string,
  backlogCap: number,
  batchId: string | null,
  messages: readonly AcceptMessage[],
): Promise<AcceptReply> => {
  const [reply] = await acceptEach(scripts, [{ account, backlogCap, batchId, messages, told: false }]);
  if (reply === undefined) throw new TypeError("accept did not answer for its one request");
  return reply;
};
