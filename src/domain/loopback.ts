/** Whether a request comes from this machine itself, and not through a proxy or a page that was led here. */
import type { IncomingMessage } from "node:http";

const isLoopbackAddress = (address: string): boolean =>
  /^(?:::ffff:)?127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/i.test(address) || address === "::1";

/** A name of this machine: any other may be an attacker's that resolves to 127.0.0.1 (DNS rebinding). */
const isLoopbackName = (host: string): boolean => {
  const name = host.replace(/:[0-9]+$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || isLoopbackAddress(name);
};

/** A proxy on this machine brings everybody's requests from a loopback address: what it forwards is not loopback. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] as const;

export const isFromLoopback = (
  request: Pick<IncomingMessage, "headers"> & { socket: { remoteAddress?: string | undefined } },
): boolean =>
  isLoopbackAddress(request.socket.remoteAddress ?? "") &&
  isLoopbackName(request.headers.host ?? "") &&
  FORWARDED.every((header) => request.headers[header] === undefined);
