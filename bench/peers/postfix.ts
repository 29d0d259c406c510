/**
 * Postfix as a relay: it takes mails in, keeps them in its queue on disk, and hands them to the sink. Where it is installed
 * and this is root, which its master needs. An instance of our own, beside any other: directories, port and log are its own.
 *
 * As postfix.org advises (TUNING_README, "Performance tuning"): more delivery processes than the default 100 make no
 * difference to one destination, whose concurrency is what is raised here (`smtp_destination_concurrency_limit`, with
 * `initial_destination_concurrency`, so that it need not be found out first), connections to it are kept (`smtp_
 * connection_cache_on_demand` is the default), and no name is looked up.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import nodemailer from "nodemailer";
import { freePort } from "../free-port.ts";
import { inParallel } from "../in-parallel.ts";
import { contentOf } from "../messages.ts";
import { until } from "../until.ts";

const run = promisify(execFile);

export type Postfix =
  { readonly kind: "here"; readonly version: string } | { readonly kind: "absent"; readonly why: string };

const POSTFIX = "/usr/sbin/postfix";
const CONNECTIONS = 50;

export const postfixHere = async (): Promise<Postfix> => {
  if (!existsSync(POSTFIX)) return { kind: "absent", why: "Postfix is not installed here" };
  if (process.getuid?.() !== 0)
    return { kind: "absent", why: "Postfix is here, but only root can start an instance of it" };
  const { stdout } = await run("/usr/sbin/postconf", ["-d", "-h", "mail_version"]);
  return { kind: "here", version: stdout.trim() };
};

const MAIN = (directory: string, sinkPort: number): string => `
compatibility_level = 3.6
queue_directory = ${directory}/queue
data_directory = ${directory}/data
maillog_file = ${directory}/log
maillog_file_prefixes = ${directory}
multi_instance_name =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.invalid
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:${sinkPort}
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_destination_concurrency_limit = ${CONNECTIONS}
default_destination_concurrency_limit = ${CONNECTIONS}
initial_destination_concurrency = ${CONNECTIONS}
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
`;

/** Debian's own services, none of them in a chroot. */
const MASTER = (port: number): string => `
127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

export interface Relay {
  /** Resolves when Postfix has taken in all of them. */
  send(count: number): Promise<void>;
  close(): Promise<void>;
}

export const relayThrough = async (sinkPort: number): Promise<Relay> => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-bench-postfix-"));
  const config = join(directory, "config");
  for (const name of ["config", "queue", "data"]) mkdirSync(join(directory, name), { mode: 0o755 });
  const port = await freePort();
  writeFileSync(join(config, "main.cf"), MAIN(directory, sinkPort));
  writeFileSync(join(config, "master.cf"), MASTER(port));
  const postfix = (verb: string) => run(POSTFIX, ["-c", config, verb], { timeout: 30_000 });
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  await run("chmod", ["755", directory]);
  await run("chown", ["postfix", join(directory, "data")]);
  await postfix("start").catch((error: Error) => {
    const log = existsSync(join(directory, "log")) ? readFileSync(join(directory, "log"), "utf8").slice(-500) : "";
    remove();
    throw new Error(`Postfix did not start: ${error.message} ${log}`);
  });
  // Its master is nobody's child: after a Ctrl-C it would go on.
  const stopNow = (): void => {
    execFileSync(POSTFIX, ["-c", config, "stop"], { stdio: "ignore" });
    remove();
  };
  process.once("exit", stopNow);
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
    ignoreTLS: true,
  });
  await until("Postfix that listens", () => transport.verify().catch(() => false), 30_000);
  return {
    send: async (count) => {
      const numbers = Array.from({ length: count }, (_none, n) => n);
      await inParallel(numbers, CONNECTIONS * 2, (n) => transport.sendMail(contentOf(n)));
    },
    close: async () => {
      transport.close();
      process.removeListener("exit", stopNow);
      await postfix("stop");
      remove();
    },
  };
};
