/** The HTTP server: its limits, its hooks in their order, its routes. It opens no socket until it is told to listen. */
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from "fastify";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { recordJson } from "../domain/json.ts";
import { milliseconds } from "../domain/time.ts";
import { insistOnAccess, type App } from "./access.ts";
import { requestIdOf, setAnswerHeaders } from "./answer-headers.ts";
import { authenticate } from "./auth.ts";
import { describeRoutes, serveDocument } from "./document.ts";
import { keepAnswers } from "./idempotency.ts";
import { readJsonBodies } from "./json-body.ts";
import { limitRequests } from "./limits.ts";
import { refuseStrays } from "./nothing-more.ts";
import { sendProblem } from "./problem.ts";
import { headProblem, LEAVES_HOST_TO_US, takeExpectations } from "./request-head.ts";
import { answerBrokenRequest, rememberAnswers } from "./broken-request.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { auditRoutes } from "./routes/audit.ts";
import { authRoutes } from "./routes/auth.ts";
import { batchRoutes } from "./routes/batches.ts";
import { callbackRoutes } from "./routes/callbacks.ts";
import { bulkRoutes } from "./routes/bulk.ts";
import { healthRoutes } from "./routes/health.ts";
import { keyRoutes } from "./routes/keys.ts";
import { limitRoutes } from "./routes/limits.ts";
import { lookingRoutes } from "./routes/looking.ts";
import { messageRoutes } from "./routes/messages.ts";
import { planRoutes } from "./routes/plans.ts";
import { quotaRoutes } from "./routes/quotas.ts";
import { sandboxRoutes } from "./routes/sandbox.ts";
import { sendRoutes } from "./routes/send.ts";
import { suppressionRoutes } from "./routes/suppressions.ts";
import type { ServerOptions, Services } from "./services.ts";
import { signpost } from "./signpost.ts";
import { routeToNowhere, whyToNowhere } from "./unroutable.ts";
import { validatorCompiler } from "./validate.ts";

const KILOBYTE = 1_024;
const MEGABYTE = 1_024 * KILOBYTE;

/** A caller that dawdles over its headers or its body holds a socket for this long and no longer. */
const HEADERS_TIMEOUT = milliseconds(10_000);
const REQUEST_TIMEOUT = milliseconds(30_000);
/** Percent-encoded, an address of 254 characters. */
const LONGEST_PARAMETER = 3 * 254;

const observe = (app: App, { metrics }: Services): void => {
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.route.url ?? "unknown";
    const { method } = request;
    const status = reply.statusCode;
    const took = milliseconds(reply.elapsedTime);
    metrics.answered({ route, method, status, took });
    // The route's pattern and the ids: a path may carry an address. Questions are many: they are told at debug.
    const { caller } = request;
    const account = caller?.kind === "account" ? caller.account : undefined;
    const line = { event: "http_answered", route, method, status, account, ms: Math.round(took) };
    if (method === "GET" || method === "HEAD") request.log.debug(line, "Answered");
    else request.log.info(line, "Answered");
    done();
  });
};

export const createServer = async (services: Services, options: ServerOptions = {}): Promise<FastifyInstance> => {
  const { trustedProxies = [] } = options;
  const loggerInstance: FastifyBaseLogger = services.logger;
  const app: App = Fastify({
    loggerInstance,
    // Its lines carry paths, and paths carry addresses: observe() writes ours.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    // Named networks only: `true` would let anybody write their own address.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    bodyLimit: options.bodyLimit ?? 256 * KILOBYTE,
    requestTimeout: REQUEST_TIMEOUT,
    http: { headersTimeout: HEADERS_TIMEOUT, connectionsCheckingInterval: 5_000, ...LEAVES_HOST_TO_US },
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    // While it closes, what is on an open connection is answered as ever.
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors(error, request, reply) {
      routeToNowhere(app, error, request, reply);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  // Answers are made by present/, field by field, and typed by their schemas: nothing is left to strip or to coerce.
  app.setSerializerCompiler(() => (answer) => recordJson(answer as object));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  insistOnAccess(app);
  refuseStrays(app);
  const noSuchRoute = signpost(app);
  takeExpectations(app.server);
  rememberAnswers(app.server);

  await describeRoutes(app, services);
  app.decorateRequest("route");
  app.addHook("onRequest", (request, reply, done) => {
    request.route = request.routeOptions.config;
    setAnswerHeaders(request, reply);
    done(headProblem(request.raw) ?? undefined);
  });
  observe(app, services);
  authenticate(app, services, options);
  await limitRequests(app, services);
  // After the hooks above, so that a route nobody knows is counted as any other; before the body is read, whose faults would
  // hide that its path is wrong.
  app.addHook("onRequest", (request, _reply, done) =>
    done(request.is404 ? (whyToNowhere(request) ?? noSuchRoute(request.url.replace(/\?.*$/s, ""))) : undefined),
  );
  readJsonBodies(app);
  keepAnswers(app, services);

  accountRoutes(app, services);
  quotaRoutes(app, services);
  keyRoutes(app, services);
  sendRoutes(app, services);
  bulkRoutes(app, services, options.bulkBodyLimit ?? 16 * MEGABYTE);
  messageRoutes(app, services);
  batchRoutes(app, services);
  authRoutes(app, services);
  planRoutes(app, services);
  auditRoutes(app, services);
  suppressionRoutes(app, services);
  lookingRoutes(app, services);
  limitRoutes(app, services);
  healthRoutes(app, services);
  sandboxRoutes(app, services);
  callbackRoutes(app, services);
  serveDocument(app);
  app.addHook("onClose", () => services.limits.close());
  await app.ready();
  return app;
};
