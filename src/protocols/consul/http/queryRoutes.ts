// The paths of prepared queries: /v1/query. A query is kept without the token of its body: it shows what the client
// that runs it may see.

import type { ValueKey } from "../../../access/policy.ts";
import type { HttpExchange } from "../../../base/http.ts";
import { DEFAULT_NAMESPACE } from "../../../model/serviceKey.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { shuffled } from "../../kit/shuffled.ts";
import type { Catalogue } from "../catalogue.ts";
import { consulRefusal } from "../errors.ts";
import { deleteQuery, type PreparedQuery, putQuery, queriesIn, queryById, queryNamed } from "../kv/queries.ts";
import { KV_TOPIC } from "../kv/store.ts";
import { newId } from "../newId.ts";
import { chosenBy, definitionOf, queryFields, rendered } from "../queryDefinition.ts";
import { afterKeys } from "./gatewayRoutes.ts";
import { answering } from "./kvRoutes.ts";
import { byNearness, nearPlace, placeOfService } from "./near.ts";
import { catalogueRoute, flagOf, type RouteParts, rowsResponse, valuesOf, valuesShareKey } from "./parts.ts";
import { healthRow, proxies } from "./readRoutes.ts";
import type { SessionParts } from "./sessionRoutes.ts";
import { Sight } from "./sight.ts";

type QueryParts = RouteParts & SessionParts;

/** A query for policies: by its name, or by its id if it has none. */
function valueKeyOf({ name, id }: Pick<PreparedQuery, "name" | "id">): ValueKey {
  return { namespace: DEFAULT_NAMESPACE, group: "consul-query", name: name === "" ? id : name };
}

export function queryRoutes(parts: QueryParts): JudgedRoute[] {
  const { store, blocking, nowMs, secrets } = parts;
  const idOf = ({ params }: HttpExchange) => params["id"] ?? "";
  const changing = (
    at: Pick<JudgedRoute, "method" | "path">,
    run: (exchange: HttpExchange, caller: Caller) => Promise<void>,
  ): JudgedRoute => ({
    ...{ ...at, asks: "store", of: "each" },
    handle: (exchange, caller) => answering(parts, exchange, () => run(exchange, caller)),
  });
  const reading = (path: string, rows: (exchange: HttpExchange, caller: Caller) => unknown): JudgedRoute => ({
    ...{ method: "GET", path, asks: "fetch", of: "each" },
    handle: (exchange, caller) =>
      answering(parts, exchange, () => {
        const answer = (index: bigint) => rowsResponse(exchange, rows(exchange, caller), index);
        const shareKey = valuesShareKey(exchange, caller);
        blocking.ask(exchange, { topics: [KV_TOPIC.queries], shareKey, answer }, nowMs());
      }),
  });
  const seen = (caller: Caller, query: PreparedQuery | undefined): query is PreparedQuery =>
    query !== undefined && caller.mayDo({ action: "fetch", about: valueKeyOf(query) });
  return [
    changing({ method: "POST", path: "/v1/query" }, async (exchange, caller) => {
      const id = newId(secrets);
      await put(parts, exchange, caller, { id, isNew: true });
      exchange.respond(rowsResponse(exchange, { ID: id }));
    }),
    changing({ method: "PUT", path: "/v1/query/:id" }, async (exchange, caller) => {
      await put(parts, exchange, caller, { id: idOf(exchange), isNew: false });
      exchange.respond(rowsResponse(exchange, null));
    }),
    changing({ method: "DELETE", path: "/v1/query/:id" }, async (exchange, caller) => {
      await store.change((draft) => {
        const query = queryById(draft, idOf(exchange));
        if (query === undefined) throw notFound();
        checkMayStore(caller, query);
        deleteQuery(draft, query.id);
        return "yes";
      });
      exchange.respond(rowsResponse(exchange, null));
    }),
    reading("/v1/query", (_exchange, caller) =>
      queriesIn(store.view())
        .filter((query) => seen(caller, query))
        .map(queryRow),
    ),
    reading("/v1/query/:id", (exchange, caller) => {
      const query = queryById(store.view(), idOf(exchange));
      if (!seen(caller, query)) throw notFound();
      return [queryRow(query)];
    }),
    reading("/v1/query/:id/explain", (exchange, caller) => {
      const query = queryNamed(store.view(), idOf(exchange));
      if (!seen(caller, query)) throw notFound();
      const { CreateIndex, ModifyIndex } = queryRow(query);
      return { Query: { ...rendered(query, idOf(exchange)), CreateIndex, ModifyIndex } };
    }),
    executing(parts),
  ];
}

/** Consul runs a query for those who know its name; what it shows is what they may see. */
function executing(parts: QueryParts): JudgedRoute {
  const { store, datacenter } = parts;
  let turn = 0;
  const route = catalogueRoute("GET", "/query/:id/execute", parts, (catalogue, exchange, caller) => {
    const name = exchange.params["id"] ?? "";
    const query = queryNamed(store.view(), name);
    if (query === undefined) throw notFound();
    const sight = new Sight(caller);
    const definition = definitionOf(rendered(query, name));
    const { service, isConnect, near, dns } = definition;
    const isAsked = isConnect || flagOf(exchange, "connect");
    const instances = isAsked ? proxies(catalogue, service, sight) : instancesOf(catalogue, service, sight);
    const [nearTo = near] = valuesOf(exchange, "near");
    const place = nearPlace(nearTo, { exchange, catalogue, sight }, parts);
    const placed = byNearness(shuffled(chosenBy(definition, instances), turn++), place, (each) =>
      placeOfService(each.service),
    );
    const rows = placed.slice(0, limitOf(exchange)).map(healthRow(datacenter));
    const answer = { Service: service, Nodes: rows, DNS: dns, Datacenter: datacenter, Failovers: 0 };
    exchange.respond(rowsResponse(exchange, answer, EXECUTED_INDEX));
  });
  return afterKeys(parts, route);
}

// An answer that can't be waited for.
const EXECUTED_INDEX = 1n;

function instancesOf(catalogue: Catalogue, name: string, sight: Sight) {
  const services = catalogue.service(name).filter(sight.service);
  return services.map((service) => ({ service, node: catalogue.nodeOf(service) }));
}

async function put(
  { store }: QueryParts,
  exchange: HttpExchange,
  caller: Caller,
  { id, isNew }: { id: string; isNew: boolean },
): Promise<void> {
  const fields = queryFields(exchange.body, id);
  await store.change((draft) => {
    const known = queryById(draft, id);
    if (known === undefined && !isNew) throw notFound();
    // A query that takes another name is changed under both.
    if (known !== undefined) checkMayStore(caller, known);
    checkMayStore(caller, { id, name: fields.Name });
    putQuery(draft, id, fields);
    return "yes";
  });
}

function checkMayStore(caller: Caller, query: Pick<PreparedQuery, "name" | "id">): void {
  const refusal = caller.refusal({ action: "store", about: valueKeyOf(query) });
  if (refusal !== undefined) throw refusal;
}

function queryRow({ document: { fields, createIndex, modifyIndex } }: PreparedQuery) {
  return { ...fields, CreateIndex: Number(createIndex), ModifyIndex: Number(modifyIndex) };
}

function limitOf(exchange: HttpExchange): number | undefined {
  const [limit = "0"] = valuesOf(exchange, "limit");
  if (!/^\d{1,9}$/.test(limit)) throw consulRefusal(400, `Bad limit: ${JSON.stringify(limit.slice(0, 100))}`);
  return limit === "0" ? undefined : Number(limit);
}

function notFound(): Error {
  return consulRefusal(404, "Query not found");
}
