// Turns any failure between us and the database into an error of the table: the place, the reason, and the remedy if we
// know it. No text here may hold a password: the server is named without user and password, and messages of PostgreSQL
// and `pg` never repeat one.

import { InvariantError } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { DamagedColumn, damaged } from "../columns.ts";

/** Remedies, by PostgreSQL's SQLSTATE, by the system's error code, or by that of TLS. */
const ADVICE: Readonly<Record<string, string>> = {
  "28P01": "check user and password in store-url",
  "28000": "check user and TLS in store-url, and pg_hba.conf on the server",
  "3D000": "create the database, or check its name in store-url",
  "42501": "grant this user CREATE on the database, or the schema and its tables",
  "42P01": "the tables are gone: restore the database, or restart this node to create them again",
  "25006": "this is a standby: point store-url at the primary",
  "53300": "raise max_connections; a meta node takes up to four",
  ENOTFOUND: "check the host in store-url",
  EAI_AGAIN: "check the host in store-url, and name resolution",
  ECONNREFUSED: "check host and port in store-url, and that PostgreSQL is running there",
  EHOSTUNREACH: "check the host in store-url, and the network",
  ENETUNREACH: "check the host in store-url, and the network",
  ENOENT: "check the files and the socket that store-url names",
  SELF_SIGNED_CERT_IN_CHAIN: "name the certificate authority: sslrootcert in store-url",
  DEPTH_ZERO_SELF_SIGNED_CERT: "name the certificate authority: sslrootcert in store-url",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "name the certificate authority: sslrootcert in store-url",
  ERR_TLS_CERT_ALTNAME_INVALID: "use the host name of the server's certificate in store-url",
};

/** The same for errors that `pg` reports only in words. */
const ADVICE_BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [/password must be a (non-empty )?string/, "give the password in store-url or in PGPASSWORD"],
  [/^timeout expired$/, "nothing answers: check host and port in store-url, and firewalls"],
  [/does not support SSL/, "remove sslmode from store-url, or turn on TLS on the server"],
];

/** The error for callers. `server` names the database: `host:port/name`. */
export function asStoreError(server: string, error: unknown): unknown {
  if (error instanceof RegistryError || error instanceof InvariantError) return error;
  if (error instanceof DamagedColumn) return damaged({ server }, error);
  const code = codeOf(error);
  const reason = reasonOf(error);
  const words = ADVICE_BY_WORDS.find(([pattern]) => pattern.test(reason))?.[1];
  const advice = words ?? (code === undefined ? undefined : ADVICE[code]);
  return fail("STORE_UNAVAILABLE", {
    server,
    reason,
    ...(code === undefined ? {} : { code }),
    ...(advice === undefined ? {} : { advice }),
  });
}

/** The error for a read on a standby. */
export function readOnlyError(server: string): RegistryError {
  const code = "25006";
  const reason = "the server is read-only, and may be behind";
  return fail("STORE_UNAVAILABLE", { server, reason, code, advice: ADVICE[code] ?? "" });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host with several addresses fails with one error for each and has no message of its own.
  if (error.message === "" && error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error.message;
}
