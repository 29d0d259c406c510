import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { twimlOf } from "../../src/providers/twiml.ts";
import { elementsOf } from "../support/xml.ts";

/** What a call says, when there is nothing in the document but one Response with one Say. */
const said = (say: string, voice?: string, language?: string): string | undefined => {
  const document = twimlOf({
    say,
    ...(voice === undefined ? {} : { voice }),
    ...(language === undefined ? {} : { language }),
  });
  const elements = elementsOf(document);
  expect(elements.map(({ name, depth }) => `${name} ${depth}`)).toEqual(["Response 0", "Say 1"]);
  return elements[1]?.text;
};

describe("a call", () => {
  it.each([
    "Your code is 1 2 3",
    "</Say><Dial>+19005550100</Dial><Say>",
    "</Say></Response><Response><Dial>+19005550100</Dial></Response>",
    "<Dial>+19005550100</Dial>",
    '<break time="3s"/>',
    "]]></Say><Redirect>https://example.com</Redirect>",
    "<![CDATA[</Say><Hangup/>]]>",
    '<?xml version="1.0"?><Response/>',
    "<!-- </Say><Hangup/> -->",
    "&lt;Dial&gt; &amp;lt; &#60;Dial&#62; &unknown; &",
    "\"quotes\" and 'apostrophes'",
    "grüße 你好 👋",
    "line one\nline two\ttab",
  ])("says %j, and does nothing else", (text) => {
    expect(said(text)).toBe(text);
  });

  it("leaves out what XML cannot hold", () => {
    expect(said("a\u0000b\u0007c\u001bd\ud800e\ufffff\u0085g")).toBe("a b c d e f g");
  });

  it("puts voice and language where they cannot become anything else", () => {
    const nasty = '" loop="0"><Dial>+19005550100</Dial>';
    const [, say] = elementsOf(twimlOf({ say: "hi", voice: nasty, language: nasty }));
    expect(say?.attributes).toEqual({ voice: nasty, language: nasty });
    expect(said("hi", nasty, nasty)).toBe("hi");
  });

  it("is one Say whatever the text", () => {
    const nasty = fc.constantFrom(
      "</Say>",
      "<Dial>",
      "]]>",
      "<![CDATA[",
      "&",
      "&#0;",
      "<",
      ">",
      "\u0000",
      "\ud800",
      "<!--",
      '"',
    );
    const text = fc
      .array(fc.oneof(nasty, fc.string({ unit: "binary" })), { minLength: 1 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (say) => void said(say, say, say)),
      { numRuns: 500 },
    );
  });
});
