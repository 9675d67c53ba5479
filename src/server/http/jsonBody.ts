// The parser for JSON bodies of all HTTP ports. JSON can nest as deep as its text is long, and code that goes through
// such a value calls itself until the stack is full. Nothing that the ports take is deep, so a bound stands here,
// before any other code sees the body.

import type { FastifyInstance } from "fastify";
import { fail } from "../../base/errors.ts";

/** The most lists and objects within each other. The deepest body that a port takes has three. */
export const JSON_DEPTH_MAX = 32;

/** Has the server parse bodies in JSON, and refuse deep ones with HTTP_BAD_REQUEST. */
export function parseJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, text, done) => {
    if (isDeep(String(text))) {
      const expected = `at most ${JSON_DEPTH_MAX} lists and objects within each other`;
      return done(fail("HTTP_BAD_REQUEST", { body: "JSON", expected }));
    }
    return parse(request, String(text), done);
  });
}

/** Whether brackets of the text nest deeper than allowed. The parser refuses what is no JSON. */
export function isDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (isInString) {
      if (letter === "\\") at++;
      else if (letter === '"') isInString = false;
    } else if (letter === '"') isInString = true;
    else if (letter === "[" || letter === "{") {
      depth++;
      if (depth > JSON_DEPTH_MAX) return true;
    } else if (letter === "]" || letter === "}") depth--;
  }
  return false;
}
