import { Type, type Static } from "typebox";

export const Problem = Type.Object(
  {
    type: Type.String({ description: "urn:sluice:problem: and the code" }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.String({ description: "What to tell apart by. All of them are listed in docs/api.md" }),
    detail: Type.String({ description: "What was expected and what was got, for people" }),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object(
          { field: Type.String(), expected: Type.String(), got: Type.String() },
          { additionalProperties: false },
        ),
      ),
    ),
    violated_policies: Type.Optional(
      Type.Array(Type.String(), { description: "Of a 429: the policies without room, as RateLimit-Policy names them" }),
    ),
  },
  { additionalProperties: false, description: "What went wrong (RFC 9457)" },
);
export type Problem = Static<typeof Problem>;

const asProblem = { content: { "application/problem+json": { schema: Problem } } };

/** What every route may answer besides its own. */
export const problems = {
  "4xx": { description: "The request is at fault", ...asProblem },
  "5xx": { description: "Sluice or its Redis is at fault: try again", ...asProblem },
} as const;
