/** What the Twilio stand-in has taken, as Twilio's own resources: for GET, and for reconciling by To and From. */
import type { Instant } from "../domain/time.ts";

export interface TwilioResource {
  readonly kind: "Messages" | "Calls";
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  readonly body: string | null;
  readonly at: Instant;
}

/** Enough for the reconciling of a day's tests; the oldest are forgotten. */
const KEPT = 1_000;

export const twilioStore = (accountSid: string) => {
  const taken: TwilioResource[] = [];
  const asJson = ({ kind, sid, to, from, body, at }: TwilioResource) => {
    const date = new Date(at).toUTCString().replace("GMT", "+0000");
    return {
      sid,
      account_sid: accountSid,
      to,
      from,
      ...(kind === "Messages" ? { body, num_segments: "1", date_sent: null } : {}),
      status: "queued",
      direction: "outbound-api",
      error_code: null,
      error_message: null,
      date_created: date,
      date_updated: date,
      api_version: "2010-04-01",
      uri: `/2010-04-01/Accounts/${accountSid}/${kind}/${sid}.json`,
    };
  };
  return {
    add: (resource: TwilioResource) => {
      taken.unshift(resource);
      taken.length = Math.min(taken.length, KEPT);
      return asJson(resource);
    },
    one: (kind: TwilioResource["kind"], sid: string) => {
      const found = taken.find((each) => each.kind === kind && each.sid === sid);
      return found === undefined ? null : asJson(found);
    },
    /** Newest first, as Twilio lists. */
    list: (kind: TwilioResource["kind"], { to, from }: { to: string | null; from: string | null }) =>
      taken
        .filter(
          (each) => each.kind === kind && (to === null || each.to === to) && (from === null || each.from === from),
        )
        .map(asJson),
  };
};
