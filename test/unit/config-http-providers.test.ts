import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { checkConfig } from "../../config/check.ts";
import { readEnv, type Environment } from "../../config/env.ts";
import { ConfigError } from "../../config/problem.ts";

const fixtures = fileURLToPath(new URL("fixtures/config/bad-http-providers/", import.meta.url));
const example = fileURLToPath(new URL("../../config/http-providers.example.yaml", import.meta.url));

const SECRETS = {
  MIGOSMTP_API_KEY: "hunter2",
  TELNXO_API_KEY: "hunter3",
  TWO_LINES: "hunter2\r\nX: y",
  BRACES: "{{to}}",
  SLUICE_ADMIN_KEY: "hunter2-hunter2-hunter2",
  REDIS_URL: "redis://:hunter2@host",
};

const problemsOf = (env: Environment): readonly string[] => {
  try {
    readEnv(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe("services that take messages over HTTP", () => {
  it("of the example can be read, with the secrets of the environment in their headers", () => {
    const { httpProviders } = readEnv({ ...SECRETS, SLUICE_HTTP_PROVIDERS: example });
    expect(Object.keys(httpProviders)).toEqual(["email", "sms"]);
    expect(httpProviders.email).toMatchObject({
      url: "https://api.migosmtp.example/v1/email/send",
      headers: { Authorization: "Bearer hunter2" },
      body: { subject: "{{subject}}", reference: "sluice {{id}}" },
      providerId: ["data", "id"],
      permanent: null,
      notTaken: [503],
      idempotent: true,
      from: null,
    });
    expect(httpProviders.sms).toMatchObject({ permanent: [400, 422], idempotent: false, from: "+15551234567" });
  });

  it.each(readdirSync(fixtures))("in %s are refused in so many words, and no secret among them", (name) => {
    const file = join(fixtures, name);
    const sentences = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("# "))
      .map((line) => `${file}: ${line.slice(2)}`);
    const problems = problemsOf({ ...SECRETS, SLUICE_HTTP_PROVIDERS: file });
    expect([...problems].sort()).toEqual(sentences.sort());
    expect(problems.join()).not.toContain("hunter");
  });

  it("in a file that is not there, or is no YAML, stop the start", () => {
    expect(problemsOf({ SLUICE_HTTP_PROVIDERS: "/nowhere/a.yaml" })).toEqual([
      "/nowhere/a.yaml: expected a file that can be read, got ENOENT",
    ]);
  });

  it("are checked by npm run config:check", () => {
    expect(checkConfig({ SLUICE_HTTP_PROVIDERS: example }, null).wrong).toEqual([
      `${example}: email.headers.Authorization: expected a value of the variable MIGOSMTP_API_KEY, got nothing`,
      `${example}: sms.headers.Authorization: expected a value of the variable TELNXO_API_KEY, got nothing`,
    ]);
  });
});
