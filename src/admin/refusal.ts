// Refusals of our own paths: one form for all, with the code, so that programs need not read the sentence.

import { accessStatusOf } from "../access/accessStatus.ts";
import { RegistryError } from "../base/errors.ts";
import { type HttpResponse, jsonResponse } from "../base/http.ts";
import type { Reply } from "./operatedNode.ts";
import { flag, object, text } from "./schema.ts";

/** The form of every refusal. */
export const REFUSAL = object({
  error: object({
    code: text("A code of docs/reference/errors.md, or HTTP_ERROR."),
    message: text("What was wrong, with which value, and what to do."),
    retry: flag("Whether the same request may succeed later without any change."),
  }),
});

/** Codes that HTTP has a better word for than "bad request". */
const STATUS: Readonly<Record<string, number>> = {
  CLAIM_REFUSED: 403,
  CONFIG_VALUE_UNKNOWN: 404,
  PERSISTENT_UNKNOWN: 404,
  IDENTITY_UNKNOWN: 404,
  POLICY_UNKNOWN: 404,
  NODE_UNKNOWN: 404,
  RULE_UNKNOWN: 404,
  SERVICE_UNKNOWN: 404,
  ADMIN_NEEDED: 409,
  IDENTITY_EXISTS: 409,
  NODE_NEEDED: 409,
  RULE_CHANGED: 409,
  RULE_IN_THE_WAY: 409,
  VERSION_CONFLICT: 409,
  CONFIG_VALUE_TOO_LARGE: 413,
};

/** The reply for an error: one of ours, or a bug. */
export function refusalOf(error: unknown): Reply {
  if (error instanceof RegistryError) {
    const { code, message, retry } = error;
    return {
      status: accessStatusOf(error) ?? STATUS[code] ?? (retry ? 503 : 400),
      body: { error: { code, message, retry } },
    };
  }
  const message = "the node has made a mistake; its log has the reason";
  return { status: 500, body: { error: { code: "INTERNAL", message, retry: false } } };
}

/** The form of a refusal of the HTTP server itself: a body too large, a path that there is not. */
export function httpRefusal(message: string, status: number): HttpResponse {
  const code = /^[A-Z_]+(?=:)/.exec(message)?.[0] ?? "HTTP_ERROR";
  return jsonResponse({ error: { code, message, retry: status === 503 } }, status);
}
