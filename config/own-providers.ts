/** Which channels have a provider of their own. What has none goes to the sandbox, where there is one, or nowhere. */
import { CHANNELS, type Channel } from "../src/domain/channel.ts";
import type { Config } from "./env.ts";

type Configured = Pick<Config, "httpProviders" | "smtpUrl" | "twilio">;

export const hasOwnProvider = ({ httpProviders, smtpUrl, twilio }: Configured, channel: Channel): boolean =>
  httpProviders[channel] !== undefined || (channel === "email" ? smtpUrl : twilio) !== null;

export const leavesAny = (config: Configured): boolean => CHANNELS.some((channel) => !hasOwnProvider(config, channel));
