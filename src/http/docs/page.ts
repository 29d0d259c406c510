/** The OpenAPI document as a page: one document, no scripts, nothing from elsewhere; everything in it is shown as text. */
import { createHash } from "node:crypto";
import { written } from "../../domain/template.ts";
import { isRequired, referTo, shapeOf, type SchemaNode } from "./shape.ts";
import { DOCS_STYLE } from "./style.ts";

interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: SchemaNode;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: SchemaNode }>> };
  readonly responses?: Readonly<
    Record<
      string,
      { readonly description?: string; readonly content?: Readonly<Record<string, { readonly schema?: SchemaNode }>> }
    >
  >;
}

/** What of the document is read here. */
export interface ReadableDocument {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export const DOCS_PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(DOCS_STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const escaped = (text: string): string => written(text, "html");

const row = (name: string, type: string, required: boolean, description = ""): string =>
  `<tr><td><code>${escaped(name)}</code></td><td>${escaped(type)}${required ? "" : " <i>optional</i>"}</td><td>${escaped(description)}</td></tr>`;

const table = (title: string, rows: readonly string[]): string =>
  rows.length === 0 ? "" : `<h4>${escaped(title)}</h4><div class="scroll"><table>${rows.join("")}</table></div>`;

/** An object's fields, each on a line; what is inside them is told in its type. */
const fieldRows = (schema: SchemaNode | undefined): readonly string[] =>
  Object.entries(schema?.properties ?? {}).map(([name, field]) =>
    row(name, shapeOf(field), isRequired(schema, name), field.description),
  );

const schemaIn = (
  content: Readonly<Record<string, { readonly schema?: SchemaNode }>> | undefined,
): SchemaNode | undefined => Object.values(content ?? {})[0]?.schema;

const operationSection = (path: string, method: string, operation: Operation): string => {
  const parameters = (operation.parameters ?? []).map(({ name, in: place, required = false, schema, description }) =>
    row(name, `${shapeOf(schema)} (${place})`, required, description ?? schema?.description),
  );
  const answers = Object.entries(operation.responses ?? {})
    // What all routes may answer is told once, at the top.
    .filter(([status]) => !/xx$/i.test(status))
    .map(([status, { description, content }]) => {
      const schema = schemaIn(content);
      const rows = fieldRows(schema);
      const title = `${status} ${schema?.description ?? (description === "Default Response" ? "" : (description ?? ""))}`;
      return rows.length > 0 ? table(title, rows) : `<h4>${escaped(title)}</h4>`;
    });
  return `<section id="${escaped(referTo(method, path))}"><h3><b class="${escaped(method)}">${escaped(method.toUpperCase())}</b> <code>${escaped(path)}</code></h3>
<p>${escaped(operation.summary ?? "")}. <i>${escaped(operation.description ?? "")}</i></p>
${table("Parameters", parameters)}${table("Body", fieldRows(schemaIn(operation.requestBody?.content)))}${answers.join("")}</section>`;
};

export const docsPage = (document: ReadableDocument): string => {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      operation,
      tag: operation.tags?.[0] ?? "Other",
    })),
  );
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  const listed = (tag: string): string =>
    operations
      .filter((one) => one.tag === tag)
      .map(
        ({ path, method }) =>
          `<li><a href="#${escaped(referTo(method, path))}"><b class="${method}">${escaped(method.toUpperCase())}</b> ${escaped(path)}</a></li>`,
      )
      .join("");
  const sections = tags.map((tag) => {
    const ofTag = operations.filter((one) => one.tag === tag);
    return `<h2>${escaped(tag)}</h2>${ofTag.map(({ path, method, operation }) => operationSection(path, method, operation)).join("")}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escaped(document.info.title)}: the API</title><style>${DOCS_STYLE}</style></head>
<body><nav>${tags.map((tag) => `<h2>${escaped(tag)}</h2><ul>${listed(tag)}</ul>`).join("")}</nav>
<main><h1>${escaped(document.info.title)}</h1><p>${escaped(document.info.description ?? "")}</p>
<p>Authenticate with <code>Authorization: Bearer &lt;key&gt;</code>. Bodies are JSON; fields that nobody knows are refused. Times are RFC 3339 with an offset.
What goes wrong is answered as <code>application/problem+json</code> with a <code>code</code> to tell it by. The same as a document for machines: <a href="/openapi.json">/openapi.json</a>.</p>
${sections.join("")}</main></body></html>`;
};
