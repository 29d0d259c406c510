/**
 * The JSON of a body as it is stored: without what the record's header says already. A mail whose From and To are bare
 * addresses says both twice, 50 bytes of a short one; a recipient of a templated bulk keeps a list of its variables alone.
 * What was stored whole, by the version before or because the two differ, is read as it stands.
 */
import { recordJson } from "../domain/json.ts";
import type { Content, Draft, EmailContent, TemplateUse } from "../domain/message.ts";

/** What is read with its header. */
export interface StoredBody {
  readonly sender: string;
  readonly recipient: string;
  /** JSON; "" once its retention has passed. */
  readonly body: string;
}

export const bodyOf = ({ content, sender, recipient }: Omit<Draft, "channel" | "class">): string => {
  if ("variables" in content) return JSON.stringify(content.to === recipient ? [content.variables] : content);
  if (!("subject" in content)) return JSON.stringify(content);
  // Each of its fields by name: a copy with two of them changed costs as much as all that JSON does with it.
  const { subject, text, html, reply_to, headers } = content;
  const from = content.from === sender ? undefined : content.from;
  const to = content.to === recipient ? undefined : content.to;
  return recordJson({ from, to, subject, text, html, reply_to, headers } satisfies {
    readonly [field in keyof EmailContent]-?: EmailContent[field] | undefined;
  });
};

export const contentOf = ({ sender, recipient, body }: StoredBody): Content | TemplateUse | null => {
  if (body === "") return null;
  const stored = JSON.parse(body) as
    Content | TemplateUse | Partial<EmailContent> | readonly [TemplateUse["variables"]];
  if (Array.isArray(stored)) return { to: recipient, variables: stored[0] };
  return "subject" in stored ? ({ from: sender, to: recipient, ...stored } as EmailContent) : (stored as Content);
};
