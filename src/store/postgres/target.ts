// Reads an operator's `store-url`. The URL may hold a password, so no error repeats it.

import type { ConnectionOptions } from "node:tls";
import { fail } from "../../base/errors.ts";
import { takeTlsTerms } from "./tlsTerms.ts";

/** The server, and the way to connect. */
export interface Target {
  /** Without the parameters for TLS. */
  readonly url: string;
  /** The terms of TLS; `false` for a connection without. */
  readonly tls: ConnectionOptions | false;
  /** The name in errors and logs: `host:port/database`. */
  readonly server: string;
  readonly schema: string;
}

const PORT = 5432;

/** Checks both as far as possible without the server; CONFIG_INVALID names the expected form. */
export function targetOf(url: string, schema: string): Target {
  // PostgreSQL cuts longer names, reserves pg_, and folds unquoted names to lower case.
  if (!/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw fail("CONFIG_INVALID", { key: "schema", value: schema, expected: "lower-case letters, digits, underscores" });
  }
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw fail("CONFIG_INVALID", { key: "store-url", expected: "postgres://user:password@host:port/database" });
  }
  const host = parsed.hostname || parsed.searchParams.get("host") || "localhost";
  const port = parsed.port || parsed.searchParams.get("port") || String(PORT);
  const tls = takeTlsTerms(parsed, host);
  return { url: tls === false ? url : parsed.href, tls, server: `${host}:${port}${parsed.pathname}`, schema };
}
