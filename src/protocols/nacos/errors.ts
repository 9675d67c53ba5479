// The registry's errors in Nacos' form: a number, and a text.

import type { RegistryError } from "../../base/errors.ts";

/** Nacos' numbers (`NacosException`, `ErrorResponse`). */
export const NACOS_CODE = {
  SERVER_NOT_READY: 300,
  UNREGISTERED: 301,
  NO_HANDLER: 302,
  INVALID: 400,
  NO_RIGHT: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  SERVER_ERROR: 500,
  UNREADABLE: 502,
  OVER_LIMIT: 503,
} as const;

const CODES: Readonly<Record<string, number>> = {
  NACOS_CONNECTION_UNREGISTERED: NACOS_CODE.UNREGISTERED,
  NACOS_REQUEST_UNKNOWN: NACOS_CODE.NO_HANDLER,
  CREDENTIALS_LOCKED: NACOS_CODE.NO_RIGHT,
  CREDENTIALS_NEEDED: NACOS_CODE.NO_RIGHT,
  CREDENTIALS_REFUSED: NACOS_CODE.NO_RIGHT,
  PERMISSION_NEEDED: NACOS_CODE.NO_RIGHT,
  JSON_MALFORMED: NACOS_CODE.UNREADABLE,
  PROTOBUF_LIMIT: NACOS_CODE.UNREADABLE,
  PROTOBUF_MALFORMED: NACOS_CODE.UNREADABLE,
  OVERLOADED: NACOS_CODE.OVER_LIMIT,
  QUERIES_EXHAUSTED: NACOS_CODE.OVER_LIMIT,
};

/**
 * Nacos' number of an error. Of 403 a client logs in anew; of any other it only tells the caller, who may try again
 * after 500 and 503.
 */
export function nacosCodeOf({ code, retry }: RegistryError): number {
  return CODES[code] ?? (retry ? NACOS_CODE.SERVER_ERROR : NACOS_CODE.INVALID);
}
