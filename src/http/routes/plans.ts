/** Plans, for the operator. API limits hold from the answer on; accounts are told of quotas and weights in batches. */
import type { Plan, PlanInForce } from "../../accounts/plan.ts";
import { planJson } from "../../accounts/plan-record.ts";
import { invalidField, invalidFields, notFound } from "../../domain/errors.ts";
import { unmet, type Problems } from "../../domain/expecting.ts";
import { parsePlan, PLAN_NAME, PLAN_NAME_EXPECTED, readPlan } from "../../domain/plan-rules.ts";
import { whoOf, type App } from "../access.ts";
import { NoQuery } from "../schemas/parts.ts";
import * as schemas from "../schemas/plans.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const config = { access: "operator" } as const;
const tags = ["Plans"];

const shown = ({ name, source, ...plan }: PlanInForce) => ({ name, ...planJson(plan), source });
const page = (plans: readonly PlanInForce[]) => ({ items: plans.map(shown), next_cursor: null });

type Given = Readonly<Record<string, unknown>> & { readonly name?: string };

/** A plan as it is stated, without what only names it. */
const body = ({ name: _name, source: _source, ...stated }: Given & { readonly source?: unknown }): object => stated;

const planSet = (items: readonly (Given & { readonly name: string })[]): ReadonlyMap<string, Plan> => {
  const wrong: Problems = [];
  const plans = new Map<string, Plan>();
  for (const [index, item] of items.entries()) {
    const field = `items[${index}]`;
    if (!PLAN_NAME.test(item.name)) unmet(wrong, `${field}.name`, PLAN_NAME_EXPECTED, item.name);
    else if (plans.has(item.name)) unmet(wrong, `${field}.name`, "a name of its own", item.name);
    plans.set(item.name, readPlan(body(item), field, wrong));
  }
  if (wrong.length > 0) throw invalidFields(wrong);
  return plans;
};

export const planRoutes = (app: App, { plans }: Services): void => {
  app.get(
    "/v1/plans",
    {
      config,
      schema: {
        tags,
        operationId: "listPlans",
        summary: "The plans in force",
        querystring: NoQuery,
        response: { 200: schemas.Plans, ...problems },
      },
    },
    async () => page(await plans.list()),
  );

  app.put(
    "/v1/plans",
    {
      config,
      schema: {
        tags,
        operationId: "setPlans",
        summary: "Set all plans: those that are not named are removed, unless an account has one",
        body: schemas.PlanSet,
        response: { 200: schemas.Plans, ...problems },
      },
    },
    async (request) => page(await plans.putAll(planSet(request.body.items), whoOf(request))),
  );

  app.get(
    "/v1/plans/:name",
    {
      config,
      schema: {
        tags,
        operationId: "getPlan",
        summary: "One plan",
        params: schemas.PlanInPath,
        response: { 200: schemas.Plan, ...problems },
      },
    },
    async ({ params }) => {
      const plan = await plans.get(params.name);
      if (plan === null) throw notFound("such plan");
      return shown(plan);
    },
  );

  app.put(
    "/v1/plans/:name",
    {
      config,
      schema: {
        tags,
        operationId: "setPlan",
        summary: "Set one plan, new or not: what is absent is not stated",
        params: schemas.PlanInPath,
        body: schemas.PlanBody,
        response: { 200: schemas.Plan, ...problems },
      },
    },
    async (request) => {
      const { name } = request.params;
      if (!PLAN_NAME.test(name)) throw invalidField("name", PLAN_NAME_EXPECTED, name);
      if (request.body.name !== undefined && request.body.name !== name)
        throw invalidField("name", `the name in the path, ${name}`, request.body.name);
      const read = parsePlan(body(request.body), "");
      if ("errors" in read) throw invalidFields(read.errors);
      return shown(await plans.put(name, read.plan, whoOf(request)));
    },
  );
};
