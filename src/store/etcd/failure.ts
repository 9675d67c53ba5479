// Turns any failure between us and etcd into an error of the table: the place, the reason, and the remedy if we know
// it. No text here may hold a password: the server is named without user and password, and etcd never repeats one.

import { InvariantError } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { DamagedColumn, damaged } from "../columns.ts";

/** An answer of etcd that refuses a request, with gRPC's code. */
export class EtcdRefusal extends Error {
  override readonly name = "EtcdRefusal";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** No answer, or one that is not etcd's. */
export class EtcdFailure extends Error {
  override readonly name = "EtcdFailure";
}

/** gRPC's codes (https://grpc.io/docs/guides/status-codes/). */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
export const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const OUT_OF_RANGE = 11;
export const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

/** Remedies by the reason, or by the error code of the system or of TLS in it. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /database space exceeded/,
    "compact and defragment etcd, then disarm its alarm; see its --auto-compaction-retention",
  ],
  [/authentication is not enabled/, "remove user and password from store-url, or enable etcd's authentication"],
  [/user name is empty/, "give user and password in store-url"],
  [/authentication failed|invalid user ID/, "check user and password in store-url"],
  [/permission denied/, "grant this user a role with readwrite on all keys that begin with the prefix in store-url"],
  [/ENOTFOUND|EAI_AGAIN/, "check the host in store-url, and name resolution"],
  [/ECONNREFUSED/, "check host and port in store-url, and that etcd is running there"],
  [/EHOSTUNREACH|ENETUNREACH|no connection within/, "check the host in store-url, and the network"],
  [/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/, "name the certificate authority: cacert in store-url"],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, "use the host name of the server's certificate in store-url"],
  [/CERTIFICATE_REQUIRED|bad certificate/i, "give a client's certificate: cert and key in store-url"],
  [/before secure TLS connection|EPROTO/, "etcd has ended the connection; if it has no TLS, use etcd:// in store-url"],
  [/socket hang up/, "etcd has ended the connection; if it wants TLS, use etcds:// in store-url"],
  // A server without TLS closes the connection with an answer, which its reset may overtake.
  [
    /ECONNRESET/,
    "etcd has ended the connection; if it wants TLS, use etcds:// in store-url; if it has none, use etcd:// in store-url",
  ],
  [/is not etcd/, "check host and port in store-url: something else than etcd answers there"],
];

/** Whether the request was larger than etcd takes; it was not carried out. */
function isTooLarge(error: unknown): boolean {
  if (!(error instanceof EtcdRefusal)) return false;
  const isLimit = error.code === INVALID_ARGUMENT && /too large|too many operations/.test(error.message);
  return isLimit || (error.code === RESOURCE_EXHAUSTED && /larger than max/.test(error.message));
}

/** The revision that was asked for is no longer in etcd's history. */
export function isCompacted(error: unknown): boolean {
  return error instanceof EtcdRefusal && error.code === OUT_OF_RANGE && error.message.includes("compacted");
}

/** The revision that was asked for is not there yet. */
export function isFuture(error: unknown): boolean {
  return error instanceof EtcdRefusal && error.code === OUT_OF_RANGE && error.message.includes("future");
}

export function isNotFound(error: unknown): boolean {
  return error instanceof EtcdRefusal && error.code === NOT_FOUND;
}

/** Refused for its token, and so not carried out. */
export function isTokenRefused(error: unknown): boolean {
  if (!(error instanceof EtcdRefusal)) return false;
  if (error.code === PERMISSION_DENIED) return error.message.startsWith("etcd has ended the watch");
  return error.code === UNAUTHENTICATED || /invalid auth token|revision of auth store is old/.test(error.message);
}

/** The error for callers. `server` names the cluster. */
export function asStoreError(server: string, error: unknown): unknown {
  if (error instanceof RegistryError || error instanceof InvariantError) return error;
  if (error instanceof DamagedColumn) return damaged({ server }, error);
  const reason = reasonOf(error);
  if (isTooLarge(error)) {
    const advice = "store less at once, or raise etcd's --max-request-bytes";
    return fail("RECORD_TOO_LARGE", { server, reason, advice });
  }
  const advice = ADVICE.find(([pattern]) => pattern.test(reason))?.[1];
  return fail("STORE_UNAVAILABLE", { server, reason, ...(advice !== undefined && { advice }) });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message === "" && error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return code === "" || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
