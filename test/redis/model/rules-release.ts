/** Rules 5, 9 and 10, and the corrections to release, tick, stuck and rerelease: what goes into BullMQ, and when. */
import { RELEASE_BOUNDS } from "../../../src/redis/scripts/release.ts";
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import { kinds, only, type Rule } from "./rule.ts";

const REPLACED_JOB = "local job = 'j' .. string.format('%.0f', redis.call('INCR', cell .. 'seq'))";

export const RELEASING: readonly Rule[] = [
  {
    of: "5",
    name: "a message that is released anew is in another job, because BullMQ ignores an id that it still keeps",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      const reply = await stage.release();
      const lost = only(reply.jobs);
      const [again] = await stage.rerelease(lost.messages.map(([id, number]) => ({ id, release: number })));
      expect(again?.job).not.toBe(lost.job);
      const pairs = again?.messages.map(([id, number]) => ({ id, release: number })) ?? [];
      await stage.begin(pairs);
      await stage.settle(pairs, "later");
      const third = only((await stage.release()).jobs);
      expect([lost.job, again?.job]).not.toContain(third.job);
    },
    without: [
      { script: "rerelease", find: REPLACED_JOB, replace: "local job = x.f.job" },
      { script: "release", find: "redis.call('INCR', cell .. 'seq')", replace: "1" },
    ],
  },
  {
    of: "5",
    name: "a job that was thought lost and comes late is refused by its number: an SMS goes out once",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1, { channel: "sms" });
      const first = await stage.released("sms");
      const [again] = await stage.rerelease(first);
      const second = again?.messages.map(([id, number]) => ({ id, release: number })) ?? [];
      expect(kinds(await stage.begin(first, "one"))).toEqual(["stale"]);
      expect(kinds(await stage.begin(second, "two"))).toEqual(["go"]);
    },
    without: [
      { script: "rerelease", find: "put(x, 'release', release + 1)", replace: "" },
      { script: "begin", find: "x.f.release ~= release or", replace: "" },
    ],
  },
  {
    of: "5",
    name: "what was released and never became a job is found after three seconds, with its job",
    check: async (stage) => {
      await stage.account("a");
      const [id] = await stage.put("a", 1);
      const { job } = only((await stage.release()).jobs);
      await stage.at(2_999);
      expect(await stage.stuck()).toEqual([]);
      await stage.at(3_000);
      expect(await stage.stuck()).toEqual([{ id, release: 1, job }]);
    },
    without: [
      {
        script: "release",
        find: "f.job, f.token, f.lane, f.turn = 'released', number, job[1],",
        replace: "f.job, f.token, f.lane, f.turn = 'released', number, nil,",
      },
      { script: "stuck", find: "now - age)", replace: "now)" },
    ],
  },
  {
    of: "rereleaseSince",
    name: "a message that was released anew is left alone until its new job has had its time",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      await stage.release();
      let jobs = 0;
      for (let sweep = 0; sweep < 5; sweep++) {
        await stage.at(4_000 + sweep * 100);
        jobs += (await stage.rerelease(await stage.stuck())).length;
      }
      expect(jobs).toBe(1);
    },
    without: [
      { script: "rerelease", find: "redis.call('ZADD', cell .. 'released:' .. m.channel, now, id)", replace: "" },
    ],
  },
  {
    of: "9",
    name: "a nudge that is lost costs half a second: the tick names the channel that has something to release",
    check: async (stage) => {
      await stage.account("a");
      expect((await stage.tick()).ready).toEqual([]);
      await stage.put("a", 1);
      expect((await stage.tick()).ready).toEqual(["email"]);
      await stage.released();
      expect((await stage.tick()).ready).toEqual([]);
    },
    without: [
      {
        script: "tick",
        find: "if redis.call('EXISTS', cell .. 'ring:' .. channel .. ':a') == 1 or redis.call('EXISTS', cell .. 'ring:' .. channel .. ':h') == 1 then",
        replace: "if false then",
      },
    ],
  },
  {
    of: "tickRings",
    name: "the tick does not call for a channel that is paused, closed or full",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 20);
      await stage.channel("email", { paused: true });
      expect((await stage.tick()).ready).toEqual([]);
      await stage.channel("email", { paused: false, close: milliseconds(1_000) });
      expect((await stage.tick()).ready).toEqual([]);
      await stage.channel("email", { close: milliseconds(0) });
      expect((await stage.tick()).ready).toEqual(["email"]);
      await stage.released();
      expect((await stage.tick()).ready).toEqual([]);
    },
    without: [
      { script: "tick", find: "elseif rate.paused ~= 1 then", replace: "else" },
      { script: "tick", find: "if closed > now then", replace: "if false then" },
      { script: "tick", find: "redis.call('ZCARD', cell .. 'released:' .. channel) < target", replace: "true" },
    ],
  },
  {
    of: "10",
    name: "no more is released than the live workers will begin at once",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 40);
      expect(await stage.released()).toHaveLength(10);
      expect(await stage.released()).toEqual([]);
      await stage.beat(true, "other");
      expect(await stage.released()).toHaveLength(10);
      await stage.beat(false, "other");
      expect(await stage.released()).toEqual([]);
    },
    without: [{ script: "release", find: "or TWICE) * hands", replace: "or TWICE) * (hands + 9)" }],
  },
  {
    of: "10",
    name: "for workers that have died nothing is released",
    stage: { hands: 3 },
    check: async (stage) => {
      await stage.beat(true, "dead");
      await stage.at(6_000);
      await stage.account("a");
      await stage.put("a", 20);
      expect(await stage.released()).toHaveLength(6);
    },
    without: [{ script: "release", find: "now - BEAT_OUTLIVES", replace: "0" }],
  },
  {
    of: "10",
    name: "a slow rate with many workers holds no more quota than two seconds of it, and at least one message",
    stage: { hands: 50 },
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 90);
      await stage.channel("email", { interval: milliseconds(500) });
      expect(await stage.released()).toHaveLength(4);
      await stage.channel("sms", { interval: milliseconds(60_000) });
      await stage.put("a", 9, { channel: "sms" });
      expect(await stage.released("sms")).toHaveLength(1);
    },
    without: [
      {
        script: "release",
        find: "SPARE or TWICE) * hands, ahead)",
        replace: "SPARE or TWICE) * hands, math.huge)",
      },
      {
        script: "release",
        find: "math.max(1, math.floor(RELEASE_AHEAD / rate.f.interval))",
        replace: "math.floor(RELEASE_AHEAD / rate.f.interval)",
      },
    ],
  },
  {
    of: "zoneSkip",
    name: "an urgent account whose zone is missing keeps nobody else from going",
    check: async (stage) => {
      await stage.account("x", { zone: "Z9" });
      await stage.account("b");
      await stage.put("x", 1, { class: "high" });
      await stage.put("b", 5);
      const reply = await stage.release();
      expect([reply.released, reply.more]).toEqual([5, false]);
      expect(reply.looked).toBeLessThan(40);
    },
    without: [{ script: "release", find: "> passed[ring]", replace: "> 0" }],
  },
  {
    of: "zoneSkip",
    name: "beside an account whose zone is not known, one that owes a turn is served in the same call",
    check: async (stage) => {
      await stage.account("x", { zone: "Z9" });
      await stage.account("b");
      await stage.put("x", 1);
      await stage.put("b", 1);
      await stage.change("ac:b:email", { debt: 10 });
      expect((await stage.release()).released).toBe(1);
    },
    without: [{ script: "release", find: "if not is_passed[ring][account] then", replace: "if true then" }],
  },
  {
    of: "zoneSkip",
    name: "more accounts without a zone than one call looks at do not make the gate call release for ever",
    check: async (stage) => {
      for (let i = 0; i < 5; i++) {
        await stage.account(`x${i}`, { zone: "Z9" });
        await stage.put(`x${i}`, 1);
      }
      await stage.account("b");
      await stage.put("b", 1);
      let released = 0;
      for (let tick = 0; tick < 3; tick++) {
        const reply = await stage.release("email", 1, { lanes: 3 });
        released += reply.released;
        if (reply.released === 0) expect(reply.more).toBe(false);
      }
      expect(released).toBe(1);
    },
    without: [{ script: "release", find: "more = more or looked > skipped", replace: "more = true" }],
  },
  {
    of: "senderOut",
    name: "a slow sender's messages do not fill the hands: what is released of it counts as slots taken",
    check: async (stage) => {
      await stage.account("a");
      await stage.account("b");
      await stage.senderRate("a", 10_000);
      await stage.put("a", 30);
      const first = await stage.released();
      expect(first).toHaveLength(1);
      await stage.put("b", 5);
      expect(await stage.released()).toHaveLength(5);
      await stage.begin(first);
      await stage.at(9_950);
      expect(await stage.released()).toHaveLength(1);
    },
    without: [
      { script: "release", find: "+ (q.f.out or 0) * q.f.interval", replace: "" },
      { script: "release", find: "add(q_of_sender(lane), 'out', count)", replace: "" },
      { script: "begin", find: "add(q_of_sender(m), 'out', -1)", replace: "" },
    ],
  },
  {
    of: "capMore",
    name: "what is due in masses is promoted to the end, even while the channel is closed",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 450, { sendAt: 100 });
      await stage.channel("email", { close: milliseconds(1_000_000) });
      await stage.at(200);
      let calls = 1;
      while ((await stage.release()).more) calls++;
      expect(calls).toBe(Math.ceil(450 / RELEASE_BOUNDS.promotions));
      expect(await stage.redis.zcard(`${stage.cell}scheduled`)).toBe(0);
    },
    without: [
      {
        script: "release",
        find: "local more = promoted == MOST_PROMOTIONS or unparked == MOST_PROMOTIONS",
        replace: "local more = false",
      },
    ],
  },
  {
    of: "capMore",
    name: "what is parked in masses until one instant is looked at again to the end",
    check: async (stage) => {
      for (let i = 0; i < 5; i++) {
        await stage.account(`a${i}`);
        await stage.limit(`A|a${i}`, { hour: 1 });
        await stage.put(`a${i}`, 2);
      }
      expect(await stage.drain()).toHaveLength(5);
      await stage.at(3_600_000);
      await stage.channel("email", { close: milliseconds(1_000_000) });
      for (const more of [true, true, false])
        expect((await stage.release("email", 1, { promotions: 2 })).more).toBe(more);
    },
    without: [
      {
        script: "release",
        find: "local more = promoted == MOST_PROMOTIONS or unparked == MOST_PROMOTIONS",
        replace: "local more = promoted == MOST_PROMOTIONS",
      },
    ],
  },
];
