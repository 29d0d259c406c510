/** `smtp://user:pass@host:587`, `smtps://…`, `?tls=required`, `?tls=off`: the parts of SMTP_URL, or a sentence without the password. */

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (`smtps`, or port 465). */
  readonly secure: boolean;
  /** STARTTLS or nothing. Without it STARTTLS is used where it is offered, and its failure is still a failure. */
  readonly tlsRequired: boolean;
  /** No STARTTLS, though it is offered: for a relay on the same machine, whose certificate nobody signed. */
  readonly tlsOff: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

const expected = (got: string): Error =>
  new Error(
    `expected smtp:// or smtps:// with a host, such as smtp://user:password@mail.example.com:587?tls=required, got ${got}`,
  );

export const smtpServer = (text: string): SmtpServer => {
  if (!URL.canParse(text)) throw expected("something that is not a URL");
  const url = new URL(text);
  if (url.protocol !== "smtp:" && url.protocol !== "smtps:") throw expected(`the scheme ${url.protocol}//`);
  if (url.hostname === "") throw expected("no host");
  if (url.pathname !== "" && url.pathname !== "/") throw expected("a path after the host");
  for (const [name, value] of url.searchParams)
    if (name !== "tls" || (value !== "required" && value !== "off"))
      throw expected(`the parameter ${name}, where only tls=required and tls=off are known`);
  const secure = url.protocol === "smtps:" || url.port === "465";
  const tls = url.searchParams.get("tls");
  if (secure && tls === "off") throw expected("tls=off for a server that speaks nothing but TLS");
  const user = decodeURIComponent(url.username);
  return {
    // URL keeps the brackets of an IPv6 address, and sockets do not want them.
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    tlsRequired: !secure && tls === "required",
    tlsOff: tls === "off",
    ...(user === "" ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
  };
};
