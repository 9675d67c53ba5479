// HTTP as pure code sees it: a table of routes, and an exchange for each request. The server binds tables to sockets; a
// simulator or a test calls the handlers directly.

import { fail } from "./errors.ts";
import type { PeerCertificate } from "./ports.ts";

/** One whole request and its answer. */
export interface HttpExchange {
  readonly method: string;
  /** The path of the request, without the query. */
  readonly path: string;
  /** The values for each `:name` of the route's path. */
  readonly params: Readonly<Record<string, string>>;
  /** A name given several times has all its values. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed JSON, checked against the route's schema, or bytes (`requests`); undefined without a body. */
  readonly body: unknown;
  /** IP addresses of the two ends, as reported by the socket. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** The certificate that the caller has shown; undefined without one. */
  readonly certificate?: PeerCertificate | undefined;
  /** Answers once, now or later. An answer after the caller has gone is dropped. */
  respond(response: HttpResponse): void;
  /** Answers with the route table's form of this error: a RegistryError, or a bug of ours. */
  refuse(error: Error): void;
  /** Calls `gone` if the caller goes away before the answer. */
  onGone(gone: () => void): void;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A JSON schema for the parts of a request; a request that does not match is refused before the handler is called. */
export interface HttpSchema {
  readonly body: object;
}

export interface HttpRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Segments that begin with a colon take anything. */
  readonly path: string;
  readonly schema?: HttpSchema;
  /** Defaults to the bound of the port. */
  readonly bodyBytesMax?: number;
  /** Only the leading meta node has the answer; another one redirects the caller to it. */
  readonly isForLeader?: boolean;
  /** Clients call it, by any name of the node. Elsewhere a browser on the node's machine must name that machine. */
  readonly isForClients?: boolean;
  /**
   * The action that callers ask for: one of access/policy.ts by which they are judged, or `open` for what needs no
   * proof. A protocol's route without it keeps the node from starting.
   */
  readonly asks?: string;
  /** Wrong credentials are refused, also where none are needed. */
  readonly areCredentialsChecked?: boolean;
  /** Throws a RegistryError to refuse the request at once. */
  handle(exchange: HttpExchange): void;
}

/** The routes of one protocol, and its form of a refusal. */
export interface HttpRouteTable {
  readonly routes: readonly HttpRoute[];
  /**
   * The form of requests at a port of the protocol's own. `plain`: JSON, and paths without escapes. `any`: bodies of
   * any content-type, which handlers get as bytes, and paths with escapes, of which handlers get the decoded segments.
   * Defaults to `plain`.
   */
  readonly requests?: "plain" | "any";
  /** `status` is the HTTP status of this error. */
  refusal(message: string, status: number): HttpResponse;
  /**
   * Answers a method that a path does not have, at a port of the protocol's own; `methods` are those that it has.
   * Undefined: the path counts as unknown.
   */
  wrongMethod?(method: string, methods: readonly string[]): HttpResponse;
}

/** Answers with the result of a call, or refuses with its rejection. */
export function respondWith({ respond, refuse }: HttpExchange, response: Promise<HttpResponse>): void {
  response.then(respond, refuse);
}

/** A value of the query; empty if absent. Throws FIELD_INVALID if it was given several times. */
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

/** The common form of a refusal for SOFARegistry's paths and our own. */
export function refusal(message: string, status: number): HttpResponse {
  return jsonResponse({ success: false, message }, status);
}
