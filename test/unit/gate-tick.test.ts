/** What a gate does at a tick, with scripts that answer by heart. */
import { beforeEach, describe, it } from "@jest/globals";
import { pino } from "pino";
import { CHANNELS } from "../../src/domain/channel.ts";
import { days } from "../../src/domain/time.ts";
import { startGate, type Gate } from "../../src/gate/gate.ts";
import type { Reply, ScriptRunner } from "../../src/redis/script.ts";
import { until } from "../support/until.ts";

const NO_ONE = -1;
/** Something has expired, something is overdue, and something is to be purged. */
const DUE: Reply = [[], 1, 1, 1, NO_ONE, NO_ONE, 0, ["server", "server", "1"]];

const gateWith = (scripts: ScriptRunner): Gate =>
  startGate({
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
    mostTries: Object.fromEntries(CHANNELS.map((channel) => [channel, 3])) as Record<(typeof CHANNELS)[number], number>,
    log: pino({ level: "silent" }),
    pass: () => {},
    failover: { isHeld: async () => false, generation: () => 1 },
  });

const ran: string[] = [];
const times = (name: string): number => ran.filter((each) => each === name).length;
/** @param special answers for the scripts that it names */
const noting = (special: Readonly<Record<string, () => Promise<Reply>>>): ScriptRunner => ({
  run: (script) => {
    ran.push(script.name);
    const answer = special[script.name];
    if (answer) return answer();
    if (script.name === "tick") return Promise.resolve(DUE);
    return Promise.resolve(script.name === "release" ? [[], 0, NO_ONE, [], [], 0, 0] : [0, 0, 0]);
  },
});
/** As Redis answers: others have their turn meanwhile. */
const turn = (reply: Reply): Promise<Reply> => new Promise((resolve) => setImmediate(() => resolve(reply)));
beforeEach(() => void ran.splice(0));

describe("what is to be purged", () => {
  it("goes although a full Redis refuses the reaper: that makes room", async () => {
    const gate = gateWith(
      noting({
        reap: () => Promise.reject(new Error("OOM command not allowed")),
        purge: () => Promise.resolve([0, 0, times("purge") < 3 ? 1 : 0]),
      }),
    );
    try {
      await until(() => times("reap") > 0 && times("purge") >= 3);
    } finally {
      await gate.stop();
    }
  });

  it("holds the reaper up no longer than a call, however much there is", async () => {
    const gate = gateWith(noting({ purge: () => Promise.resolve([100, 100, 1]) }));
    try {
      await until(() => times("purge") > 20 && times("tick") > 2 && times("reap") > 0);
    } finally {
      await gate.stop();
    }
  });
});

describe("what expires", () => {
  it("in masses holds up nothing else: the gate ticks, reaps and purges meanwhile", async () => {
    let isMore = 1;
    const gate = gateWith(noting({ expire: () => turn([100, isMore]) }));
    try {
      await until(() => times("expire") > 20 && times("tick") > 2 && times("reap") > 0 && times("purge") > 1);
    } finally {
      isMore = 0;
      await gate.stop();
    }
  });
});
