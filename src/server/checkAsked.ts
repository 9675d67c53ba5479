// A protocol whose routes or requests do not say what they ask for is not served: its author has forgotten to think of
// who may call them.

import { ACTIONS } from "../access/policy.ts";
import { assert } from "../base/assert.ts";
import type { HttpRouteTable } from "../base/http.ts";
import type { OpenGateway } from "../protocols/kit/gateway.ts";

const WORDS: ReadonlySet<string> = new Set([...ACTIONS, "open"]);

/** The table. Throws for one with a route that does not say what it asks for. */
export function checkedTable<Table extends HttpRouteTable | undefined>(protocol: string, table: Table): Table {
  for (const { method, path, asks = "" } of table?.routes ?? []) {
    assert(WORDS.has(asks), `${protocol}: the route ${method} ${path} says what it asks for, not "${asks}"`);
  }
  return table;
}

/** Throws for a protocol with a route, a kind of request, or a listener of such, that does not say what it asks for. */
export function checkGatewayAsked(protocol: string, { listeners, routes, requests = [] }: OpenGateway): void {
  checkedTable(protocol, routes);
  for (const listener of listeners) if (listener.kind === "http") checkedTable(protocol, listener.routes);
  for (const { name, asks } of requests) {
    assert(WORDS.has(asks), `${protocol}: the request ${name} says what it asks for, not "${asks}"`);
  }
  const other = listeners.find(({ kind }) => kind !== "http");
  assert(
    other === undefined || requests.length > 0,
    `${protocol}: ${other?.key} has requests that say what they ask for`,
  );
}
