/** Where objects are made and joined: by calling functions, each handed what it uses. Who opens a thing closes it. */
import type { Logger } from "pino";
import type { Config } from "../config/env.ts";
import { loadPlans } from "../config/plans.ts";
import { accountsOn } from "./accounts/accounts.ts";
import { faultPoints } from "./domain/fault-point.ts";
import { systemClock } from "./domain/time.ts";
import { contentsOn } from "./gate/contents.ts";
import { nudgerOn } from "./gate/nudge.ts";
import { rulesOn } from "./gate/rules.ts";
import { zonesOn } from "./gate/zones.ts";
import { createMetrics } from "./observe/metrics.ts";
import { queuesOn } from "./queue/queues.ts";
import { closeConnection, connect, type RedisAddress } from "./redis/connect.ts";
import { durableRunner, notWaiting } from "./redis/durable.ts";
import { cellTag, keysOf } from "./redis/keys.ts";
import { scriptRunner } from "./redis/script.ts";

/** What every process has: connections, and the rooms that stand on them. */
export const composeCore = (config: Config, address: RedisAddress, log: Logger) => {
  const keys = keysOf(cellTag(config.cell));
  const metrics = createMetrics();
  const commands = connect(address, "commands", log);
  const patient = connect(address, "patient", log);
  const scripts = scriptRunner(commands, keys.cell, { testClock: config.testClock, observe: metrics.script });
  const promised = { level: config.durability, replicas: config.replicas };
  // Of its own, and only where something is waited for: a wait holds up whatever else is asked on the same connection.
  const kept =
    promised.level === "power" || promised.replicas > 0
      ? durableRunner(keys.cell, promised, {
          testClock: config.testClock,
          observe: metrics.script,
          clock: systemClock,
          open: () => connect(address, "durable", log),
        })
      : null;
  const zones = zonesOn(commands, scripts, keys, log);
  const nudger = nudgerOn(commands, keys);
  const control = rulesOn({ redis: commands, scripts, keys, zones, nudger });
  const plans = loadPlans();
  const accounts = accountsOn({ redis: commands, keys, scripts, control, plans, clock: systemClock });
  const queues = queuesOn(patient, keys);
  const contents = contentsOn(commands, keys);
  if (config.testClock || config.fault)
    log.error(
      { event: "test_switches", fault: config.fault },
      "NOT FOR PRODUCTION: a test's clock, or a point to die at",
    );
  const pass = faultPoints(config.fault, () => process.kill(process.pid, "SIGKILL"));
  return {
    address,
    config,
    log,
    keys,
    metrics,
    commands,
    patient,
    scripts,
    /** For what must be kept as promised before anybody acts on it. */
    durable: kept ?? notWaiting(scripts),
    promised,
    zones,
    nudger,
    control,
    plans,
    accounts,
    queues,
    contents,
    pass,
    close: async () => {
      await queues.close();
      await Promise.all([...[commands, patient].map(closeConnection), kept?.close()]);
    },
  };
};

export type Core = ReturnType<typeof composeCore>;
