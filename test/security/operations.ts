/** The operations that /openapi.json names: what batteries are generated from, so that a new route is in them at once. */

/** JSON Schema, as the document has it. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

interface Described {
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

export interface Operation {
  /** `GET /v1/messages/{id}` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** For the operator's key alone, as the document says. */
  readonly isOperators: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: JsonSchema | null;
  /** Of the body; null without one. */
  readonly mediaType: string | null;
  /** Statuses as the document writes them: `202`, `4XX`. */
  readonly responses: Described["responses"];
}

export const operationsOf = ({ paths }: OpenApi): readonly Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description = "", parameters = [], requestBody, responses }]) => {
      const [mediaType, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        isOperators: description.startsWith("For the operator's key."),
        parameters,
        body: content?.schema ?? null,
        mediaType: mediaType ?? null,
        responses,
      };
    }),
  );

/** The path and query with these values; what has none is left out of the query. */
export const targetOf = ({ path, parameters }: Operation, values: Readonly<Record<string, string>>): string => {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
  const query = new URLSearchParams(
    parameters
      .filter((parameter) => parameter.in === "query")
      .flatMap(({ name }): [string, string][] => (values[name] === undefined ? [] : [[name, values[name]]])),
  ).toString();
  return query === "" ? filled : `${filled}?${query}`;
};
