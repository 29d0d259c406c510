import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { anApi, anEmail, anSms, type Api } from "./api.ts";

let api: Api;
let key: string;
beforeAll(async () => {
  api = await anApi();
  ({ key } = await api.anAccount());
});
afterAll(() => api.close());

interface Refused {
  readonly code: string;
  readonly errors: readonly { field: string; expected: string }[];
}

/** What is said of each: null, or why it was refused. */
const refusals = async (channel: "email" | "sms", body: unknown): Promise<readonly (Refused | null)[]> => {
  const answer = await api.ask("POST", `/v1/${channel}/send/bulk`, { key, body });
  return (answer.body["results"] as readonly { readonly error?: Refused }[]).map(({ error }) => error ?? null);
};
const wrongOf = (refused: Refused | null): readonly string[] =>
  refused?.errors.map(({ field, expected }) => `${field}: ${expected}`) ?? [];

const template = { from: "Shop <shop@example.com>", subject: "For you", text: "Dear {{name}}" };

describe("a recipient of a template", () => {
  it("may bring as much metadata as a message that is sent alone", async () => {
    const metadata = (bytes: number) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });
    const recipients = [4_096, 4_097].map((bytes) => ({
      to: anEmail.to,
      variables: { name: "Ann" },
      metadata: metadata(bytes),
    }));
    const [fits, tooMuch] = await refusals("email", { template, recipients });
    expect([fits, wrongOf(tooMuch ?? null)]).toEqual([null, ["metadata: an object of at most 4 KB"]]);
  });

  it("may bring as many characters as a message that is sent alone may have, whatever they are", async () => {
    const alone = (body: string) => api.ask("POST", "/v1/sms/send", { key, body: { ...anSms, body } });
    const smiles = (count: number): string => "\u{1f600}".repeat(count);
    expect((await alone(smiles(1_600))).status).toBe(202);
    expect((await alone(smiles(1_601))).status).toBe(422);
    const recipients = [1_600, 1_601].map((count) => ({ to: anSms.to, variables: { all: smiles(count) } }));
    const [fits, tooMany] = await refusals("sms", { template: { body: "{{all}}" }, recipients });
    expect([fits, wrongOf(tooMany ?? null)]).toEqual([
      null,
      ["variables: a body of at most 1600 characters when they are filled in"],
    ]);
    expect(await refusals("sms", { template: { body: smiles(1_600) }, recipients: [{ to: anSms.to }] })).toEqual([
      null,
    ]);
  });

  it("is refused where its variables leave nothing to say, as a message without a text is", async () => {
    const recipients = ["", "Ann"].map((name) => ({ to: anSms.to, variables: { name } }));
    const [empty, full] = await refusals("sms", { template: { body: "{{name}}" }, recipients });
    expect(full).toBeNull();
    expect(wrongOf(empty ?? null)).toEqual(["variables: a body that is not empty when they are filled in"]);

    const inMail = ["", "Ann"].map((name) => ({ to: anEmail.to, variables: { name } }));
    const mails = { ...template, text: "{{name}}", html: "{{name}}" };
    const [emptyMail, mail] = await refusals("email", { template: mails, recipients: inMail });
    expect(mail).toBeNull();
    expect(wrongOf(emptyMail ?? null)).toEqual(["variables: a text or html that is not empty when they are filled in"]);
    expect(await refusals("email", { template: { ...mails, text: "Dear" }, recipients: inMail })).toEqual([null, null]);
    const [bare] = await refusals("email", {
      template: { from: template.from, subject: "x", html: "{{name}}" },
      recipients: inMail,
    });
    expect(wrongOf(bare ?? null)).toEqual(["variables: an html that is not empty when they are filled in"]);
    expect(await refusals("email", { template: mails, recipients: [{ to: anEmail.to }] })).toEqual([
      expect.objectContaining({
        errors: [expect.objectContaining({ field: "variables.name", expected: "a value: the template uses it" })],
      }),
    ]);
  });

  it("may bring 256 KB in all, as a message that is sent alone", async () => {
    const variables = (many: number) => ({
      name: "Ann",
      ...Object.fromEntries(Array.from({ length: many }, (_, i) => [`v${i}`, "x".repeat(16_000)])),
    });
    const recipients = [16, 17].map((many) => ({ to: anEmail.to, variables: variables(many) }));
    const [fits, tooLarge] = await refusals("email", { template, recipients });
    expect([fits, tooLarge?.code]).toEqual([null, "payload_too_large"]);
  });
});
