import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { runProgram } from "./program.ts";

/** A process with three parts; the one in the middle takes what `middle` says to end. */
const aProcess = (middle: string) =>
  runProgram(`
    import { pino } from "pino";
    import { setTimeout as wait } from "node:timers/promises";
    import { onStop } from "@/src/start/lifecycle.ts";
    const lifecycle = onStop(pino({ level: "silent" }));
    lifecycle.add("redis", async () => console.log("redis ended"));
    lifecycle.add("worker", ${middle}, 300);
    lifecycle.add("api", async () => console.log("api ended"));
    setInterval(() => {}, 1000);
    console.log("ready");`);

/** What it has written after `ready`. */
const events = (output: string) => output.trim().split("\n").slice(1);

describe("stopping", () => {
  const running: Array<ReturnType<typeof runProgram>> = [];
  afterEach(() => {
    for (const program of running.splice(0)) program.process.kill("SIGKILL");
  });
  const started = async (middle: string) => {
    const program = aProcess(middle);
    running.push(program);
    await until(() => program.output().includes("ready"));
    return program;
  };

  it.each(["SIGTERM", "SIGINT"] as const)("ends the last started first on %s, and exits with 0", async (signal) => {
    const program = await started(`async () => { await wait(50); console.log("worker ended"); }`);
    program.process.kill(signal);
    expect(await program.ended).toBe(0);
    expect(events(program.output())).toEqual(["api ended", "worker ended", "redis ended"]);
  });

  it("goes on past a part that does not end in time, or fails, and exits with 1", async () => {
    for (const middle of ["() => new Promise(() => {})", `() => { throw new Error("no"); }`]) {
      const program = await started(middle);
      program.process.kill("SIGTERM");
      expect(await program.ended).toBe(1);
      expect(events(program.output())).toEqual(["api ended", "redis ended"]);
    }
  });

  it("lets what is in flight end though something fails that nobody looks at", async () => {
    const program = await started(
      `async () => { void Promise.reject(new Error("no")); await wait(50); console.log("worker ended"); }`,
    );
    program.process.kill("SIGTERM");
    expect(await program.ended).toBe(0);
    expect(events(program.output())).toEqual(["api ended", "worker ended", "redis ended"]);
  });

  it("takes the echo of a signal for the same signal", async () => {
    const program = await started(
      `async () => { console.log("draining"); await wait(250); console.log("worker ended"); }`,
    );
    program.process.kill("SIGINT");
    await until(() => program.output().includes("draining"));
    program.process.kill("SIGINT");
    expect(await program.ended).toBe(0);
    expect(events(program.output())).toContain("worker ended");
  });

  it("ends at once on a second signal that is meant", async () => {
    const program = await started(
      `async () => { await wait(220); console.log("a while"); await new Promise(() => {}); }`,
    );
    program.process.kill("SIGTERM");
    await until(() => program.output().includes("a while"));
    program.process.kill("SIGTERM");
    expect(await program.ended).toBe(1);
    expect(events(program.output())).toEqual(["api ended", "a while"]);
  });

  it("follows a parent that was killed, when it is told to", async () => {
    const parent = runProgram(`
      import { spawn } from "node:child_process";
      const code = 'import { pino } from "pino"; import { onStop } from "' + process.cwd() + '/src/start/lifecycle.ts";' +
        'onStop(pino({ level: "silent" }), { withParent: true }).add("part", async () => console.log("part ended"));' +
        'setInterval(() => {}, 1000); console.log("ready");';
      spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", code], { stdio: "inherit" });
      setInterval(() => {}, 1000);`);
    running.push(parent);
    await until(() => parent.output().includes("ready"));
    parent.process.kill("SIGKILL");
    // Its outputs close when the last who holds them, the child, has ended.
    expect(await parent.ended).toBe("SIGKILL");
    expect(events(parent.output())).toEqual(["part ended"]);
  });
});
