import { Type } from "typebox";
import { LARGEST_WEIGHT } from "../../domain/account-rules.ts";
import { ApiLimitOrNull, Quotas } from "./account.ts";
import { Closed, PageOf } from "./parts.ts";

const Source = Type.Enum(["file", "api"], { description: "api: it was set here, and goes before the file's" });
const Weight = Type.Integer({ minimum: 1, maximum: LARGEST_WEIGHT });

const stated = {
  quotas: Type.Optional(Quotas),
  weight: Type.Optional(Weight),
  api_limit: Type.Optional(ApiLimitOrNull),
  api_ceiling: Type.Optional(ApiLimitOrNull),
};
/** As it is read, so that what was read can be written: where a plan comes from is told and not asked. */
const told = { source: Type.Optional(Source) };

export const PlanInPath = Closed({ name: Type.String({ minLength: 1, maxLength: 100 }) });
export const PlanBody = Closed(
  { ...stated, ...told, name: Type.Optional(Type.String({ maxLength: 100 })) },
  "The whole plan: what is absent is not limited; the weight is 1",
);
export const PlanSet = Closed(
  {
    items: Type.Array(Closed({ ...stated, ...told, name: Type.String({ maxLength: 100 }) }), { maxItems: 200 }),
    next_cursor: Type.Optional(Type.Null()),
  },
  "These plans and no others",
);

export const Plan = Closed({
  name: Type.String(),
  quotas: Quotas,
  weight: Weight,
  api_limit: ApiLimitOrNull,
  api_ceiling: ApiLimitOrNull,
  source: Source,
});
export const Plans = PageOf(Plan);
