/** A worker that stands still for so long that it loses everything it held, and comes back: an event loop that is blocked. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { isLong, note } from "../support/measuring.ts";
import { lasting } from "../support/redis-troubles.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";

const EACH = 4;

describe("a worker that stands still with messages in its hands", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  const started = async (world: World, env: Record<string, string> = {}): Promise<WorkerProcess> => {
    const worker = await startWorkerProcess(world, { env: { TEST_LOG: "debug", ...env } });
    closing.push(() => worker.end("SIGKILL"));
    return worker;
  };
  const said = (worker: WorkerProcess, what: RegExp): number => worker.output().match(what)?.length ?? 0;

  /** BullMQ's locks run out after 15 s; the short form takes them away at once. */
  const loseLocks = async (world: World, other: WorkerProcess): Promise<void> => {
    const { commands, keys } = world.core;
    if (isLong) await lasting(45_000);
    else for (const lock of await commands.keys(`${keys.bullPrefix}:*:lock`)) await commands.del(lock);
    await until(() => said(other, /"reply":"taken"/g) > 0, { what: "a job to be run again", within: 30_000 });
  };

  /** Time passes, in steps that no attempt of a living worker takes. */
  const letEnd = async (world: World, ids: readonly string[]): Promise<void> => {
    const { commands, keys } = world.core;
    await world.advanceTo(world.now() + 26_000);
    await until(async () => (await commands.exists(`${keys.cell}sending`)) === 0, {
      what: "the reaper to have looked",
      within: 20_000,
    });
    for (let step = 0; step < 30; step++) {
      await world.quiet();
      const asking = `${keys.cell}asking`;
      await until(async () => (await commands.zcount(asking, "-inf", world.now())) === 0, {
        what: "the provider to be asked",
      });
      // First: what is asked about is told as uncertain, and may be scheduled the moment after.
      const isAsked = (await commands.zcard(asking)) > 0;
      const open = await Promise.all(
        ids.map(async (id) =>
          /^(queued|scheduled|sending)$/.test((await world.as("GET", `/v1/messages/${id}`)).body.status),
        ),
      );
      if (!open.includes(true) && !isAsked) return;
      await world.advanceTo(world.now() + 20_000);
    }
    throw new Error("not everything ended");
  };

  const standStill = async (point: string, channel: "sms" | "email"): Promise<void> => {
    // The account asked for texts that nobody knows of to go again: a late call would be a second one.
    const world = await aWorld({ workers: 0 });
    closing.push(world.stop);
    const patched = await world.call("PATCH", `/v1/accounts/${world.account.id}`, { on_uncertain: { sms: "resend" } });
    expect(patched.status).toBe(200);
    // One hand: with more, another attempt may be in the middle of its letter, and the time of this test is not its worker's.
    const frozen = await started(world, {
      SLUICE_CONCURRENCY: `${channel}=1`,
      SLUICE_FAULTPOINT: `${point}:1`,
      TEST_FAULT_SIGNAL: "SIGSTOP",
    });
    const messages = Array.from({ length: EACH }, (_, n) => world.bodyFor[channel](n));
    const bulk = await world.as("POST", `/v1/${channel}/send/bulk`, { messages });
    const ids: string[] = bulk.body.results.map(({ id }: { id: string }) => id);
    const inHands = async () => (await world.core.commands.zcard(`${world.core.keys.cell}sending`)) > 0;
    await until(inHands, { what: "the first worker to have begun" });
    const other = await started(world);
    await loseLocks(world, other);
    await letEnd(world, ids);

    const before = world.ledger.length;
    const told = said(frozen, /"event":"attempt"/g);
    frozen.child.kill("SIGCONT");
    await until(() => said(frozen, /"event":"attempt"/g) > told, { what: "the first worker to go on" });
    await frozen.end("SIGTERM");
    // It called nobody: what came of its attempts was known before.
    expect(world.ledger).toHaveLength(before);
    expect(said(frozen, /"settled":"ok"/g)).toBe(0);

    const views = await Promise.all(ids.map(async (id) => (await world.as("GET", `/v1/messages/${id}`)).body));
    expect(views.map(({ status, reason, attempts }) => ({ point, channel, status, reason, attempts }))).toEqual(
      views.map(({ attempts }) => ({ point, channel, status: "sent", reason: null, attempts })),
    );
    const arrived = world.ledger.map((entry) => entry.message_id);
    note("frozen worker", { point, channel, arrived: arrived.length, different: new Set(arrived).size });
    expect(new Set(arrived).size).toBe(EACH);
    // A mail whose answer stood still with the worker goes again; what was never handed over, and any text, goes once.
    const again = point === "worker.replied" && channel === "email" ? 1 : 0;
    expect(arrived).toHaveLength(EACH + again);
  };

  // Beside each other: most of it is waiting for what must not be hurried.
  it("before it called the provider, or with the answer in its hands: another goes on, no text goes twice, none is called late", async () => {
    await Promise.all([
      standStill("worker.begun", "sms"),
      standStill("worker.replied", "sms"),
      standStill("worker.replied", "email"),
    ]);
  }, 150_000);
});
