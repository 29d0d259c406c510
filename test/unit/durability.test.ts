import { describe, expect, it } from "@jest/globals";
import { durabilityOf, missingOf, type Promise202 } from "../../src/redis/durability.ts";

const server = (more: Record<string, string> = {}, fsync: string | null = "everysec") => ({
  info: new Map(Object.entries({ aof_enabled: "1", redis_version: "7.0.15", connected_slaves: "0", ...more })),
  fsync,
  restsInRewrites: false,
});
const process202: Promise202 = { level: "process", replicas: 0 };
const power202: Promise202 = { level: "power", replicas: 0 };
const replicated202: Promise202 = { level: "process", replicas: 2 };

describe("what a 202 promises, and what a server gives", () => {
  it.each([
    ["an append-only file outlives the process", process202, server(), "process", null, []],
    ["fsync for every write outlives power loss", power202, server({}, "always"), "power", null, []],
    ["which is more than was promised", process202, server({}, "always"), "power", null, []],
    [
      "a younger server is asked to wait for its disk",
      power202,
      server({ redis_version: "8.0.2" }),
      "power",
      { disk: true, replicas: 0 },
      [],
    ],
    [
      "also where it may not be asked for its policy",
      power202,
      server({ redis_version: "8.1.0" }, null),
      "power",
      { disk: true, replicas: 0 },
      [],
    ],
    ["but only where that was promised", process202, server({ redis_version: "8.0.2" }), "process", null, []],
    [
      "replicas are waited for",
      replicated202,
      server({ connected_slaves: "2" }),
      "process",
      { disk: false, replicas: 2 },
      [],
    ],
  ])("%s", (_, promised, facts, given, waiting, reasons) =>
    expect(durabilityOf(promised, facts)).toMatchObject({ given, waiting, reasons }),
  );

  it.each([
    [
      process202,
      server({ aof_enabled: "0" }),
      "durability: expected process (SLUICE_DURABILITY), got none (no append-only file)",
    ],
    [
      power202,
      server(),
      "durability: expected power (SLUICE_DURABILITY), got process (append-only file, appendfsync everysec)",
    ],
    ...[
      ["7.2.4", "7.2.4", "redis"],
      ["7.4.2", "7.4.2", "redis"],
      ["Valkey, as it says of itself", "7.2.4", "valkey"],
      ["Valkey, if it said its own version", "9.1.2", "valkey"],
    ].map(([, version, name]): [Promise202, ReturnType<typeof server>, string] => [
      power202,
      server({ redis_version: version ?? "", server_name: name ?? "" }),
      "durability: expected power (SLUICE_DURABILITY), got process (append-only file, appendfsync everysec)",
    ]),
    [
      power202,
      server({ redis_version: "8.0.2" }, "no"),
      "durability: expected power (SLUICE_DURABILITY), got process (append-only file, appendfsync no)",
    ],
    [
      power202,
      { ...server({ redis_version: "8.0.2" }, "always"), restsInRewrites: true },
      "durability: expected power (SLUICE_DURABILITY), got process (append-only file, appendfsync always, no-appendfsync-on-rewrite yes)",
    ],
    [
      power202,
      server({}, null),
      "durability: expected power (SLUICE_DURABILITY), got process (append-only file, appendfsync unknown)",
    ],
    [
      power202,
      server({ aof_enabled: "0", redis_version: "8.0.0" }),
      "durability: expected power (SLUICE_DURABILITY), got none (no append-only file)",
    ],
    [replicated202, server({ connected_slaves: "1" }), "replicas: expected 2 connected (SLUICE_REPLICAS), got 1"],
  ])("what it gives less is said", (promised, facts, reason) =>
    expect(durabilityOf(promised, facts).reasons).toEqual([reason]),
  );
});

describe("a wait that was answered", () => {
  it("counts: it is answered when its time is up, too", () => {
    expect(missingOf({ disk: true, replicas: 0 }, { disk: 1, replicas: 0 })).toBeNull();
    expect(missingOf({ disk: true, replicas: 0 }, { disk: 0, replicas: 3 })).toMatch(/disk/);
    expect(missingOf({ disk: false, replicas: 2 }, { disk: 0, replicas: 2 })).toBeNull();
    expect(missingOf({ disk: false, replicas: 2 }, { disk: 1, replicas: 1 })).toMatch(/2 replicas, got 1/);
    expect(missingOf({ disk: true, replicas: 1 }, { disk: 1, replicas: 0 })).toMatch(/replicas/);
  });
});
