// HTTP as pure code sees it: a table of routes, and an exchange for each request. The server binds tables to sockets;
// a simulator or a test calls the handlers itself.

import { fail } from "./errors.ts";

/** One request, whole, and its answer. */
export interface HttpExchange {
  readonly method: string;
  /** As it was asked for, without the query. */
  readonly path: string;
  /** What stands in the place of each `:name` of the route's path. */
  readonly params: Readonly<Record<string, string>>;
  /** A name that was given several times has all its values. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed JSON, as the route's schema says; undefined if there was no body. */
  readonly body: unknown;
  /** IP addresses of the two ends, as the socket has them. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** Answers, once, now or later. What comes after the caller has gone is dropped. */
  respond(response: HttpResponse): void;
  /** Answers with the route table's form of this error: a RegistryError, or a bug of ours. */
  refuse(error: Error): void;
  /** Has `gone` called if the caller goes before it is answered. */
  onGone(gone: () => void): void;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A JSON schema for what a request brings; what does not fit is refused before the handler is called. */
export interface HttpSchema {
  readonly body: object;
}

export interface HttpRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Segments that begin with a colon take anything. */
  readonly path: string;
  readonly schema?: HttpSchema;
  /** Without it, the bound of the port. */
  readonly bodyBytesMax?: number;
  /** Only the meta node that leads has the answer: another one sends the caller there. */
  readonly isForLeader?: boolean;
  /** Throws a RegistryError to refuse the request at once. */
  handle(exchange: HttpExchange): void;
}

/** The routes of one protocol, and its form of a refusal. */
export interface HttpRouteTable {
  readonly routes: readonly HttpRoute[];
  /** `status` is what HTTP has for this error. */
  refusal(message: string, status: number): HttpResponse;
}

/** Answers with what a call brings, or refuses with what it rejects with. */
export function respondWith({ respond, refuse }: HttpExchange, response: Promise<HttpResponse>): void {
  response.then(respond, refuse);
}

/** A value of the query; empty if it is not there. Throws FIELD_INVALID if it was given several times. */
export function queryValue({ query }: Pick<HttpExchange, "query">, name: string): string {
  const value = query[name] ?? "";
  if (typeof value === "string") return value;
  throw fail("FIELD_INVALID", { field: name, values: value.length, expected: "one value" });
}

/** An answer in JSON. */
export function jsonResponse(value: unknown, status = 200): HttpResponse {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(value) };
}

/** An answer in plain text. */
export function textResponse(body: string, status = 200): HttpResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}

/** The form of a refusal that SOFARegistry's paths and our own have in common. */
export function refusal(message: string, status: number): HttpResponse {
  return jsonResponse({ success: false, message }, status);
}
