import { describe, expect, it } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { httpDate } from "../../src/domain/http-date.ts";

const HERE = new URL("../../src/domain/http-date.ts", import.meta.url).href;
const AT = Date.UTC(1994, 10, 6, 8, 49, 37);

describe("a date of HTTP's", () => {
  it.each(["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])(
    "is UTC's, wherever we are: %s",
    (text) => {
      const script = `import { httpDate } from ${JSON.stringify(HERE)}; console.log(httpDate(${JSON.stringify(text)}))`;
      const args = ["--import", "tsx", "--input-type=module", "-e", script];
      const { stdout } = spawnSync(process.execPath, args, {
        encoding: "utf8",
        env: { PATH: "", TZ: "Asia/Kathmandu" },
      });
      expect(Number(stdout)).toBe(AT);
    },
  );

  it.each(["", "-5", "23", "2026-03-01T10:00:00Z", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"])(
    "is not what is none: %j",
    (text) => expect(httpDate(text)).toBeNull(),
  );
});
