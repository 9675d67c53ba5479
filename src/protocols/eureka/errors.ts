// The registry's errors in Eureka's form: a status, and a text that only people read.

import type { RegistryError } from "../../base/errors.ts";
import { type HttpResponse, textResponse } from "../../base/http.ts";

/**
 * The status of a refusal. Clients try another server after 503, and go on after anything else: what can't succeed
 * later is 400.
 */
export function statusOf({ retry, code }: RegistryError): number {
  if (retry) return 503;
  return code === "REGISTRATION_HELD" ? 409 : 400;
}

/** A refusal of this listener. */
export function eurekaRefusal(message: string, status: number): HttpResponse {
  return textResponse(`${message}\n`, status);
}
