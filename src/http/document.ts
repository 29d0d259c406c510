/** The OpenAPI document, made from the routes themselves, and a page to read it by that needs nothing from elsewhere. */
import swagger from "@fastify/swagger";
import type { Access, App } from "./access.ts";
import { DOCS_PAGE_POLICY, docsPage, type ReadableDocument } from "./docs/page.ts";
import { problems } from "./schemas/problem.ts";
import type { Services } from "./services.ts";

const WHO: { readonly [access in Access]: string } = {
  operator: "For the operator's key.",
  account: "For an account's key.",
  "account-or-operator": "For an account's key; the operator says `?account_id=`.",
  anyone: "For anyone.",
  "loopback-or-operator": "For the operator's key, and without one from this machine itself.",
};
const WHOSE_PATH_SAYS = "For an account's key, and for the operator's.";

/** What a route declares of its query, as far as it is looked at here. */
const namesAnAccount = (query: unknown): boolean =>
  (query as { properties?: Readonly<Record<string, unknown>> } | undefined)?.properties?.["account_id"] !== undefined;

/** A 429 for too many requests is told as the policy's dialect has it; one for a full backlog is a problem like any other. */
const refusals = (dialect: string) =>
  dialect === "sluice"
    ? {}
    : {
        429: {
          description: `Too many requests, as ${dialect} tells it, or backlog_full`,
          content: {
            "application/json": { schema: { type: "object", description: `In the dialect ${dialect}` } },
            ...problems["4xx"].content,
          },
        },
      };

export const IDEMPOTENCY_HEADER = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "The same key and body get the same answer for 24 hours",
  schema: { type: "string", pattern: "^[\\x21-\\x7e]{1,255}$" },
} as const;

/** Before the routes: it listens for them. */
export const describeRoutes = async (app: App, { limits }: Services): Promise<void> => {
  const ofLimits = refusals(limits.limiter.policy.dialect);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Sluice",
        version: "1",
        license: { name: "MIT", identifier: "MIT" },
        description:
          "A sending throttle: email, SMS, voice and WhatsApp within hourly and daily quotas, in each account's own time zone.",
      },
      // Wherever it was asked for.
      servers: [{ url: "/" }],
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access ?? "anyone";
      const scope = route.config?.scope;
      const isOfEither = access === "account-or-operator" && !namesAnAccount(schema.querystring);
      const who = isOfEither ? WHOSE_PATH_SAYS : WHO[access];
      return {
        url,
        schema: {
          ...schema,
          response: { ...(schema.response as object), ...(route.config?.unlimited === true ? {} : ofLimits) },
          description: scope === undefined ? who : `${who} An account's key needs the scope \`${scope}\`.`,
          security:
            access === "anyone" || access === "loopback-or-operator"
              ? [{}, { key: [] }]
              : [{ key: scope === undefined ? [] : [scope] }],
        },
      };
    },
    // What hooks read or leave out, and not the routes' schemas: told here, from what the routes declare.
    transformObject: (document) => {
      if (!("openapiObject" in document)) return document.swaggerObject;
      for (const [url, path] of Object.entries(document.openapiObject.paths ?? {}))
        for (const [method, operation] of Object.entries(path ?? {})) {
          const told = operation as { parameters?: unknown[]; requestBody?: { required?: boolean } };
          if (idempotent.has(`${method} ${url}`)) told.parameters = [...(told.parameters ?? []), IDEMPOTENCY_HEADER];
          if (bodyOptional.has(`${method} ${url}`) && told.requestBody) told.requestBody.required = false;
        }
      return document.openapiObject;
    },
  });
  const idempotent = new Set<string>();
  const bodyOptional = new Set<string>();
  app.addHook("onRoute", ({ method, url, config }) => {
    const operation = `${String(method).toLowerCase()} ${url.replace(/:([a-z_]+)/g, "{$1}")}`;
    if (config?.idempotent === true) idempotent.add(operation);
    if (config?.bodyOptional === true) bodyOptional.add(operation);
  });
};

/** After the routes. */
export const serveDocument = (app: App): void => {
  const config = { access: "anyone" } as const;
  app.get("/openapi.json", { config, schema: { hide: true } }, () => app.swagger());
  // Who opens the address in a browser is led on.
  app.get("/", { config, schema: { hide: true } }, (_request, reply) => reply.redirect("/docs"));
  app.get("/docs", { config, schema: { hide: true } }, (_request, reply) =>
    reply
      .header("Content-Security-Policy", DOCS_PAGE_POLICY)
      .type("text/html; charset=utf-8")
      .send(docsPage(app.swagger() as ReadableDocument)),
  );
};
