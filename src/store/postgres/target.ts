// Reads an operator's `store-url`. The URL may hold a password, so no error repeats it.

import { fail } from "../../base/errors.ts";

/** The server, and the way to connect. */
export interface Target {
  readonly url: string;
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
  return { url, server: `${host}:${port}${parsed.pathname}`, schema };
}
