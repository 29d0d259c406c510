import type { Channel, Class } from "../../domain/channel.ts";
import type { Instant } from "../../domain/time.ts";
import { fields, list, number, text, type Fields } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** Everything that says where a message is, why it waits and when it will go, as it stands in Redis. */
export interface Look {
  readonly now: Instant;
  /** The record's text; "" for a draft. */
  readonly record: string;
  readonly x: Fields;
  /** 0 when it is not scheduled. */
  readonly dueAt: Instant;
  readonly lane: Fields;
  readonly accountOnChannel: Fields;
  readonly channelSums: Fields;
  readonly channelRate: Fields;
  readonly senderRow: Fields;
  readonly channelRow: Fields;
  readonly accountRow: Fields;
  readonly zone: string;
  readonly removed: boolean;
  /** Lanes of its class that take turns, its own among them if that may go. */
  readonly lanesInClass: number;
  readonly accountsInRing: number;
  /** Sending is held since a failover (failover-declare.lua). */
  readonly failover: boolean;
  /** Waiting messages of its sender that are more urgent. */
  readonly urgentOfSender: number;
}

export type Subject =
  { readonly id: string } | { readonly channel: Channel; readonly class: Class; readonly sender: string };

export const look = async (scripts: ScriptRunner, account: string, subject: Subject): Promise<Look | null> => {
  const args = "id" in subject ? [subject.id] : ["-", subject.channel, subject.class, subject.sender];
  const reply = list(await scripts.run(script, [account, ...args]));
  if (reply.length === 0) return null;
  return {
    now: number(reply[0]) as Instant,
    record: text(reply[1]),
    x: fields(reply[2]),
    dueAt: number(reply[3]) as Instant,
    lane: fields(reply[4]),
    accountOnChannel: fields(reply[5]),
    channelSums: fields(reply[6]),
    channelRate: fields(reply[7]),
    senderRow: fields(reply[8]),
    channelRow: fields(reply[9]),
    accountRow: fields(reply[10]),
    zone: text(reply[11]),
    removed: reply[12] === 1,
    lanesInClass: number(reply[13]),
    accountsInRing: number(reply[14]),
    failover: reply[15] === 1,
    urgentOfSender: number(reply[16]),
  };
};
