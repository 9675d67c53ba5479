// Requests to a node's Consul port, as a client would make them.

import type { RunningServer } from "../start.ts";

/** An answer. The body is parsed if it is JSON. */
export interface ConsulAnswer {
  readonly status: number;
  readonly text: string;
  readonly index: string | null;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers
  readonly json: any;
}

/** Asks `GET /catalog/services` and the like, below /v1, with an object as JSON, or a text as it is. */
export async function askConsul(
  server: Pick<RunningServer, "ports">,
  what: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<ConsulAnswer> {
  const [method = "", path = ""] = what.split(" ");
  const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${server.ports.consul}/v1${path}`, { method, headers, ...sent });
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  return {
    status: response.status,
    text,
    index: response.headers.get("x-consul-index"),
    headers: response.headers,
    json: isJson ? JSON.parse(text) : undefined,
  };
}
