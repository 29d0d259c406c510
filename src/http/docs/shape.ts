/** A JSON Schema in a few words, for a table's cell. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

const DEEPEST = 3;

const inBraces = (schema: SchemaNode, depth: number): string => {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return `{ name: ${shapeOf(Object.values(schema.patternProperties ?? {})[0], depth + 1)} }`;
  if (depth >= DEEPEST) return "object";
  // Neighbours of one shape are told together: four channels with four windows each would fill the page.
  const told: { names: string[]; shape: string }[] = [];
  for (const [name, field] of fields) {
    const [shown, shape] = [`${name}${isRequired(schema, name) ? "" : "?"}`, shapeOf(field, depth + 1)];
    if (told.at(-1)?.shape === shape) told.at(-1)?.names.push(shown);
    else told.push({ names: [shown], shape });
  }
  return `{ ${told.map(({ names, shape }) => `${names.join(", ")}: ${shape}`).join("; ")} }`;
};

export const shapeOf = (schema: SchemaNode | undefined, depth = 0): string => {
  if (schema === undefined) return "anything";
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map((one) => shapeOf(one, depth)).join(" | ");
  if (schema.items)
    return `list of ${shapeOf(schema.items, depth)}${schema.maxItems === undefined ? "" : `, at most ${schema.maxItems}`}`;
  if (schema.properties || schema.patternProperties) return inBraces(schema, depth);
  const type = [schema.type ?? "anything"].flat().join(" | ");
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return `${type} ${schema.minimum}–${schema.maximum}`;
  return schema.maxLength === undefined ? type : `${type}, at most ${schema.maxLength} characters`;
};

export const isRequired = (schema: SchemaNode | undefined, name: string): boolean =>
  schema?.required?.includes(name) ?? false;

/** The name of an operation's place in the page. */
export const referTo = (method: string, path: string): string => `${method}${path.replaceAll(/[^a-z0-9_]+/gi, "-")}`;
