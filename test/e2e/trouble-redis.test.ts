/** What Redis and the way to it do to a running system: after each, all goes on by itself, and each message goes once. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { isLong, note } from "../support/measuring.ts";
import { lasting, NAMES, TROUBLES, troubledRedis, type Trouble } from "../support/redis-troubles.ts";
import { expectAllToGoOn, traffic } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { aWorld } from "../support/world.ts";

const ROUNDS = isLong ? 5 : 1;
const FROZEN_FOR = isLong ? 90_000 : TROUBLES.freeze.lastsMs;

describe("a running system goes on by itself after", () => {
  const closing: (() => Promise<unknown>)[] = [];
  const begin = async () => {
    const troubled = await troubledRedis();
    closing.push(troubled.close);
    const world = await aWorld({ redis: troubled.redis });
    closing.push(world.stop);
    const running = traffic(world);
    await until(() => world.ledger.length > 50, { what: "traffic" });
    return { troubled, world, running };
  };

  /** Answers how long it took, from the end of the trouble, until messages went again. */
  const round = async ({ begin: trouble, lastsMs, end }: Trouble): Promise<number> => {
    const { troubled, world, running } = await begin();
    await trouble(troubled);
    if (lastsMs > 0) await lasting(lastsMs);
    await end?.(troubled);
    return expectAllToGoOn(world, running);
  };
  const cleared = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  afterEach(cleared);

  it.each(NAMES.filter((name) => name !== "freeze"))(
    "%s",
    async (name) => {
      for (let n = 0; n < ROUNDS; n++) {
        const resumedInMs = await round(TROUBLES[name]);
        note("resumed", { after: name, resumedInMs: Math.round(resumedInMs) });
        expect(resumedInMs).toBeLessThan(15_000);
        await cleared();
      }
    },
    60_000 * ROUNDS,
  );

  it(`a freeze of ${FROZEN_FOR / 1_000} seconds`, async () => {
    const resumedInMs = await round({ ...TROUBLES.freeze, lastsMs: FROZEN_FOR });
    note("resumed", { after: `a freeze of ${FROZEN_FOR / 1_000} s`, resumedInMs: Math.round(resumedInMs) });
    expect(resumedInMs).toBeLessThan(15_000);
  }, 180_000);

  it("connections that a firewall forgot: they are given up, though nobody closes them", async () => {
    const { troubled, world, running } = await begin();
    const { proxy } = troubled;
    // Time goes on meanwhile: what was released to nobody is found once it has been so for three seconds.
    const clock = setInterval(() => void world.advanceTo(world.now() + 500).catch(() => {}), 500);
    proxy.dropAll("half-open");
    const before = world.ledger.length;
    // What was on its way arrives all the same: thirty more are proof of new connections.
    await until(() => world.ledger.length > before + 30, { what: "progress", within: 25_000 })
      .catch(async (error: unknown) => {
        await running.end();
        throw error;
      })
      .finally(() => clearInterval(clock));
    await expectAllToGoOn(world, running);
  });
});
