// Reads what an operator wrote as `store-url`. The URL may hold a password, so no error repeats it.

import { fail } from "../../base/errors.ts";

/** Where and how to connect. */
export interface Target {
  readonly url: string;
  /** What errors and logs say of it: `host:port/database`. */
  readonly server: string;
  readonly schema: string;
}

const PORT = 5432;

/** Checks both as far as it goes without the server; CONFIG_INVALID says what was expected. */
export function targetOf(url: string, schema: string): Target {
  // PostgreSQL cuts longer names, keeps pg_ for itself, and folds what is not quoted to lower case.
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
