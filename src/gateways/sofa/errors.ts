// Refusals in the protocol's own forms: a Bolt status, a Java exception, or a registration answered with success=false.

import type { ErrorCode, RegistryError } from "../../base/errors.ts";
import { visible } from "../../base/visible.ts";
import { BOLT_STATUS } from "../../codec/bolt/frame.ts";

/** What a request is answered with when its content could not even be read. */
export interface ContentRefusal {
  readonly status: number;
  /** The text of an RpcServerException; undefined for a status without content. */
  readonly exception: string | undefined;
}

// What is well formed and too large is said in words: somebody has to make it smaller.
const EXPLAINED: ReadonlySet<ErrorCode> = new Set([
  "HESSIAN_LIMIT",
  "OVERLOADED",
  "PROTOBUF_LIMIT",
  "REGISTRATION_TOO_LARGE",
]);

/**
 * As the real server: an unknown class is an exception with this text, an unreadable content a bare status; the
 * connection stays.
 */
export function contentRefusal(error: RegistryError, className: string): ContentRefusal {
  if (EXPLAINED.has(error.code)) return { status: BOLT_STATUS.SERVER_EXCEPTION, exception: error.message };
  if (error.code !== "BOLT_CLASS_UNKNOWN") return { status: BOLT_STATUS.SERVER_DESERIALIZE, exception: undefined };
  return {
    status: BOLT_STATUS.SERVER_EXCEPTION,
    exception: `No user processor found for request: ${visible(className)}`,
  };
}
