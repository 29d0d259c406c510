/**
 * A provider's own words, made fit to be kept: `why` is logged, stored and shown, and providers like to quote the
 * recipient in what they answer. So addresses and numbers go, control characters go (a reply must not be able to
 * write lines into a log), and what is left is at most 300 characters.
 */

const LONGEST = 300;

/** More than this is never looked at: the patterns below cost at most its square, and 300 characters come of it. */
const READ = 2_000;

/** The code that a line of an SMTP reply begins with: seven digits, and no telephone number. */
const REPLY_CODE = /^[1-5]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?=[\s-]|$)/;

const QUOTED_ADDRESS = /"[^"]{0,64}"@[^\s<>"]+/gu;
const ADDRESS = /[^\s<>"(),:;]+(?:@|%40)[^\s<>"'(),;]+/giu;

/** Seven digits or more, however they are grouped; digits of every script, since some providers echo them. */
const NUMBER = /\+?\(?\p{Nd}(?:[\s().\u2010-\u2015/-]{0,2}\p{Nd}){6,}/gu;

const withoutPeople = (line: string): string =>
  line.replace(QUOTED_ADDRESS, "[address]").replace(ADDRESS, "[address]").replace(NUMBER, "[number]");

const line = (text: string): string => {
  const code = REPLY_CODE.exec(text)?.[0] ?? "";
  return code + withoutPeople(text.slice(code.length));
};

export const reason = (text: string): string => {
  // A cut in the middle of a word could leave the first half of an address, which nothing would recognise.
  const read = text.length > READ ? text.slice(0, READ).replace(/\S*$/, "") : text;
  const clean = read
    .split(/[\r\n]+/)
    .map((each) => line(each.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, " ").trim()))
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
  return clean.length > LONGEST ? `${clean.slice(0, LONGEST - 1)}…` : clean;
};
