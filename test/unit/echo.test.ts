import { describe, expect, it } from "@jest/globals";
import { withoutEcho } from "../../src/providers/echo.ts";
import { aMail, anSms } from "../support/dispatches.ts";

const mail = aMail("ann.smith@example.com", {
  subject: "Your order 48-XK77 has left the house",
  text: "Dear Ann, the code is 482913. The user limit is reached.",
});

describe("what a provider says of a message", () => {
  it.each([
    ["a subject", "554 5.7.1 spam: 'Your order 48-XK77 has left the house'", "554 5.7.1 spam: '[quoted]'"],
    ["a part of it", "554 rejected (has left the house)", "554 rejected ([quoted])"],
    ["a code", "554 the word 482913 is not wanted", "554 the word [quoted] is not wanted"],
    ["a mailbox", "550 5.1.1 ann.smith: user unknown", "550 5.1.1 [quoted]: user unknown"],
    ["somebody's", "552 Smith's mailbox is full", "552 [quoted] mailbox is full"],
    ["a part of its name", "550 no Smith here", "550 no [quoted] here"],
    ["the sender's", "550 shop may not send", "550 [quoted] may not send"],
  ])("loses %s that it quotes", (_what, why, left) => {
    expect(withoutEcho(why, mail)).toBe(left);
  });

  it.each([
    "550 5.1.1 no such user here",
    "452 4.2.2 the mailbox is over its limit",
    "421 4.7.0 too many connections, try again in 5 seconds",
    "HTTP 400, Twilio 21211: the number is not valid",
    "expected another SMTP reply, got nothing",
  ])("keeps what is the provider's own: %s", (why) => {
    expect(withoutEcho(why, mail)).toBe(why);
  });

  it.each([
    ["内容：您的验证码是4829…", "内容：[quoted]…"],
    ["短信您的验证码是482913不合规", "[quoted]"],
    ["コード「ご注文の暗証番号」は不可", "コード「[quoted]」は不可"],
    ["验证码不合规，余额不足", "验证码不合规，余额不足"],
  ])("loses what it quotes where words have nothing between them: %s", (why, left) => {
    const text = anSms(undefined, "【小店】您的验证码是482913，五分钟内有效。あなたのご注文の暗証番号です。");
    expect(withoutEcho(why, text)).toBe(left);
  });

  it("loses a login, however it is written", () => {
    const secrets = ["user", "s3cret-pass", "czNjcmV0LXBhc3M"];
    expect(withoutEcho("535 s3cret-pass is wrong, also czNjcmV0LXBhc3M=", mail, secrets)).toBe(
      "535 [quoted] is wrong, also [quoted]=",
    );
  });

  it("costs little for what is large: 256 KB that were never quoted, and a reply of 300 characters", () => {
    const large = anSms(undefined, "word ".repeat(50_000));
    const before = process.cpuUsage();
    expect(withoutEcho("554 no word of it", large)).toBe("554 no word of it");
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(200);
  });
});
