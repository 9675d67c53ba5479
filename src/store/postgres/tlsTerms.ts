// TLS to PostgreSQL, by the parameters that libpq has for it: sslmode, sslrootcert, sslcert and sslkey. They are read
// here and taken out of the URL, since the driver gives some of them another meaning.

import { readFileSync } from "node:fs";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import { fail } from "../../base/errors.ts";

/** The modes that libpq has too, but those that fall back to a connection without TLS unasked. */
const MODES = ["disable", "require", "verify-ca", "verify-full"] as const;
type Mode = (typeof MODES)[number];

const FILES = { sslrootcert: "ca", sslcert: "cert", sslkey: "key" } as const;

/**
 * The terms of the URL, whose parameters are removed; `false` is a connection without TLS. Throws CONFIG_INVALID, which
 * never repeats the URL.
 */
export function takeTlsTerms(url: URL, host: string): ConnectionOptions | false {
  const files: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const [parameter, use] of Object.entries(FILES)) {
    const file = taken(url, parameter);
    if (file !== undefined) files[use] = contentOf(parameter, file);
  }
  const given = taken(url, "sslmode");
  const unknown = [...url.searchParams.keys()].find((name) => name.startsWith("ssl") || name === "uselibpqcompat");
  if (unknown !== undefined) throw refused(unknown, "sslmode, sslrootcert, sslcert and sslkey");
  const mode = modeOf(given ?? (Object.keys(files).length > 0 ? "verify-full" : "disable"));
  if (mode === "disable") {
    if (Object.keys(files).length > 0) throw refused("sslmode", "require, verify-ca or verify-full, with such files");
    return false;
  }
  if ((files.cert === undefined) !== (files.key === undefined)) throw refused("sslcert", "sslcert and sslkey together");
  if (mode === "verify-ca" && files.ca === undefined) {
    throw refused("sslrootcert", "the server's authority: without a host name, each public one would do");
  }
  return { ...files, ...checksOf(mode, files.ca !== undefined, host) };
}

/** As in libpq, `require` checks the authority if it is named, and nothing else. */
function checksOf(mode: Exclude<Mode, "disable">, hasAuthority: boolean, host: string): ConnectionOptions {
  if (mode === "verify-full")
    return { checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) };
  return { rejectUnauthorized: mode === "verify-ca" || hasAuthority, checkServerIdentity: () => undefined };
}

function modeOf(text: string): Mode {
  const mode = MODES.find((each) => each === text);
  if (mode === undefined) throw refused("sslmode", MODES.join(", "));
  return mode;
}

function taken(url: URL, parameter: string): string | undefined {
  const value = url.searchParams.get(parameter);
  url.searchParams.delete(parameter);
  return value ?? undefined;
}

function contentOf(parameter: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw fail("CONFIG_INVALID", { key: "store-url", parameter, reason });
  }
}

function refused(parameter: string, allowed: string): Error {
  return fail("CONFIG_INVALID", { key: "store-url", parameter, allowed });
}
