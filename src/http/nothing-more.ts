/**
 * What a route does not read is refused, not overlooked: `?dry_run=true` on what deletes, or a body on what pauses, was meant to
 * change what happens.
 */
import { invalidFields, quoted, type FieldError } from "../domain/errors.ts";
import type { App } from "./access.ts";
import { NoQuery } from "./schemas/parts.ts";

const strayIn = (body: unknown): readonly FieldError[] =>
  typeof body === "object" && body !== null && !Array.isArray(body)
    ? Object.entries(body).map(([name, value]) => ({
        field: name.slice(0, 80),
        expected: "no such field",
        got: quoted(value),
      }))
    : [{ field: "body", expected: "no body, or {}", got: quoted(body) }];

/** Before the routes: it listens for them. */
export const refuseStrays = (app: App): void => {
  app.addHook("onRoute", (route) => {
    if (!route.url.startsWith("/v1/")) return;
    route.schema = { ...route.schema, querystring: route.schema?.querystring ?? NoQuery };
    route.config = { ...route.config, takesNoBody: route.schema.body === undefined };
  });
  app.addHook("preValidation", ({ route, body }, _reply, done) => {
    if (route.takesNoBody !== true || body === undefined || body === null) return done();
    const strays = strayIn(body);
    return strays.length === 0 ? done() : done(invalidFields(strays));
  });
};
