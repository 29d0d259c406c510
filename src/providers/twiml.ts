/** What a call says, as TwiML: built by Twilio's own builder, which escapes. Text is never joined to markup here. */
import twilio from "twilio";
import type VoiceResponse from "twilio/lib/twiml/VoiceResponse.js";
import type { VoiceContent } from "../domain/message.ts";

/** XML 1.0 has no way to write these, escaped or not: one of them makes the whole document unreadable to Twilio. */
const UNSPEAKABLE = /[\p{Cs}\uFFFE\uFFFF]|(?![\n\t])\p{Cc}/gu;

const speakable = (text: string): string => text.replace(UNSPEAKABLE, " ");

export const twimlOf = (content: VoiceContent): string => {
  const response = new twilio.twiml.VoiceResponse();
  const { voice, language } = content;
  const attributes = {
    ...(voice === undefined ? {} : { voice: speakable(voice) }),
    ...(language === undefined ? {} : { language: speakable(language) }),
  };
  // The SDK lists the voices it knew when it was released; Twilio judges what it is given.
  response.say(attributes as VoiceResponse.SayAttributes, speakable(content.say));
  return response.toString();
};
