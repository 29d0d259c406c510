/** An answer that is an error, read in whichever dialect the server speaks. */
import type { Answer } from "./failure.ts";
import type { FieldError } from "./messages.ts";

export interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  readonly requestId: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const fieldErrors = (value: unknown): readonly FieldError[] =>
  (Array.isArray(value) ? (value as unknown[]) : []).map((each) => {
    const { field, expected, got } = fieldsOf(each);
    return { field: text(field) ?? "", expected: text(expected) ?? "", got: text(got) ?? "" };
  });

/** Problem details say all of it; the other dialects say "too many requests" each in a way of its own. */
export const refusalOf = ({ status, headers, body }: Answer): Refusal => {
  const problem = fieldsOf(body);
  const within = fieldsOf(problem["error"]);
  const code = text(problem["code"]);
  const said = text(problem["detail"]) ?? text(problem["message"]) ?? text(within["message"]);
  return {
    code: code ?? (status === 429 ? "too_many_requests" : `http_${status}`),
    detail: said ?? `HTTP ${status}`,
    errors: fieldErrors(problem["errors"]),
    requestId:
      text(problem["request_id"]) ?? text(within["correlation_id"]) ?? text(headers.get("x-request-id")) ?? null,
  };
};
