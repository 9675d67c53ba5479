// Requests to a node's Nacos port by HTTP, as a client would make them.

import type { RunningServer } from "../start.ts";

/** An answer. The body is parsed if it is JSON. */
export interface NacosAnswer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers
  readonly json: any;
  readonly headers: Headers;
}

/** Asks `POST /v1/ns/instance` and the like, below /nacos; `form` is the body. */
export async function askNacos(
  server: Pick<RunningServer, "ports">,
  what: string,
  form?: string | object,
  { headers = {}, signal }: { headers?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
): Promise<NacosAnswer> {
  const [method = "", path = ""] = what.split(" ");
  const body = typeof form === "object" ? String(new URLSearchParams(Object.entries(form))) : form;
  const sent = body === undefined ? {} : { body };
  const type = body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
  const init = { method, ...sent, headers: { ...type, ...headers }, ...(signal && { signal }) };
  const response = await fetch(`http://127.0.0.1:${server.ports.nacos}/nacos${path}`, init);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined, headers: response.headers };
}
