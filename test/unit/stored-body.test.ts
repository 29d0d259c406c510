import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Content, TemplateUse } from "../../src/domain/message.ts";
import { bodyOf, contentOf } from "../../src/gate/body.ts";

const sender = "shop@example.com";
const recipient = "ann@example.net";

const orNot = (bare: string) => fc.constantFrom(bare, `Somebody <${bare}>`, bare.toUpperCase());
const anEmail = fc.record(
  {
    from: orNot(sender),
    to: orNot(recipient),
    subject: fc.string(),
    text: fc.string(),
    html: fc.string(),
    reply_to: fc.constant("desk@example.com"),
    headers: fc.dictionary(fc.constantFrom("X-A", "X-B"), fc.string()),
  },
  { requiredKeys: ["from", "to", "subject"] },
);
const aUse = fc.record({
  to: orNot(recipient),
  variables: fc.dictionary(fc.constantFrom("name", "subject", "to", "from"), fc.string()),
});
const aText = fc.record({ body: fc.string() });
const aCall = fc.record({ say: fc.string(), voice: fc.string() }, { requiredKeys: ["say"] });

describe("a stored body", () => {
  it("is read as it was, whatever its From and To say beside the addresses", () => {
    fc.assert(
      fc.property(fc.oneof(anEmail, aUse, aText, aCall), (content: Content | TemplateUse) => {
        const body = bodyOf({ sender, recipient, content });
        expect(contentOf({ sender, recipient, body })).toEqual(content);
        expect(body).not.toContain("\n");
      }),
    );
  });

  it("is read as it was where the version before wrote it, with all that the header says as well", () => {
    fc.assert(
      fc.property(fc.oneof(anEmail, aUse, aText, aCall), (content: Content | TemplateUse) => {
        expect(contentOf({ sender, recipient, body: JSON.stringify(content) })).toEqual(content);
      }),
    );
  });

  it("does not say again what the header says", () => {
    expect(bodyOf({ sender, recipient, content: { from: sender, to: recipient, subject: "Hi" } })).toBe(
      '{"subject":"Hi"}',
    );
    expect(bodyOf({ sender, recipient, content: { to: recipient, variables: { a: "b" } } })).toBe('[{"a":"b"}]');
  });

  it("is none once its retention has passed", () => {
    expect(contentOf({ sender, recipient, body: "" })).toBeNull();
  });
});
