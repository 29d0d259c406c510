import { describe, expect, it } from "@jest/globals";
import { type ClientOptions, createClient } from "../../src/client/client.ts";

const GOOD = { baseUrl: "https://sluice.example.com", apiKey: "sk_live" };
const making = (options: unknown) => () => createClient(options as ClientOptions);
const refusal = (message: string) => new TypeError(message);

describe("a client is not made", () => {
  it.each<[string, unknown, string]>([
    ["nothing", undefined, "expected options with baseUrl and apiKey, got nothing"],
    ["no baseUrl", { apiKey: "sk" }, "expected baseUrl to begin with http, got nothing"],
    [
      "no apiKey",
      { baseUrl: GOOD.baseUrl, apiKey: undefined },
      "expected apiKey to be one word of printable ASCII, got nothing",
    ],
    ["no host", { ...GOOD, baseUrl: "https://" }, "expected baseUrl to be a URL, got something else"],
    ["no port", { ...GOOD, baseUrl: "https://a.example:port" }, "expected baseUrl to be a URL, got something else"],
    ["no scheme", { ...GOOD, baseUrl: "a.example" }, "expected baseUrl to begin with http, got something else"],
    // Paths are put behind it: these would all be asked of "/".
    [
      "a query",
      { ...GOOD, baseUrl: "https://a.example/?b=7" },
      "expected baseUrl to be a URL without ? and #, got something else",
    ],
    [
      "a fragment",
      { ...GOOD, baseUrl: "https://a.example/#b" },
      "expected baseUrl to be a URL without ? and #, got something else",
    ],
    ["no attempt", { ...GOOD, attempts: 0 }, "expected attempts to be a number from 1 up, got 0"],
    [
      "a patience that is none",
      { ...GOOD, patience: Number.NaN },
      "expected patience to be a number of milliseconds from 1 up, got NaN",
    ],
    [
      "a time with its unit",
      { ...GOOD, attemptTimeout: "30s" },
      "expected attemptTimeout to be a number of milliseconds from 1 up, got a string",
    ],
    ["a null", { ...GOOD, patience: null }, "expected patience to be a number of milliseconds from 1 up, got null"],
  ])("with %s", (_, options, message) => {
    expect(making(options)).toThrow(refusal(message));
  });

  it.each(["redis://:hunter2@a.example", "https://ann:hunter2@a.example"])(
    "at %s, and shows no password",
    (baseUrl) => {
      expect(making({ ...GOOD, baseUrl })).toThrow(/^expected baseUrl to (?!.*hunter2)/);
    },
  );

  it.each(["sk_…", "sk_li\nve", "", "hunter2 "])("with the key %j, and shows none of it", (apiKey) => {
    const message = "expected apiKey to be one word of printable ASCII, got something else";
    expect(making({ ...GOOD, apiKey })).toThrow(refusal(message));
  });
});

it("is made of an address and a key; and of times without an end", () => {
  expect(making(GOOD)).not.toThrow();
  const endless = Number.POSITIVE_INFINITY;
  expect(making({ ...GOOD, patience: endless, attemptTimeout: endless, attempts: endless })).not.toThrow();
});
