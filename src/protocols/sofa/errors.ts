// Refusals in the protocol's own forms: a Bolt status, a Java exception, or a registration answered with success=false.

import type { RegistryError } from "../../base/errors.ts";
import { visible } from "../../base/visible.ts";
import { BOLT_CODEC, BOLT_STATUS } from "../../encoding/bolt/frame.ts";
import { type Encoded, encodeMessage } from "./codec/codec.ts";

/** The answer to a request whose content could not even be read. */
export type ContentRefusal = Encoded & { readonly status: number };

// Refusals of well-formed but too large content are explained in words: a person has to make it smaller.
const EXPLAINED: ReadonlySet<string> = new Set([
  "HESSIAN_LIMIT",
  "OVERLOADED",
  "PROTOBUF_LIMIT",
  "REGISTRATION_TOO_LARGE",
]);

// Bolt's own answers are always Hessian, in any dialect of the request.
const BARE = { codec: BOLT_CODEC.HESSIAN, className: "", content: new Uint8Array(0) };

/**
 * As the real server: an unknown class and a wrong scope are exceptions with these texts, an unreadable content a bare
 * status; the connection stays.
 */
export function contentRefusal(error: RegistryError, className: string): ContentRefusal {
  const message = exceptionText(error, className);
  if (message === undefined) return { ...BARE, status: BOLT_STATUS.SERVER_DESERIALIZE };
  const exception = encodeMessage("hessian-draft", { kind: "rpcServerException", message });
  return { ...exception, status: BOLT_STATUS.SERVER_EXCEPTION };
}

/** The text of an RpcServerException; undefined for a status without content. */
function exceptionText(error: RegistryError, className: string): string | undefined {
  if (EXPLAINED.has(error.code)) return error.message;
  if (error.code === "BOLT_CLASS_UNKNOWN") return `No user processor found for request: ${visible(className)}`;
  const original = originalText(error);
  return original && `[Server]OriginErrorMsg: ${original}. AdditionalErrorMsg: ${error.message}`;
}

/** The real server's exception. */
function originalText({ code, details }: RegistryError): string | undefined {
  if (code === "REQUEST_EMPTY") {
    return `java.lang.IllegalArgumentException: ${visible(String(details["field"]))} is not allowed to be empty`;
  }
  if (code !== "SCOPE_NOT_GLOBAL") return undefined;
  return `java.lang.RuntimeException: scope=${visible(String(details["scope"]))} is not equals global`;
}
