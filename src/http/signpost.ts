/** Where there is no route: what is told of one that may have been meant. Another method's, or one with or without `/v1`. */
import { notFound, type SluiceError } from "../domain/errors.ts";
import type { App } from "./access.ts";

/** A path, and what it takes. */
interface Sign {
  readonly parts: readonly string[];
  readonly methods: string[];
}

const leadsTo = ({ parts }: Sign, path: readonly string[]): boolean =>
  parts.length === path.length &&
  parts.every((part, index) => (part.startsWith(":") ? path[index] !== "" : part === path[index]));

/** What may have been meant, the likeliest first. */
const meantBy = (path: string): readonly string[] => {
  const bare = path.replace(/\/+$/, "");
  return [path, bare, bare.replace(/^\/v1(?=\/)/, ""), `/v1${bare}`];
};

/** A base address that ends in /v1 is easily had, and what asks with it shows the path without its base. */
const isDoubled = (path: string): boolean => path.startsWith("/v1/v1/");

/** As OpenAPI writes it. */
const told = ({ parts, methods }: Sign): string =>
  `${parts.join("/").replace(/:(\w+)/g, "{$1}")} takes ${methods.join(", ")}`;

/** Before the routes: it listens for them. Answers what a path, without its query, is refused with. */
export const signpost = (app: App): ((path: string) => SluiceError) => {
  const signs = new Map<string, Sign>();
  app.addHook("onRoute", ({ method, url }) => {
    const sign = signs.get(url) ?? { parts: url.split("/"), methods: [] };
    signs.set(url, sign);
    // Fastify's, for each GET.
    sign.methods.push(...[method].flat().filter((each) => each !== "HEAD"));
  });
  return (path) => {
    for (const meant of meantBy(path).map((each) => each.split("/")))
      for (const sign of signs.values())
        if (leadsTo(sign, meant))
          return notFound("such route", `: ${told(sign)}${isDoubled(path) ? ", with /v1 once" : ""}`);
    return notFound("such route");
  };
};
