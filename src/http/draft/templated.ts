/** The messages of a template: its text is read once, its recipients one by one, and nothing is filled in yet. */
import { unmet, type Problems } from "../../domain/expecting.ts";
import type { Channel } from "../../domain/channel.ts";
import type { Draft } from "../../domain/message.ts";
import { foreignIn, usesIn, writtenLength, type Markup } from "../../domain/template.ts";
import type { Template } from "../../gate/sending.ts";
import { senderKey } from "../../domain/address.ts";
import {
  LARGEST_MESSAGE,
  LONGEST_LINE,
  LONGEST_TEXT,
  type EmailTemplate,
  type Recipient,
  type TextTemplate,
} from "../schemas/send.ts";
import type { ChannelSetup } from "../services.ts";
import { readLabels } from "./draft.ts";
import { headerField, isOneLine, readMail } from "./mail.ts";
import { readPhoneSender, readRecipient } from "./recipient.ts";

/** One text of a template, and what its variables may make of it. */
interface Part {
  readonly name: string;
  readonly markup: Markup;
  readonly longest: number;
  readonly oneLine: boolean;
  readonly fixed: number;
  readonly uses: ReadonlyMap<string, number>;
}

const NAMES_ONLY =
  'after each "{{" a name and "}}": a letter or _, then letters, digits and _, 64 at most (a variable may bring in braces as text)';
const NO_VARIABLES = 'no "{{": variables are filled in in what a message says, and nowhere else';

const part = (
  name: string,
  text: string | undefined,
  rules: Pick<Part, "markup" | "longest" | "oneLine">,
  problems: Problems,
): readonly Part[] => {
  if (text === undefined) return [];
  const foreign = foreignIn(text);
  if (foreign !== null) unmet(problems, name, NAMES_ONLY, foreign);
  return [{ name, ...rules, ...usesIn(text) }];
};

/** What would be sent as it stands, whatever its writer meant. */
const readUnfilled = ({ from, reply_to, headers = {} }: EmailTemplate, problems: Problems): void => {
  const fixed: readonly (readonly [field: string, text: string])[] = [
    ["from", from],
    ["reply_to", reply_to ?? ""],
    ...Object.entries(headers).map(([name, value]) => [headerField(name), value] as const),
  ];
  for (const [field, text] of fixed) if (text.includes("{{")) unmet(problems, field, NO_VARIABLES, text);
};

/** As many as a recipient may bring (schemas/send.ts): with more of them, none of its messages could be made. */
const MOST_VARIABLES = 100;
/** Of each recipient. Ten thousand who lack a hundred variables each must not be a million complaints. */
const MOST_COMPLAINTS = 8;

const countVariables = (parts: readonly Part[], problems: Problems): void => {
  const names = new Set(parts.flatMap(({ uses }) => [...uses.keys()]));
  if (names.size > MOST_VARIABLES)
    unmet(problems, "template", `at most ${MOST_VARIABLES} different variables`, names.size);
};

export interface ReadTemplate {
  readonly sender: string;
  readonly template: Template;
  readonly parts: readonly Part[];
}

export const readMailTemplate = (fields: EmailTemplate, problems: Problems): ReadTemplate => {
  const { address, content } = readMail(fields, problems);
  const parts = [
    ...part("subject", fields.subject, { markup: "text", longest: LONGEST_LINE, oneLine: true }, problems),
    ...part("text", fields.text, { markup: "text", longest: LARGEST_MESSAGE, oneLine: false }, problems),
    ...part("html", fields.html, { markup: "html", longest: LARGEST_MESSAGE, oneLine: false }, problems),
  ];
  readUnfilled(fields, problems);
  countVariables(parts, problems);
  return { sender: senderKey(address ?? ""), template: content, parts };
};

export const readTextTemplate = (fields: TextTemplate, setup: ChannelSetup, problems: Problems): ReadTemplate => {
  const parts = part("body", fields.body, { markup: "text", longest: LONGEST_TEXT, oneLine: false }, problems);
  countVariables(parts, problems);
  return { sender: readPhoneSender(fields.from, setup, problems), template: { body: fields.body }, parts };
};

/** All but the subject. */
const whatIsSaid = (parts: readonly Part[]): string =>
  parts
    .filter(({ oneLine }) => !oneLine)
    .map(({ name }) => name)
    .join(" or ");

const a = (what: string): string => `${what.startsWith("html") ? "an" : "a"} ${what}`;

/** A variable used often enough makes a small request a large message: lengths are counted before anything is made. */
const readVariables = (
  parts: readonly Part[],
  variables: Readonly<Record<string, string>>,
  problems: Problems,
): void => {
  const missing = new Set<string>();
  let said = 0;
  for (const { name: partName, markup, longest, oneLine, fixed, uses } of parts) {
    let length = fixed;
    for (const [name, times] of uses) {
      const value = Object.hasOwn(variables, name) ? (variables[name] ?? "") : undefined;
      if (value === undefined) missing.add(name);
      else {
        length += times * writtenLength(value, markup);
        if (oneLine && !isOneLine(value))
          unmet(
            problems,
            `variables.${name}`,
            `one line without control characters: it stands in the ${partName}`,
            value,
          );
      }
    }
    if (!oneLine) said += length;
    if (length > longest)
      unmet(problems, "variables", `${a(partName)} of at most ${longest} characters when they are filled in`, length);
  }
  if (said === 0 && missing.size === 0)
    unmet(problems, "variables", `${a(whatIsSaid(parts))} that is not empty when they are filled in`, undefined);
  for (const name of [...missing].slice(0, MOST_COMPLAINTS))
    unmet(problems, `variables.${name}`, "a value: the template uses it", undefined);
};

/** @param common what stands beside the template and goes for all of its messages */
export const templatedDraft = (
  channel: Channel,
  { sender, parts }: ReadTemplate,
  recipient: Recipient,
  common: Pick<Draft, "class" | "sendAt" | "expiresAt">,
  problems: Problems,
): Draft => {
  const { to, variables = {} } = recipient;
  readVariables(parts, variables, problems);
  const address = readRecipient(channel, to, problems);
  return {
    channel,
    sender,
    recipient: address,
    content: { to: address, variables },
    ...common,
    ...readLabels(recipient, problems),
  };
};
