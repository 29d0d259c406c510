/** Whom a message goes to and as whom it goes, in the form in which quotas, suppressions and providers know them. */
import { parseEmailAddress, parsePhone, senderKey } from "../../domain/address.ts";
import type { Channel } from "../../domain/channel.ts";
import { unmet, type Problems } from "../../domain/expecting.ts";
import type { ChannelSetup } from "../services.ts";

export const ADDRESS_EXPECTED = "one email address, such as ann@example.com, of at most 254 characters";
export const PHONE_EXPECTED = "one number in E.164, such as +9779812345678";

const expectedOn = (channel: Channel): string => (channel === "email" ? ADDRESS_EXPECTED : PHONE_EXPECTED);

/** The address to hand to the provider. */
export const readRecipient = (channel: Channel, to: string, problems: Problems): string => {
  const address = channel === "email" ? parseEmailAddress(to) : parsePhone(to);
  if (address === null) unmet(problems, "to", expectedOn(channel), to);
  return address ?? "";
};

/** The key of a sender or of a suppressed address: in lower case, or E.164. */
export const readKey = (channel: Channel, text: string, field: string, problems: Problems): string => {
  const address = channel === "email" ? parseEmailAddress(text) : parsePhone(text);
  if (address === null) unmet(problems, field, expectedOn(channel), text);
  return senderKey(address ?? "");
};

/** A phone's sender: the message's own, or the one that is configured. */
export const readPhoneSender = (from: string | undefined, setup: ChannelSetup, problems: Problems): string => {
  const given = from ?? setup.defaultFrom;
  const sender = given === null ? null : parsePhone(given);
  if (sender === null)
    unmet(problems, "from", given === null ? `${PHONE_EXPECTED}: there is no default sender` : PHONE_EXPECTED, from);
  return sender ?? "";
};
