import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { hours, instant, seconds } from "../../src/domain/time.ts";
import { hourOf } from "../../src/domain/window.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";

const ZONE = "Asia/Kolkata";
const LIMIT = 100;
const WINDOWS = 4;

describe("200 attempts at a time against a limit of 100 an hour, by two processes whose clocks are an hour apart", () => {
  let world: World;
  const processes: WorkerProcess[] = [];
  let latched = 0;
  let open = (): void => {};

  beforeAll(async () => {
    world = await aWorld({
      zone: ZONE,
      at: "2026-03-01T09:59:55+05:30",
      workers: 0,
      quotas: { email: { hour: LIMIT } },
    });
    const env = { SLUICE_CONCURRENCY: "email=100" };
    processes.push(
      ...(await Promise.all([-1, 1].map((side) => startWorkerProcess(world, { skewMs: side * seconds(1_800), env })))),
    );
  });
  afterAll(async () => {
    open();
    await Promise.all(processes.map((each) => each.end("SIGTERM")));
    await world.stop();
  });

  /** Every tenth message is taken in only when the latch opens: it is in flight over the end of the hour. */
  const holdTenths = (): void => {
    latched = 0;
    const latch = new Promise<void>((resolve) => {
      open = resolve;
    });
    world.provider.beforeArrival = async ({ subject = "" }) => {
      if (!subject.endsWith("0")) return;
      latched++;
      await latch;
    };
  };
  const arrivedInHour = (at = world.now()): number => {
    const { startsAt, endsAt } = hourOf(instant(at), ZONE);
    return world.ledger.filter((entry) => entry.at >= startsAt && entry.at < endsAt).length;
  };
  const onlyLatchedInFlight = (what: string) =>
    until(
      async () => {
        const { due, ready, inFlight } = await world.depths();
        return due === 0 && ready === 0 && inFlight === latched;
      },
      { what, within: 30_000 },
    );

  it("is never over in any hour, and short only of what was in flight when the hour ended", async () => {
    for (let window = 0; window < WINDOWS; window++) {
      holdTenths();
      const messages = Array.from({ length: LIMIT + 20 }, (_, n) => world.bodyFor.email(1_000 * window + n));
      expect((await world.as("POST", "/v1/email/send/bulk", { messages })).status).toBe(202);
      await onlyLatchedInFlight("the hour's room is taken");
      const carried = latched;
      expect(carried).toBeGreaterThan(0);
      expect(arrivedInHour() + carried).toBe(LIMIT);

      const before = world.now();
      await world.advanceTo(before + seconds(6));
      await onlyLatchedInFlight("what fits beside the carried ones has gone");
      open();
      world.provider.beforeArrival = null;
      await world.quiet();
      expect(arrivedInHour(before)).toBe(LIMIT - carried);
      expect(arrivedInHour()).toBeGreaterThanOrEqual(carried);
      expect(arrivedInHour()).toBeLessThanOrEqual(LIMIT);

      await world.advanceTo(before + hours(1));
      await world.quiet();
    }
    const ids = world.ledger.map((entry) => entry.message_id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
