import { availableParallelism } from "node:os";

/** Two projects: `pure` needs no server and runs in `npm run check`; `live` runs on a real Redis. `npm test` runs both. */
const common = {
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "es6" } }],
  },
  testEnvironment: "node",
};
export default {
  testTimeout: 60_000,
  // jest leaves a core to itself, which on two cores is one file after another: most files wait more than they work.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // A test that failed half-way may leave a socket or a process behind: the run must end all the same.
  forceExit: true,
  projects: [
    { ...common, displayName: "pure", testMatch: ["<rootDir>/test/unit/**/*.test.ts"] },
    {
      ...common,
      displayName: "live",
      testMatch: ["<rootDir>/test/{redis,http,e2e,providers,start,chaos,security,ratelimit,client}/**/*.test.ts"],
      globalSetup: "<rootDir>/test/support/global-setup.ts",
      globalTeardown: "<rootDir>/test/support/global-teardown.ts",
    },
  ],
};
