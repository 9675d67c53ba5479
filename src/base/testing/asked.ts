// Calls routes without a server.

import assert from "node:assert/strict";
import type { HttpExchange, HttpResponse, HttpRoute } from "../http.ts";

/** The result of one request: the answer, or the error that refused it. */
export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The parsed body. */
  readonly json: unknown;
  readonly refused: Error | undefined;
}

/** Requests one of these routes: `GET /a/path`. */
export async function asked(
  routes: readonly HttpRoute[],
  what: `${HttpRoute["method"]} ${string}`,
  changes: Partial<HttpExchange> = {},
): Promise<Asked> {
  const [method = "", path = ""] = what.split(" ");
  const route = routes.find((each) => each.method === method && each.path === path);
  assert.ok(route !== undefined, `no route ${what}`);
  return new Promise((resolve) => {
    const respond = ({ status, headers = {}, body }: HttpResponse) => {
      const text = typeof body === "string" ? body : new TextDecoder().decode(body);
      const isJson = headers["content-type"]?.startsWith("application/json") === true;
      resolve({ status, headers, text, json: isJson ? JSON.parse(text) : undefined, refused: undefined });
    };
    const refuse = (refused: Error) => resolve({ status: 0, headers: {}, text: "", json: undefined, refused });
    const exchange: HttpExchange = {
      method,
      path,
      params: {},
      query: {},
      headers: {},
      body: undefined,
      localAddress: "127.0.0.1",
      remoteAddress: "127.0.0.1",
      respond,
      refuse,
      onGone: () => undefined,
      ...changes,
    };
    try {
      route.handle(exchange);
    } catch (error) {
      refuse(error as Error);
    }
  });
}
