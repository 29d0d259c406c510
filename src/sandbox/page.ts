/** The sandbox's page: what arrived, newest first. One document without scripts; everything in it is shown as text. */
import { createHash } from "node:crypto";
import { type Channel, CHANNELS } from "../domain/channel.ts";
import { written } from "../domain/template.ts";
import type { Arrival } from "./arrival.ts";
import { MAGIC_ADDRESSES, MAGIC_NUMBERS } from "./magic.ts";
import { SANDBOX_STYLE } from "./page-style.ts";

export interface SandboxView {
  /** Only this channel's; all when absent. */
  readonly channel?: Channel | undefined;
  /** Where the API listens, for the command that sends a first message. */
  readonly origin?: string;
}

const escaped = (text: string): string => written(text, "html");

/** To be sent with the page: even markup that got through could load and run nothing. */
export const SANDBOX_PAGE_CSP = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(SANDBOX_STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const filters = (chosen: Channel | undefined): string =>
  [undefined, ...CHANNELS]
    .map((channel) => {
      const here = channel === chosen ? ' aria-current="page"' : "";
      return `<a href="/sandbox${channel === undefined ? "" : `?channel=${channel}`}"${here}>${channel ?? "all"}</a>`;
    })
    .join("");

const row = (arrival: Arrival): string => {
  const subject = arrival.subject === undefined ? "" : `<strong>${escaped(arrival.subject)}</strong>`;
  const [day = "", time = ""] = arrival.received_at.split("T");
  return `<tr><td><time datetime="${escaped(arrival.received_at)}">${escaped(day)} <b>${escaped(time.slice(0, 8))}</b></time></td><td><span class="channel ${escaped(arrival.channel)}">${escaped(arrival.channel)}</span></td><td class="who"><div>${escaped(arrival.to)}</div><small>from ${escaped(arrival.from)}</small></td><td class="what">${subject}<pre>${escaped(arrival.body ?? "")}</pre></td><td><code>${escaped(arrival.message_id)}</code></td></tr>`;
};

const table = (arrivals: readonly Arrival[]): string =>
  `<div class="scroll"><table><thead><tr><th>received (UTC)</th><th>channel</th><th>to</th><th>message</th><th>id</th></tr></thead><tbody>${arrivals.map(row).join("")}</tbody></table></div>`;

const empty = (channel: Channel | undefined, origin: string): string => `<section class="empty">
<h2>Nothing has arrived${channel === undefined ? " yet" : ` on ${channel}`}</h2>
<p>Send a first message with the key of an account, and it shows up here:</p>
<pre>${escaped(`curl ${origin}/v1/email/send \\
  -H "Authorization: Bearer $SLUICE_KEY" -H "Content-Type: application/json" \\
  -d '{"from": "shop@example.com", "to": "ann@example.com", "subject": "Hello", "text": "It works."}'`)}</pre>
</section>`;

const magic = (): string =>
  [...MAGIC_ADDRESSES, ...MAGIC_NUMBERS]
    .map(({ to, does }) => `<tr><td><code>${escaped(to)}</code></td><td>${escaped(does)}</td></tr>`)
    .join("");

export const sandboxPage = (
  arrivals: readonly Arrival[],
  { channel, origin = "http://127.0.0.1:3000" }: SandboxView = {},
): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="5">
<title>Sluice sandbox</title>
<style>${SANDBOX_STYLE}</style>
</head>
<body>
<header><h1>Sluice <span>sandbox</span></h1><p>Messages really went out: by SMTP and through Twilio's SDK, to servers inside this process. Nobody else has received them.</p></header>
<nav aria-label="channel">${filters(channel)}</nav>
<main>
${arrivals.length === 0 ? empty(channel, origin) : table(arrivals)}
<details${arrivals.length === 0 ? " open" : ""}><summary>Recipients to try trouble with</summary>
<table class="magic"><tbody>${magic()}</tbody></table></details>
</main>
</body>
</html>
`;
