import { Type } from "typebox";
import { Closed } from "./parts.ts";

export const CallbackQuery = Closed({
  message_id: Type.Optional(Type.String({ description: "msg_…, as the address that Twilio was given has it" })),
});

/** For the document: what is read of it. Twilio adds fields as it likes, and its signature covers them all. */
export const TwilioForm = Type.Object({
  MessageSid: Type.Optional(Type.String({ description: "Of an SMS or a WhatsApp message" })),
  MessageStatus: Type.Optional(Type.String()),
  CallSid: Type.Optional(Type.String({ description: "Of a call" })),
  CallStatus: Type.Optional(Type.String()),
  ErrorCode: Type.Optional(Type.String({ description: "Why it was not delivered" })),
});
