/** What is actually sent: the body that a message carries, or its batch's template with its variables filled in. */
import type { Redis } from "ioredis";
import type { Content, EmailContent, TemplateUse, TextContent } from "../domain/message.ts";
import { remembered } from "../domain/remembered.ts";
import { fillIn } from "../domain/template.ts";
import type { Keys } from "../redis/keys.ts";
import { contentOf, type StoredBody } from "./body.ts";

type Template = Omit<EmailContent, "to"> | TextContent;

/** Templates in use at one time in one process; each may be 256 KB. */
const TEMPLATES_KEPT = 100;

export interface Contents {
  /**
   * Null when the template is gone. At once where there is none: most messages have not.
   * @throws when Redis does not answer
   */
  of(stored: StoredBody & { readonly batchId: string | null }): Content | null | Promise<Content | null>;
}

const isTemplateUse = (content: Content | TemplateUse): content is TemplateUse => "variables" in content;

/** A value that stands in a header stays on its line. */
const onOneLine = (text: string): string => text.replace(/[\r\n]+/g, " ");

const filledIn = (template: Template, { to, variables }: TemplateUse): Content => {
  const text = (part: string): string => fillIn(part, variables, "text");
  if (!("subject" in template)) return { body: text(template.body) };
  return {
    ...template,
    to,
    subject: onOneLine(text(template.subject)),
    ...(template.text === undefined ? {} : { text: text(template.text) }),
    ...(template.html === undefined ? {} : { html: fillIn(template.html, variables, "html") }),
  };
};

export const contentsOn = (redis: Redis, keys: Keys): Contents => {
  const templates = remembered<string, Template>(TEMPLATES_KEPT);
  const templateOf = async (batchId: string): Promise<Template | null> => {
    const known = templates.get(batchId);
    if (known) return known;
    const text = await redis.hget(keys.batch(batchId), "template");
    if (text === null) return null;
    const template = JSON.parse(text) as Template;
    templates.set(batchId, template);
    return template;
  };
  const fromTemplate = async (use: TemplateUse, batchId: string | null): Promise<Content | null> => {
    const template = batchId === null ? null : await templateOf(batchId);
    return template && filledIn(template, use);
  };
  return {
    of: (stored) => {
      const content = contentOf(stored);
      return content !== null && isTemplateUse(content) ? fromTemplate(content, stored.batchId) : content;
    },
  };
};
