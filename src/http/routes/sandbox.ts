import { Type } from "typebox";
import { notFound } from "../../domain/errors.ts";
import type { App } from "../access.ts";
import * as schemas from "../schemas/looking.ts";
import { problems } from "../schemas/problem.ts";
import type { Sandbox, Services } from "../services.ts";

/** Nobody else's requests, and a page that looks often: not counted. */
const config = { access: "loopback-or-operator", unlimited: true } as const;
const tags = ["Sandbox"];

const DEFAULT_ARRIVALS = 100;

export const sandboxRoutes = (app: App, services: Services): void => {
  const theSandbox = (): Sandbox => {
    if (services.sandbox === null) throw notFound("sandbox: every channel has its provider, or SLUICE_SANDBOX is off");
    return services.sandbox;
  };

  app.get(
    "/sandbox/messages",
    {
      config,
      schema: {
        tags,
        operationId: "listSandboxMessages",
        summary: "What reached the sandbox, newest first",
        querystring: schemas.ArrivalsQuery,
        response: { 200: schemas.Arrivals, ...problems },
      },
    },
    async ({ query }) => [...(await theSandbox().list({ limit: DEFAULT_ARRIVALS, ...query }))],
  );

  app.get(
    "/sandbox",
    {
      config,
      schema: {
        tags,
        operationId: "getSandboxPage",
        summary: "The same as a page",
        querystring: schemas.ArrivalsQuery,
        response: { 200: { description: "A page", content: { "text/html": { schema: Type.String() } } }, ...problems },
      },
    },
    async ({ query, protocol, host }, reply) => {
      const sandbox = theSandbox();
      const arrivals = await sandbox.list({ limit: DEFAULT_ARRIVALS, ...query });
      const view = {
        ...(query.channel === undefined ? {} : { channel: query.channel }),
        origin: `${protocol}://${host}`,
      };
      return reply
        .header("Content-Security-Policy", sandbox.pagePolicy)
        .type("text/html; charset=utf-8")
        .send(sandbox.page(arrivals, view));
    },
  );
};
