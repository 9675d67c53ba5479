// The fields that publishers by gRPC and by HTTP give in the same words.

import { fail } from "../../../base/errors.ts";

/** The types of contents; anything else is text. */
const TYPES: ReadonlySet<string> = new Set(["properties", "xml", "json", "text", "html", "yaml", "toml", "unset"]);
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  xml: "application/xml",
  json: "application/json",
  html: "text/html",
};

export function typeOf(type: string): string {
  return TYPES.has(type) ? type : "text";
}

/** The content-type of a configuration's type. */
export function contentTypeOf(type: string): string {
  return `${CONTENT_TYPES[type] ?? "text/plain"};charset=UTF-8`;
}

/** The addresses of a gray release, with commas between. Throws FIELD_INVALID if there are none. */
export function betaIpsIn(text: string): readonly string[] {
  const ips = text.split(",").map((ip) => ip.trim());
  const isAll = ips.every((ip) => /^[0-9a-zA-Z:.\-_]{1,128}$/.test(ip));
  if (isAll) return ips;
  throw fail("FIELD_INVALID", {
    field: "betaIps",
    value: text.slice(0, 100),
    expected: "addresses, with commas between",
  });
}
