// The surroundings that the routes share, and the form of answers.

import type { HttpExchange, HttpResponse } from "../../../base/http.ts";
import { textResponse } from "../../../base/http.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { HeldGroup } from "../../kit/heldGroup.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import type { Blocking } from "../blocking.ts";
import type { Catalogue } from "../catalogue.ts";
import { consulRefusal, refusingIn } from "../errors.ts";
import { type Predicate, parseFilter } from "../filter.ts";
import type { ShownNode } from "../words.ts";
import type { By, Writes } from "../writes.ts";

export interface RouteParts {
  readonly catalogue: Catalogue;
  readonly held: Pick<HeldGroup<Catalogue>, "when">;
  readonly blocking: Blocking;
  readonly writes: Writes;
  readonly datacenter: string;
  readonly zone: string;
  readonly version: string;
  readonly agentNode: () => Pick<ShownNode, "name" | "id" | "address">;
  /** The addresses of the cluster's sessions, for what Consul calls servers. */
  readonly servers: () => readonly string[];
  readonly nowMs: () => number;
}

/** The index of an answer that does not wait. */
const NO_INDEX = undefined;

/** An answer in JSON, with the headers of reads. */
export function rowsResponse(
  exchange: Pick<HttpExchange, "query">,
  rows: unknown,
  index: bigint | undefined = NO_INDEX,
): HttpResponse {
  const { query } = exchange;
  const isPretty = query["pretty"] !== undefined;
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "x-consul-default-acl-policy": "allow",
    vary: "Accept-Encoding",
  };
  if (index !== undefined) {
    const isCached = query["cached"] !== undefined;
    headers["x-consul-index"] = String(index);
    headers["x-consul-knownleader"] = String(!isCached);
    headers["x-consul-lastcontact"] = "0";
    headers["x-consul-effective-consistency"] = consistencyOf(query);
    headers["x-consul-query-backend"] = isCached ? "streaming" : "blocking-query";
    if (isCached) Object.assign(headers, { "x-cache": "HIT", age: "0" });
  }
  return {
    status: 200,
    headers,
    body: `${JSON.stringify(rows, undefined, isPretty ? 4 : undefined)}${isPretty ? "\n" : ""}`,
  };
}

function consistencyOf(query: HttpExchange["query"]): string {
  if (query["stale"] !== undefined) return "stale";
  return query["consistent"] === undefined ? "leader" : "consistent";
}

/** `true` or `false`, as writes are answered. */
export function flagResponse(exchange: Pick<HttpExchange, "query">, flag: boolean): HttpResponse {
  return rowsResponse(exchange, flag);
}

/** The empty answer of agents. */
export const EMPTY: HttpResponse = textResponse("", 200);

/** The values of a parameter that may be given several times. */
export function valuesOf({ query }: Pick<HttpExchange, "query">, name: string): readonly string[] {
  const value = query[name] ?? [];
  return typeof value === "string" ? [value] : value;
}

/** A parameter that is true when it stands there, unless it says otherwise. Throws a ConsulError. */
export function flagOf(exchange: Pick<HttpExchange, "query">, name: string): boolean {
  const [value] = valuesOf(exchange, name);
  if (value === undefined) return false;
  if (["", "1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw consulRefusal(400, `Invalid value for ?${name}`);
}

/** The predicate of `filter`; undefined without one. Throws a ConsulError. */
export function filterOf(exchange: Pick<HttpExchange, "query">): Predicate | undefined {
  const [text = ""] = valuesOf(exchange, "filter");
  return text.trim() === "" ? undefined : parseFilter(text);
}

/** Refuses what is not answered here: another datacenter, and two consistencies. Throws a ConsulError. */
export function checkOptions({ query }: Pick<HttpExchange, "query">, datacenter: string): void {
  const [dc = ""] = valuesOf({ query }, "dc");
  if (dc !== "" && dc !== datacenter) throw consulRefusal(500, "No path to datacenter");
  if (query["stale"] !== undefined && query["consistent"] !== undefined) {
    throw consulRefusal(400, "Cannot specify ?stale with ?consistent, conflicting semantics.");
  }
}

/** Names the question of an exchange about services for all who ask the same with the same rights. */
export function shareKeyOf(exchange: HttpExchange, caller: Caller): string {
  return keyOfQuestion(exchange, caller.reach("list") === "all" ? "" : rightsOf(exchange, caller));
}

/** The like about values. */
export function valuesShareKey(exchange: HttpExchange, caller: Caller): string {
  return keyOfQuestion(exchange, caller.reach("fetch") === "all" ? "" : rightsOf(exchange, caller));
}

function rightsOf({ headers }: HttpExchange, { principal }: Caller): string {
  return JSON.stringify([principal, headers["x-consul-token"]]);
}

function keyOfQuestion({ path, query, remoteAddress }: HttpExchange, rights: string): string {
  const { index: _index, wait: _wait, token: _token, ...rest } = query;
  // Nearness depends on the place of the client that asks.
  const from = rest["near"] === "_ip" ? remoteAddress : "";
  return JSON.stringify([path, Object.entries(rest).sort(), rights, from]);
}

/** Throws PERMISSION_NEEDED or CREDENTIALS_NEEDED. A node and its checks are the service of `nodeKeyOf`. */
export function checkMay(caller: Caller, about: ServiceKey): void {
  const refusal = caller.refusal({ action: "publish", about });
  if (refusal !== undefined) throw refusal;
}

export function byOf(exchange: HttpExchange, nowMs: number): By {
  return { address: exchange.remoteAddress, nowMs };
}

/** A route about the catalogue: it waits until the lists are there, and refuses with the errors that it throws. */
export function catalogueRoute(
  method: JudgedRoute["method"],
  path: string,
  { held, nowMs, datacenter }: Pick<RouteParts, "held" | "nowMs" | "datacenter">,
  handle: (catalogue: Catalogue, exchange: HttpExchange, caller: Caller) => void,
): JudgedRoute {
  return {
    ...{ method, path: `/v1${path}`, asks: "list", of: "each" },
    handle: (exchange, caller) =>
      refusingIn(exchange, () => {
        checkOptions(exchange, datacenter);
        const then = (catalogue: Catalogue) => refusingIn(exchange, () => handle(catalogue, exchange, caller));
        held.when("shown", nowMs(), then, () => exchange.respond(textResponse("No cluster leader", 500)));
      }),
  };
}
