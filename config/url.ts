/** The variables that are URLs. Those that may carry a password are never echoed. */
import { unmet, value, type Reader, type Reading } from "./reading.ts";

/** What may be said of a URL that may hold a secret. */
const about = (text: string, url: URL | null): string => {
  if (!url) return "a URL that does not parse";
  return /^(?:https?|rediss?|smtps?|unix|file|ftp|amqps?|postgres(?:ql)?|mysql|mongodb):$/.test(url.protocol)
    ? `a ${url.protocol}// URL${url.hostname === "" ? " without a host" : ""}`
    : `a URL with another scheme (${text.length} characters, not shown)`;
};

const LOGIN_EXPECTED = "user and password with %, @, : and / written as %25, %40, %3A and %2F";

const decodes = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** What is wrong with the login or the host of a URL that its library would only stumble over, or null. */
const unusable = ({ username, password, hostname }: URL): Reading<never> | null => {
  if (!decodes(username + password)) return unmet(LOGIN_EXPECTED, "a % before something else");
  // Such a URL's host is not made ASCII by the parser, and no resolver knows it as it stands.
  if (!/^(?:[\w.-]+|\[[\da-f:.]+\])$/i.test(hostname))
    return unmet("a host in ASCII, as in xn--mnchen-3ya.de for münchen.de", "one with other characters");
  return null;
};

const REDIS_EXPECTED = "redis://host:6379 or rediss://host:6379 (one server)";

export const redisUrl: Reader<string> = (text) => {
  if (/^(?:rediss?[+-])?sentinel:|[?&]sentinel/i.test(text))
    return unmet(REDIS_EXPECTED, "the Sentinel form, which is not supported yet: give the address of the primary");
  // A list of hosts does not parse as a URL, and a password may hold a comma: look behind the last @ only.
  const hosts = text.slice(text.lastIndexOf("@") + 1).split(/[/?#]/)[text.includes("@") ? 0 : 2] ?? "";
  if (/^(?:rediss?[+-])?cluster:|[?&]cluster/i.test(text) || hosts.includes(","))
    return unmet(REDIS_EXPECTED, "the Cluster form, which is not supported yet: give the address of one server");
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "") return unmet(REDIS_EXPECTED, about(text, url));
  if (!/^(?:\/[0-9]{0,4})?$/.test(url.pathname))
    return unmet("redis://host:6379/0, with the number of a database or nothing after the host", "another path");
  // The client library would take any parameter for an option of its own.
  if (url.search !== "" || url.hash !== "") return unmet(`${REDIS_EXPECTED} without parameters`, "a URL with some");
  return unusable(url) ?? value(text);
};

/** The adapter takes it apart (providers/smtp-url.ts); what it would not understand stops the start here. */
export const smtpUrl: Reader<string> = (text) => {
  const expected = "smtp://user:password@host:587 or smtps://user:password@host:465";
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return unmet(expected, about(text, url));
  // A password with a bare / ? or # ends up behind the host: nothing of that is echoed.
  if (!/^\/?$/.test(url.pathname) || url.hash !== "") return unmet(`${expected} with nothing behind it`, "more");
  const parameters = [...url.searchParams].map((parameter) => parameter.join("="));
  if (parameters.length > 1 || !["tls=required", "tls=off"].includes(parameters[0] ?? "tls=required"))
    return unmet("no parameter but one of ?tls=required and ?tls=off", "another one");
  if (parameters[0] === "tls=off" && (url.protocol === "smtps:" || url.port === "465"))
    return unmet("no ?tls=off for a server that speaks TLS from the first byte", "it");
  if ((url.username === "") !== (url.password === "")) return unmet("user and password, or neither", "one of them");
  return unusable(url) ?? value(text);
};

/** An http(s) address without credentials, parameters or a slash at its end: paths are put behind it. */
export const webUrl: Reader<string> = (text) => {
  const expected = "an address such as https://sluice.example.com";
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol)) return unmet(expected, about(text, url));
  if (url.username !== "" || url.password !== "")
    return unmet(`${expected} without user and password`, "a URL with one");
  if (url.search !== "" || url.hash !== "") return unmet(`${expected} without ? and #`, "a URL with one");
  return value(url.href.replace(/\/+$/, ""));
};
