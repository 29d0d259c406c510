import { createHash } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import type { Arrival } from "../../src/sandbox/arrival.ts";
import { MAGIC_ADDRESSES, MAGIC_NUMBERS } from "../../src/sandbox/magic.ts";
import { sandboxPage, SANDBOX_PAGE_CSP } from "../../src/sandbox/page.ts";

const arrival = (more: Partial<Arrival> = {}): Arrival => ({
  channel: "email",
  to: "ann@example.com",
  from: "shop@example.org",
  subject: "Hello",
  body: "It works.",
  received_at: "2026-03-01T09:59:00.000Z",
  message_id: "msg_1",
  ...more,
});

describe("the sandbox's page", () => {
  it("shows what arrived, in the order it is given", () => {
    const page = sandboxPage([arrival({ subject: "Second" }), arrival({ subject: "First" })]);
    for (const text of ["ann@example.com", "shop@example.org", "It works.", "msg_1", "09:59:00"])
      expect(page).toContain(text);
    expect(page.indexOf("Second")).toBeLessThan(page.indexOf("First"));
  });

  it("shows everything as text, in every field", () => {
    const nasty = `<img src=x onerror=alert(1)><script>alert(1)</script>"'&</pre></td>`;
    const fields: Record<keyof Arrival, string> = {
      channel: nasty,
      to: nasty,
      from: nasty,
      subject: nasty,
      body: nasty,
      received_at: `${nasty}T${nasty}`,
      message_id: nasty,
    };
    const page = sandboxPage([fields as unknown as Arrival], { origin: nasty });
    expect(page).not.toMatch(/<img|<script|onerror=alert\(1\)>|"'&</);
    expect(sandboxPage([], { origin: nasty })).not.toMatch(/<img|<script/);
  });

  it("runs no script, loads nothing from elsewhere, and its policy allows its style", () => {
    const page = sandboxPage([arrival()]);
    expect(page).not.toMatch(/<script|<link|src=|url\(|@import|style="/);
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
    expect(SANDBOX_PAGE_CSP).toContain(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  });

  it("says how to send a first message while there is none", () => {
    const page = sandboxPage([], { origin: "http://127.0.0.1:4000" });
    expect(page).toContain("Nothing has arrived yet");
    expect(page).toContain("curl http://127.0.0.1:4000/v1/email/send");
    expect(sandboxPage([arrival()])).not.toContain("curl");
  });

  it("marks the channel that is chosen, and lists every magic recipient", () => {
    const page = sandboxPage([], { channel: "sms" });
    expect(page).toContain('<a href="/sandbox?channel=sms" aria-current="page">');
    expect(page.match(/aria-current=/g)).toHaveLength(1);
    for (const { to } of [...MAGIC_ADDRESSES, ...MAGIC_NUMBERS]) expect(page).toContain(to);
  });
});
