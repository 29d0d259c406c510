/** One client by its address: an IPv4 address, or the IPv6 network of 64 bits that one customer of a provider is given. */
import { isIP } from "node:net";

/** Who has no address is one client: what a proxy wrote in its place is none, or its connection was gone before anybody asked. */
export const UNREADABLE = "unreadable";

const groupsOf = (side: string): number[] =>
  side === ""
    ? []
    : side.split(":").flatMap((group) => {
        if (!group.includes(".")) return [Number.parseInt(group, 16)];
        const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
        return [a * 256 + b, c * 256 + d];
      });

const eightGroups = (address: string): number[] => {
  const [head = "", tail] = address.split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
};

/** `1.2.3.4:5678` and `[::1]:5678`, as some proxies write it: the port is the client's to choose. */
const withoutPort = (text: string): string =>
  /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;

/** @param ip Fastify's `request.ip`, which is undefined for a connection that is gone, whatever its type says */
export const clientAddress = (ip = UNREADABLE): string => {
  const [address = ""] = withoutPort(ip).split("%");
  const version = isIP(address);
  if (version === 0) return UNREADABLE;
  if (version === 4) return address;
  const groups = eightGroups(address);
  const [high = 0, low = 0] = groups.slice(6);
  // The same IPv4 client, as a socket that listens on both families has it.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
};
