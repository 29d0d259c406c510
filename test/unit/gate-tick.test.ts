/** What a gate does at a tick, with scripts that answer by heart. */
import { describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { CHANNELS } from "../../src/domain/channel.ts";
import { days } from "../../src/domain/time.ts";
import { startGate } from "../../src/gate/gate.ts";
import type { Reply, ScriptRunner } from "../../src/redis/script.ts";
import { until } from "../support/until.ts";

const NO_ONE = -1;
/** Something is overdue and something is to be purged. */
const DUE: Reply = [[], 0, 1, 1, NO_ONE, NO_ONE, 0, ["server", "server", "1"]];

describe("a gate at a full Redis", () => {
  it("purges although the reaper is refused: that makes room", async () => {
    const ran: string[] = [];
    const scripts: ScriptRunner = {
      run: (script) => {
        ran.push(script.name);
        if (script.name === "reap") return Promise.reject(new Error("OOM command not allowed"));
        if (script.name === "tick") return Promise.resolve(DUE);
        return Promise.resolve(script.name === "purge" ? [0, 0, 0] : [[], 0, NO_ONE, [], [], 0, 0]);
      },
    };
    const gate = startGate({
      scripts,
      queues: {
        add: async () => {},
        stateOf: async () => null,
        holderOf: async () => null,
        counts: async () => ({}),
        close: async () => {},
      },
      zones: { write: async () => {}, refresh: async () => 0 },
      holding: { worker: "w", has: () => false },
      retention: { bodies: days(1), records: days(7) },
      mostTries: Object.fromEntries(CHANNELS.map((channel) => [channel, 3])) as Record<
        (typeof CHANNELS)[number],
        number
      >,
      log: pino({ level: "silent" }),
      pass: () => {},
      failover: { isHeld: async () => false, generation: () => 1 },
    });
    try {
      await until(() => ran.includes("purge") && ran.includes("reap"));
      expect(ran.indexOf("purge")).toBeLessThan(ran.indexOf("reap"));
    } finally {
      await gate.stop();
    }
  });
});
