/** Rule 15 and its corrections: lanes, tombstones, positions, what is scheduled and what expires. */
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import { HOUR, type Stage } from "../../support/gate-stage.ts";
import { only, type Rule } from "./rule.ts";

const LANE = "a:email:low:s0@x.org";

/** At most so many of its lane go before the message and including it. */
const positionOf = async (stage: Stage, id: string): Promise<number> => {
  const [number] = (await stage.redis.get(`${stage.cell}m:${id}`))?.split(" ") ?? [];
  const own = (await stage.fields(`x:${id}`))["n"];
  return Number(own ?? number) - Number((await stage.fields(`ln:${LANE}`))["popped"] ?? 0);
};

export const LANES: readonly Rule[] = [
  {
    of: "15",
    name: "what was canceled in its lane never goes, and the rest keeps its order",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 5);
      expect(await stage.cancel(ids[0] ?? "", ids[2] ?? "")).toEqual(["ok", "ok"]);
      expect(await stage.drain()).toEqual([ids[1], ids[3], ids[4]]);
    },
    without: [
      {
        script: "release",
        find: "if state == 'queued' or (not state and message_exists(id)) then",
        replace: "do",
      },
    ],
  },
  {
    of: "15",
    name: "canceled messages at a lane's head cost each call a bounded number of pops, and the call says that there is more",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 200);
      await stage.put("a", 1);
      await stage.cancel(...ids);
      const reply = await stage.release("email", 1, { pops: 64 });
      expect([reply.released, reply.looked, reply.more]).toEqual([0, 1, true]);
      expect(await stage.redis.llen(`${stage.cell}lane:${LANE}`)).toBe(201 - 64);
      expect(await stage.drain()).toHaveLength(1);
    },
    without: [
      { script: "release", find: "math.min(most - count, MOST_POPS - pops)", replace: "most - count" },
      { script: "release", find: "or pops >= MOST_POPS", replace: "" },
    ],
  },
  {
    of: "15",
    name: "when nothing of a lane waits any more, its list goes, tombstones and all, and the account leaves the ring",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 3);
      await stage.cancel(...ids);
      expect(await stage.redis.keys(`${stage.cell}l*:*`)).toEqual([]);
      expect((await stage.tick()).ready).toEqual([]);
    },
    without: [
      { script: "cancel", find: "redis.call('UNLINK', cell .. 'lane:' .. name)", replace: "" },
      { script: "cancel", find: "  wipe(ln)", replace: "" },
      {
        script: "cancel",
        find: "leave_inner(m.account, m.channel, m.class, m.sender)\n  end\n  wipe",
        replace: "end\n  wipe",
      },
      { script: "cancel", find: "redis.call('SREM', cell .. 'lanes:'", replace: "redis.call('SREM', cell .. 'other:'" },
    ],
  },
  {
    of: "15",
    name: "a parked lane that is emptied by canceling leaves nothing parked",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("S|a|email|s0@x.org", { hour: 0 });
      const ids = await stage.put("a", 3);
      await stage.released();
      expect(await stage.redis.zcard(`${stage.cell}parked`)).toBe(1);
      await stage.cancel(...ids);
      expect(await stage.redis.zcard(`${stage.cell}parked`)).toBe(0);
    },
    without: [{ script: "cancel", find: "redis.call('ZREM', cell .. 'parked', 'L|' .. name)", replace: "" }],
  },
  {
    of: "15",
    name: "a message in a parked lane expires in time, however deep it sits",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 0 });
      await stage.put("a", 300);
      const [id = ""] = await stage.put("a", 1, { expiresAt: 1_000 });
      await stage.put("a", 300);
      await stage.released();
      await stage.at(999);
      expect(await stage.tick()).toMatchObject({ expire: false, nextIn: 1 });
      await stage.at(1_000);
      expect((await stage.tick()).expire).toBe(true);
      expect(await stage.expire()).toEqual({ expired: 1, more: false });
      expect(await stage.state(id)).toBe("expired");
      expect((await stage.fields(`ln:${LANE}`))["live"]).toBe("600");
    },
    without: [
      {
        script: "accept",
        find: "if m.expires > 0 then redis.call('ZADD', cell .. 'expiring', m.expires, m.id) end",
        replace: "",
      },
    ],
  },
  {
    of: "15",
    name: "more than one call's worth of messages that expire together all expire",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 5, { expiresAt: 1_000 });
      await stage.at(1_000);
      expect(await stage.expire(2)).toEqual({ expired: 2, more: true });
      expect(await stage.expire(2)).toEqual({ expired: 2, more: true });
      expect(await stage.expire(2)).toEqual({ expired: 1, more: false });
    },
    without: [{ script: "expire", find: "#due == most and 1 or 0", replace: "0" }],
  },
  {
    of: "15",
    name: "a message that is tried again goes before those that have not been tried",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 3);
      await stage.limit("A|a", { hour: 1 });
      const first = await stage.released();
      await stage.begin(first);
      await stage.settle(first, "later", { delay: milliseconds(100) });
      await stage.channel("email", { paused: true });
      await stage.at(100);
      await stage.released();
      await stage.channel("email", { paused: false });
      await stage.limit("A|a", { hour: null });
      expect(await stage.drain()).toEqual(ids);
    },
    without: [{ script: "release", find: "requeue(m, true)", replace: "requeue(m, false)" }],
  },
  {
    of: "15",
    name: "what was scheduled joins its lane's end when it is due, those that were due first before the others",
    check: async (stage) => {
      await stage.account("a");
      const later = await stage.put("a", 1, { sendAt: 2_000 });
      const sooner = await stage.put("a", 1, { sendAt: 1_000 });
      await stage.limit("A|a", { hour: 0 });
      const waiting = await stage.put("a", 1);
      await stage.at(999);
      await stage.released();
      expect(await stage.state(only(sooner))).toBe("scheduled");
      await stage.at(2_000);
      await stage.released();
      await stage.limit("A|a", { hour: null });
      expect(await stage.drain()).toEqual([...waiting, ...sooner, ...later]);
    },
    without: [
      { script: "release", find: "put(x_of(id), 'n', push(m, false))", replace: "put(x_of(id), 'n', push(m, true))" },
      {
        script: "release",
        find: "cell .. 'scheduled', '-inf', now,",
        replace: "cell .. 'scheduled', '-inf', now - 1000,",
      },
    ],
  },
  {
    of: "cancelLive",
    name: "canceling a scheduled message does not count a waiting one out of its lane",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      const scheduled = await stage.put("a", 1, { sendAt: 5_000 });
      await stage.cancel(...scheduled);
      expect(await stage.drain()).toHaveLength(1);
      await stage.at(6_000);
      expect(await stage.drain()).toEqual([]);
    },
    without: [
      {
        script: "cancel",
        find: "add(ac_of(m.account, m.channel), 'scheduled', -1)\n  elseif",
        replace: "add(ac_of(m.account, m.channel), 'scheduled', -1)\n    lane_lost(m, 1)\n  elseif",
      },
    ],
  },
  {
    of: "headNumber",
    name: "positions stay 'at most', however often the first message is given back",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 4);
      for (let turn = 0; turn < 3; turn++) {
        const pairs = (await stage.release("email", 1, { messages: 1 })).jobs.flatMap((job) => job.messages);
        await stage.unrelease(pairs.map(([id, number]) => ({ id, release: number })));
      }
      for (const [i, id] of ids.entries()) expect(await positionOf(stage, id)).toBeGreaterThanOrEqual(i + 1);
    },
    without: [{ find: "put(ln, 'popped', number - 1)", replace: "" }],
  },
  {
    of: "headNumber",
    name: "whatever is canceled, returned, retried and scheduled, nobody is told a position before its own",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 6);
      await stage.put("a", 1, { sendAt: 10 });
      await stage.cancel(ids[1] ?? "", ids[4] ?? "");
      for (let turn = 0; turn < 3; turn++) {
        const pairs = (await stage.release("email", 1, { messages: 2 })).jobs.flatMap((job) => job.messages);
        const [first, second] = pairs.map(([id, number]) => ({ id, release: number }));
        if (first) await stage.begin([first]);
        if (first) await stage.settle([first], "later");
        if (second) await stage.unrelease([second]);
        await stage.at(stage.now() + 10);
        await stage.release("email", 1, { messages: 0 });
        let ahead = 0;
        for (const id of await stage.redis.lrange(`${stage.cell}lane:${LANE}`, 0, -1)) {
          if ((await stage.state(id)) !== "queued") continue;
          ahead++;
          expect(await positionOf(stage, id)).toBeGreaterThanOrEqual(ahead);
        }
        expect(ahead).toBe(5);
      }
    },
    without: [
      { find: "put(ln, 'popped', number - 1)", replace: "" },
      { script: "release", find: "add(ln, 'popped', #ids)", replace: "add(ln, 'popped', 2 * #ids)" },
    ],
  },
  {
    of: "suppress",
    name: "an address that is suppressed after its message was accepted gets nothing, and no quota is spent",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1, { recipient: "No@y.org" });
      const pairs = await stage.released();
      await stage.suppress("a", "no@y.org");
      expect(await stage.begin(pairs)).toEqual([{ kind: "ended", state: "suppressed" }]);
      expect([await stage.state(id), await stage.held("A|a"), await stage.used("A|a")]).toEqual(["suppressed", 0, 0]);
      const [late = ""] = await stage.put("a", 1, { recipient: "no@y.org", expiresAt: HOUR });
      expect(await stage.state(late)).toBe("suppressed");
      expect(await stage.redis.zcard(`${stage.cell}expiring`)).toBe(0);
    },
    without: [
      {
        script: "begin",
        find: "redis.call('EXISTS', cell .. 'sup:' .. account) == 1",
        replace: "false",
      },
      { script: "accept", find: "local has_suppressions = ", replace: "local has_suppressions = false and " },
    ],
  },
];
