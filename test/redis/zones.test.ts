/** Zones' rows: who may write one, and what becomes of the others where one cannot be computed. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { zonesOn, type Zones } from "../../src/gate/zones.ts";
import { keysOf, type Keys } from "../../src/redis/keys.ts";
import { scriptRunner } from "../../src/redis/script.ts";
import { putZoneRow } from "../../src/redis/scripts/put-zone-row.ts";
import { gateStages } from "../support/gate-cell.ts";
import { DAY, row } from "../support/gate-stage.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

describe("a zone that this Node does not know", () => {
  const NEWER = "America/Nowhere";
  const told: unknown[] = [];
  let server: TestRedis;
  let redis: Redis;
  let keys: Keys;
  let zones: Zones;
  beforeAll(async () => {
    server = await testRedis();
    redis = server.connect();
    keys = keysOf(server.cell);
    const log = pino({}, { write: (line) => void told.push(JSON.parse(line)) });
    zones = zonesOn(redis, scriptRunner(redis, server.cell), keys, log);
  });
  afterAll(() => server.close());

  it("keeps no other from being written, and is told of once", async () => {
    const names = [NEWER, "UTC", "Asia/Kathmandu", "Europe/Berlin", "America/New_York"];
    await redis.sadd(keys.zones, ...names);
    await zones.refresh();
    await zones.write([NEWER, "Asia/Tokyo"]);
    const rows = await redis.mget([...names, "Asia/Tokyo"].map(keys.zone));
    expect(rows.map((one) => one !== null)).toEqual([false, true, true, true, true, true]);
    expect(told).toEqual([expect.objectContaining({ event: "zone_unknown", zone: NEWER })]);
  });
});

describe("a row of a newer tz release", () => {
  const aStage = gateStages();
  const later = (days: number, tz: string): string =>
    row({}, tz).replaceAll(/\d{13}/g, (at) => String(Number(at) + days * DAY));

  it("stays while it holds, and not for ever once nobody writes such any more", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.zoneRow("Z0", row({}, "2026c"));
    await stage.put("a", 1);
    expect(await putZoneRow(stage.scripts, "Z0", row({}, "2025c"))).toBe(false);
    await stage.at(5 * DAY);
    expect(await stage.release()).toMatchObject({ released: 0, staleZones: ["Z0"] });
    expect(await putZoneRow(stage.scripts, "Z0", later(5, "2025c"))).toBe(true);
    expect((await stage.release()).released).toBe(1);
    expect(await putZoneRow(stage.scripts, "Z0", later(5, "2026c"))).toBe(true);
  });
});
