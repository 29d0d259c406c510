/** What a provider tells of a message later: believed if it is signed, and told to the scripts. */
import type { Core } from "./compose.ts";
import type { TwilioCallbacks } from "./http/services.ts";
import { isSigned, newsOf } from "./providers/twilio-callback.ts";
import { heard } from "./redis/scripts/heard.ts";

/** Null where nobody calls: without Twilio, or an address that it can reach. */
export const twilioCallbacks = ({ config, scripts, log }: Core): TwilioCallbacks | null => {
  const { twilio, publicUrl } = config;
  if (twilio === null || publicUrl === null) return null;
  return {
    isSigned: (target, params, signature) =>
      isSigned({ authToken: twilio.authToken, url: publicUrl + target, params, signature }),
    heard: async (id, form) => {
      const news = newsOf(form);
      if (news === null) return;
      const what = await heard(scripts, id, news.verdict, news.providerId, news.reason);
      log.debug({ event: "provider_told", message: id, verdict: news.verdict, what }, "Twilio told of a message");
    },
  };
};
