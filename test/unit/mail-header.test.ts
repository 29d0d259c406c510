import { describe, expect, it } from "@jest/globals";
import { isReservedHeader } from "../../src/domain/mail-header.ts";

describe("a header that a caller may not set", () => {
  it.each([
    "From",
    "BCC",
    "Message-ID",
    "content-type",
    "Resent-To",
    "X-Sluice-Id",
    "X-SMTPAPI",
    "X-MC-BccAddress",
    "X-Mailgun-Variables",
    "X-MSYS-API",
  ])("is %s", (name) => expect(isReservedHeader(name)).toBe(true));
  it.each(["List-Unsubscribe", "X-Campaign", "X-Mailer", "In-Reply-To", "References", "X-Entity-Ref-ID"])(
    "is not %s",
    (name) => expect(isReservedHeader(name)).toBe(false),
  );
});
