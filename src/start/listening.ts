/** Why nobody can listen where it was asked for, by the variable that asked. */
import { startRefused } from "./refusal.ts";

const NOT_HERE: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EAI_AGAIN", "EINVAL", "ENOTFOUND"]);

/** For a `catch` behind `listen`. @throws a sentence where the address or the right to the port is missing, else the error */
export const notListening =
  (host: string, variable: "PORT" | "SLUICE_WORKER_PORT", port: number) =>
  (error: NodeJS.ErrnoException): never => {
    const { code = "" } = error;
    if (NOT_HERE.has(code)) throw startRefused(`HOST: expected an address of this machine, got ${host} (${code})`);
    if (code === "EACCES") throw startRefused(`${variable}: expected a port that this user may listen on, got ${port}`);
    throw error;
  };
