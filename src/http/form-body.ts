/** Bytes of a form to its fields, for the routes that take one: everywhere else a form is refused (json-body.ts). */
import { payloadTooLarge, unsupportedMediaType } from "../domain/errors.ts";
import type { App } from "./access.ts";
import type { Form } from "./services.ts";

const FORM = "application/x-www-form-urlencoded";

/** Twilio sends about thirty. Each is sorted and hashed several times before anybody knows whether Twilio sent them. */
const MOST_FORM_FIELDS = 200;

const AMPERSAND = 0x26;

const fieldsIn = (form: Buffer): number => {
  let fields = 1;
  for (const byte of form) if (byte === AMPERSAND) fields++;
  return fields;
};

/** Without a prototype, whose names a form may use; what comes twice is a list, as Twilio's SDK wants it. */
const fieldsOf = (form: string): Form => {
  const fields = Object.create(null) as Record<string, string | readonly string[]>;
  for (const [name, value] of new URLSearchParams(form)) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
};

/** On an instance of its own, so that no other route takes forms. */
export const readFormBodies = (app: App): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(FORM, { parseAs: "buffer" }, (_request, bytes, done) => {
    if (fieldsIn(bytes) > MOST_FORM_FIELDS) return done(payloadTooLarge(`${MOST_FORM_FIELDS} fields in a form`));
    done(null, fieldsOf(bytes.toString("utf8")));
    return undefined;
  });
  app.addContentTypeParser("*", (request, _payload, done) =>
    done(unsupportedMediaType(request.headers["content-type"] ?? "none", FORM)),
  );
};
