/** Rules 1, 2, 3 and 13: what is counted, in which window, by which clock. */
import { expect } from "@jest/globals";
import { instant } from "../../../src/domain/time.ts";
import { zoneRow } from "../../../src/domain/zone-row.ts";
import { DAY, HOUR, row, T0, type Stage } from "../../support/gate-stage.ts";
import { only, type Rule } from "./rule.ts";

const MINUTE = 60_000;
const EAST_TO_WEST = ["Pacific/Kiritimati", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Pacific/Pago_Pago"];

const flipZones = async (stage: Stage, account: string, hours: number): Promise<number> => {
  let sent = 0;
  for (let half = 0; half < hours * 2; half++) {
    await stage.at((half * HOUR) / 2);
    const zone = EAST_TO_WEST[half % EAST_TO_WEST.length] as string;
    await stage.zoneRow(zone, zoneRow(zone, instant(T0 + stage.now())));
    await stage.account(account, { zone });
    sent += (await stage.drain()).length;
  }
  return sent;
};

export const COUNTING: readonly Rule[] = [
  {
    of: "1",
    name: "flipping the zone every half hour for 72 hours mints no sends: ten a day stay ten a day",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { day: 10 });
      await stage.put("a", 400);
      // Four windows without a common instant fit into 72 hours and a bit.
      expect(await flipZones(stage, "a", 72)).toBeLessThanOrEqual(40);
    },
    without: [{ find: "if f[field.till] and start < f[field.till] then", replace: "if false then" }],
  },
  {
    of: "1",
    name: "a changed zone takes hold when the running window ends: until then the account sends as before",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { day: 2 });
      await stage.put("a", 1);
      expect(await stage.drain()).toHaveLength(1);
      await stage.zoneRow("Z1", row({ day: [-DAY, 2 * HOUR, DAY + 2 * HOUR, 2 * DAY + 2 * HOUR] }));
      await stage.account("a", { zone: "Z1" });
      await stage.at(HOUR);
      await stage.put("a", 9);
      expect(await stage.drain()).toHaveLength(1);
      await stage.at(3 * HOUR);
      await stage.limit("A|a", { day: 2 });
      expect(await stage.drain()).toEqual([]);
      await stage.at(DAY + 3 * HOUR);
      expect(await stage.drain()).toHaveLength(2);
    },
    without: [
      {
        find: "if f[field.till] and now < f[field.till] then return true end\n  local start, till = window_of(zone, kind, now)",
        replace:
          "local start, till = window_of(zone, kind, now)\n  if f[field.till] and till == f[field.till] then return true end",
      },
    ],
  },
  {
    of: "1",
    name: "a window that began before the one just ended stays shut, because nobody counted all of it",
    check: async (stage) => {
      await stage.account("a", { zone: "short" });
      await stage.zoneRow("short", row({ hour: [0, 500, 1_000, 2_000, 4_000].map((minutes) => minutes * MINUTE) }));
      await stage.limit("A|a", { hour: 2 });
      await stage.put("a", 9);
      await stage.at(600 * MINUTE);
      expect(await stage.drain()).toHaveLength(2);
      await stage.at(1_100 * MINUTE);
      await stage.limit("A|a", { hour: 1 });
      expect(await stage.drain()).toHaveLength(1);
      await stage.limit("A|a", { hour: 2 });
      await stage.zoneRow("long", row({ hour: [0, 400, 3_000, 6_000].map((minutes) => minutes * MINUTE) }));
      await stage.account("a", { zone: "long" });
      // The limit's second is spent inside [1000, 2000), so that the row rolls at 2000 with one used of three that went.
      await stage.at(2_001 * MINUTE);
      expect(await stage.drain()).toEqual([]);
      await stage.at(3_001 * MINUTE);
      expect(await stage.drain()).toHaveLength(2);
    },
    without: [{ find: "if start < f[field.from] then shut = 1 end", replace: "" }],
  },
  {
    of: "2",
    name: "after a failover to a server an hour behind, what was held until the full hour still goes at the full hour",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 1 });
      await stage.put("a", 2);
      expect(await stage.drain()).toHaveLength(1);
      await stage.at(HOUR);
      await stage.at(10 * MINUTE);
      expect(await stage.drain()).toHaveLength(1);
    },
    without: [{ find: "return math.max(now, seen), now > seen", replace: "return now, true" }],
  },
  {
    of: "2",
    name: "by the server's own clock, too, no instant comes before one that was seen",
    stage: { testClock: false },
    check: async (stage) => {
      const ahead = Date.UTC(2100, 0, 1);
      await stage.redis.set(`${stage.cell}clock`, ahead);
      await stage.beat();
      expect(Number(await stage.redis.zscore(`${stage.cell}workers`, "w:email:5"))).toBe(ahead);
    },
    without: [{ find: "return math.max(now, seen), now > seen", replace: "return now, true" }],
  },
  {
    of: "3",
    name: "a limit added at noon remembers the morning",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 5);
      expect(await stage.drain()).toHaveLength(5);
      await stage.put("a", 5);
      for (const scope of ["A|a", "C|a|email", "S|a|email|s0@x.org"]) {
        await stage.limit(scope, { day: 5 });
        expect(await stage.drain()).toEqual([]);
        await stage.limit(scope, { day: null });
      }
    },
    without: [
      {
        find: "if roll(q, kind, zone, now) then\n      add(q, field.used, charged)",
        replace:
          "if not q.f[field.limit] then\n    elseif roll(q, kind, zone, now) then\n      add(q, field.used, charged)",
      },
    ],
  },
  {
    of: "3",
    name: "a limit added while a message is in flight leaves no hold negative",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.limit("A|a", { hour: 5 });
      await stage.settle(pairs, "sent");
      expect(await stage.held("A|a")).toBe(0);
    },
    without: [
      {
        find: "add(q, 'held', chain.held)",
        replace: "if q.f['hour.limit'] then add(q, 'held', chain.held) end",
      },
    ],
  },
  {
    of: "3",
    name: "a sender at its limit does not hold up another sender of the account",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("S|a|email|one@x.org", { hour: 0 });
      await stage.put("a", 1, { sender: "one@x.org" });
      const other = await stage.put("a", 1, { sender: "two@x.org" });
      expect(await stage.drain()).toEqual(other);
    },
    without: [
      {
        find: "return account .. ':' .. channel .. ':' .. class .. ':' .. sender",
        replace: "return account .. ':' .. channel .. ':' .. class .. ':all'",
      },
    ],
  },
  {
    of: "13",
    name: "an account whose zone is not known yet is passed over, named, and served as soon as it is",
    check: async (stage) => {
      await stage.account("a", { zone: "Z9" });
      await stage.put("a", 1);
      expect(await stage.release()).toMatchObject({ staleZones: ["Z9"], released: 0 });
      await stage.zoneRow("Z9", row());
      expect(await stage.release()).toMatchObject({ staleZones: [], released: 1 });
    },
    without: [
      {
        script: "release",
        find: "to_tail(account, channel, ring)\n    if not is_passed",
        replace: "park_account(account, channel, PARKED_FOR_GOOD)\n    if not is_passed",
      },
      { script: "release", find: "if not zone_is_known(known.zone, now) then", replace: "if false then" },
    ],
  },
  {
    of: "13",
    name: "a process with older zone data does not undo what a newer one wrote",
    check: async (stage) => {
      expect(await stage.zoneRow("Z1", row({}, "2026a"))).toBe(true);
      expect(await stage.zoneRow("Z1", row({}, "2025c"))).toBe(false);
      expect(await stage.redis.get(`${stage.cell}zone:Z1`)).toMatch(/^2026a;/);
      expect(await stage.zoneRow("Z1", row({}, "2026b"))).toBe(true);
    },
    without: [{ script: "put-zone-row", find: "then return 0 end", replace: "then end" }],
  },
  {
    of: "lateCharges",
    name: "what is settled while the zone is not known counts in the window in which it was settled",
    check: async (stage) => {
      const short = row({ hour: [0, 1_000] });
      await stage.zoneRow("Z0", short);
      await stage.account("a");
      await stage.limit("A|a", { hour: 2 });
      await stage.put("a", 9);
      await stage.at(10);
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.loseZoneRow("Z0");
      await stage.at(1_990);
      await stage.settle([only(pairs)], "sent");
      await stage.at(2_010);
      await stage.settle(pairs.slice(1), "sent");
      await stage.zoneRow("Z0", row({ hour: [0, 1_000, 2_000, 3_000] }));
      expect((await stage.released()).length).toBeLessThanOrEqual(1);
    },
    without: [
      { find: "if f[field.late] and f[field.late_at] >= start then used = used + f[field.late] end", replace: "" },
    ],
  },
  {
    of: "lateCharges",
    name: "what is settled late for its window is not charged to the next one",
    check: async (stage) => {
      await stage.zoneRow("Z0", row({ hour: [0, 1_000] }));
      await stage.account("a");
      await stage.limit("A|a", { hour: 1 });
      await stage.put("a", 9);
      await stage.at(10);
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.at(1_990);
      await stage.settle(pairs, "sent");
      await stage.at(2_010);
      await stage.zoneRow("Z0", row({ hour: [0, 1_000, 2_000, 3_000] }));
      expect(await stage.released()).toHaveLength(1);
    },
    without: [{ find: "if f[field.late] and f[field.late_at] >= start then", replace: "if f[field.late] then" }],
  },
  {
    of: "lateCharges",
    name: "begin counts what is late: a row that cannot be rolled is not an empty one",
    check: async (stage) => {
      await stage.zoneRow("Z0", row({ hour: [0, 1_000] }));
      await stage.account("a");
      await stage.limit("A|a", { hour: 3 });
      await stage.put("a", 3);
      const pairs = await stage.released();
      await stage.begin([only(pairs)]);
      await stage.at(1_500);
      await stage.settle([only(pairs)], "sent");
      await stage.limit("A|a", { hour: 2 });
      expect((await stage.begin(pairs.slice(1))).map(({ kind }) => kind)).toEqual(["returned", "go"]);
    },
    without: [{ find: "(known and 0 or q.f[field.late] or 0)", replace: "0" }],
  },
  {
    of: "carryAlways",
    name: "a new release of the tz data that moves the hours by a little gives nobody a second hour",
    check: async (stage) => {
      await stage.zoneRow("Z0", row({ hour: [0, 1_000] }));
      await stage.account("a");
      await stage.limit("A|a", { hour: 2 });
      await stage.at(900);
      await stage.put("a", 9);
      expect(await stage.drain()).toHaveLength(2);
      await stage.zoneRow("Z0", row({ hour: [-200, 800, 1_800] }, "t2"));
      await stage.at(1_001);
      expect(await stage.drain()).toEqual([]);
      await stage.at(1_801);
      await stage.zoneRow("Z0", row({ hour: [-200, 800, 1_800, 2_800] }, "t2"));
      expect(await stage.drain()).toHaveLength(2);
    },
    without: [{ find: "used = f[field.used] or 0\n", replace: "used = 0\n" }],
  },
];
