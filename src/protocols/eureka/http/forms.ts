// The form of an answer, by the headers of its request, as the real server chooses it.

import type { HttpExchange } from "../../../base/http.ts";
import type { Form } from "../codec/documents.ts";

type Headers = Pick<HttpExchange, "headers">;

/** A header's value; the values of one that was sent several times, with commas between. */
export function headerOf({ headers }: Headers, name: string): string {
  const value = headers[name] ?? "";
  return typeof value === "string" ? value : value.join(", ");
}

/** JSON for a caller that asks for it; XML for any other, also for one that takes everything. */
export function formOf(exchange: Headers): Form {
  const kind = headerOf(exchange, "accept").toLowerCase().includes("json") ? "json" : "xml";
  return { kind, isCompact: headerOf(exchange, "x-eureka-accept").toLowerCase() === "compact" };
}

/** Whether the caller can read gzip. */
export function takesGzip(exchange: Headers): boolean {
  return headerOf(exchange, "accept-encoding").toLowerCase().includes("gzip");
}
