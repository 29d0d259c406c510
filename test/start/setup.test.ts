import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { scratchDirectory } from "./scratch.ts";

const here = fileURLToPath(new URL("../..", import.meta.url));

/** What `npm ci` does as far as setup can see: takes its time, and lists at the end what it has put there. */
const PRETENDED_NPM = `#!/bin/sh
echo "$@" >> calls
if [ -e hang ]; then rm hang; echo $$ > hanging; exec sleep 60; fi
sleep 0.3
mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json
`;

const setUp = (root: string, path = `${join(root, "bin")}:/bin:/usr/bin`) => {
  const child = spawn(process.execPath, [join(root, "src/start/setup.mjs")], { env: { PATH: path } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return { child, ended, output: () => output };
};

describe("setting up before a command", () => {
  const scratch = scratchDirectory();
  let clones = 0;
  afterAll(() => scratch.remove());

  /** A clone with a lockfile of one package and an npm that counts its calls. */
  const aClone = async () => {
    const root = join(scratch.path, String((clones += 1)));
    await mkdir(join(root, "src/start"), { recursive: true });
    await mkdir(join(root, "bin"));
    for (const file of ["setup.mjs", "lock.mjs"])
      await cp(join(here, "src/start", file), join(root, "src/start", file));
    await writeFile(join(root, "bin/npm"), PRETENDED_NPM);
    await chmod(join(root, "bin/npm"), 0o755);
    await writeFile(join(root, "package.json"), '{"type":"module"}');
    const asksFor = (version: string) =>
      writeFile(
        join(root, "package-lock.json"),
        JSON.stringify({
          packages: { "": {}, "node_modules/a": { version }, "node_modules/mac": { version, optional: true } },
        }),
      );
    await asksFor("1.0.0");
    return { root, asksFor, calls: async () => (await readFile(join(root, "calls"), "utf8")).trim().split("\n") };
  };

  it("does nothing and says nothing when everything is there", async () => {
    expect(await setUp(here, "/nowhere").ended).toEqual({ code: 0, output: "" });
  });

  it("installs once when two start at once, and again only when the lockfile asks for something else", async () => {
    const { root, asksFor, calls } = await aClone();
    const both = await Promise.all([setUp(root).ended, setUp(root).ended]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await calls()).toHaveLength(1);
    await setUp(root).ended;
    expect(await calls()).toHaveLength(1);
    await asksFor("1.0.1");
    await setUp(root).ended;
    expect(await calls()).toHaveLength(2);
  });

  it("takes over from one that was killed, but not while the npm that it has left behind still runs", async () => {
    const { root, calls } = await aClone();
    await writeFile(join(root, "hang"), "");
    const killed = setUp(root);
    const npm = await until(async () => Number(await readFile(join(root, "hanging"), "utf8")), { what: "npm to hang" });
    killed.child.kill("SIGKILL");
    const next = setUp(root);
    await until(() => next.output().includes(`(process ${npm})`), { what: "the second to wait for npm" });
    expect(await calls()).toHaveLength(1);
    process.kill(npm, "SIGKILL");
    expect((await next.ended).code).toBe(0);
    expect(await calls()).toHaveLength(2);
  });

  it("says what is wrong when npm fails or is not there", async () => {
    const { root } = await aClone();
    await writeFile(join(root, "bin/npm"), "#!/bin/sh\nexit 7\n");
    expect(await setUp(root).ended).toMatchObject({
      code: 1,
      output: expect.stringMatching(/npm ci failed \(exit 7\)/),
    });
    expect(await setUp(root, "/nowhere").ended).toMatchObject({
      code: 1,
      output: expect.stringMatching(/could not run npm/),
    });
  });
});
