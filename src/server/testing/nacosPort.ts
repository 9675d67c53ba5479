// Requests to a node's Nacos port by HTTP, as a client would make them.

import type { RunningServer } from "../start.ts";

/** An answer. The body is parsed if it is JSON. */
export interface NacosAnswer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers
  readonly json: any;
}

/** Asks `POST /v1/ns/instance` and the like, below /nacos; `form` is the body. */
export async function askNacos(server: RunningServer, what: string, form?: string): Promise<NacosAnswer> {
  const [method = "", path = ""] = what.split(" ");
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const init = form === undefined ? { method } : { method, body: form, headers };
  const response = await fetch(`http://127.0.0.1:${server.ports.nacos}/nacos${path}`, init);
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return { status: response.status, text, json: type.startsWith("application/json") ? JSON.parse(text) : undefined };
}
