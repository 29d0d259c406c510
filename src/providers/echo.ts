/**
 * What a provider says back of what it was given: a filter quotes the subject it did not like, a server the mailbox it
 * does not know, a gateway the whole text. reason.ts knows addresses and numbers by their shape; this knows the words by
 * the message itself. What is left is the provider's own.
 */
import type { Content } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Dispatch } from "./provider.ts";

const HIDDEN = "[quoted]";

/** Of each text, so that a message of 256 KB costs no more than a short one: who quotes, quotes how it begins. */
const READ = 20_000;
/** So many words of the message in a row are no chance. Of fewer, those that are nobody's vocabulary. */
const RUN = 3;
/** A code, a name of many parts, another alphabet: not what a provider would say by itself. */
const TELLING = /^(?=.{4,})(?:.*\d.*|.*\p{Ll}\p{Lu}.*|.*[^\x20-\x7e].*)$/u;

/** Written without anything between the words: a whole sentence is one, and a quotation hardly ever the same. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
/** So many of its characters in a row are no chance. */
const CHARACTERS = 4;

const WORD = /[\p{L}\p{N}_]+(?:['-][\p{L}\p{N}_]+)*/gu;
const wordsOf = (text: string): readonly string[] =>
  (text.slice(0, READ).match(WORD) ?? []).map((word) => word.toLowerCase());

const textsOf = (content: Content): readonly string[] =>
  Object.values(content).flatMap((value: unknown) =>
    typeof value === "string"
      ? [value]
      : typeof value === "object" && value !== null
        ? Object.values(value).map(String)
        : [],
  );

/** Names and parts of them: whole words that are hidden wherever they stand. */
const namesIn = ({ recipient, sender }: Dispatch): readonly string[] =>
  [recipient, sender].flatMap((address) => {
    const local = address.split("@")[0] ?? "";
    return [local, ...local.split(/[.+_-]/)].filter((name) => name.length > 2).flatMap(wordsOf);
  });

const piecesOf = (word: string): readonly string[] =>
  UNSPACED.test(word)
    ? Array.from({ length: Math.max(0, word.length - CHARACTERS + 1) }, (_, at) => word.slice(at, at + CHARACTERS))
    : [];

/** @param secrets what else may not come back: a login */
export const withoutEcho = (why: string, message: Dispatch, secrets: readonly string[] = []): string => {
  const texts = textsOf(message.content).map(wordsOf);
  const said = new Set(texts.flat());
  const names = new Set([...namesIn(message), ...secrets.flatMap(wordsOf)]);
  const runs = new Set(texts.flatMap((words) => words.map((_, at) => words.slice(at, at + RUN).join(" "))));
  const pieces = new Set(texts.flat().flatMap(piecesOf));
  const found = [...why.matchAll(WORD)];
  const words = found.map(([word]) => word.toLowerCase());
  // A name may stand in a longer word: somebody's.
  const isNamed = (word: string): boolean => names.has(word) || word.split(/['-]/).some((part) => names.has(part));
  const isQuoted = (word: string): boolean => piecesOf(word).some((piece) => pieces.has(piece));
  const hidden = words.map(
    (word, at) => isNamed(word) || isQuoted(word) || (said.has(word) && TELLING.test(found[at]?.[0] ?? "")),
  );
  for (let at = 0; at + RUN <= words.length; at++)
    if (runs.has(words.slice(at, at + RUN).join(" "))) hidden.fill(true, at, at + RUN);
  let at = 0;
  return why
    .replace(WORD, (word) => (hidden[at++] === true ? HIDDEN : word))
    .replaceAll(/\[quoted\](?:[^\p{L}\p{N}]{1,3}\[quoted\])+/gu, HIDDEN);
};

/** The outcome, telling nothing of the message. */
export const discreet = (outcome: Outcome, message: Dispatch, secrets?: readonly string[]): Outcome =>
  "why" in outcome ? { ...outcome, why: withoutEcho(outcome.why, message, secrets) } : outcome;
