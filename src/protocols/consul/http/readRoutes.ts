// The paths that show the catalogue and its health.

import type { HttpExchange } from "../../../base/http.ts";
import { CHECK_STATUSES } from "../../../model/check.ts";
import type { JudgedRoute } from "../../kit/judgedRoutes.ts";
import { type Catalogue, CONSUL_SERVICE, type NodeWithServices, TOPIC } from "../catalogue.ts";
import { consulRefusal } from "../errors.ts";
import { Fields } from "../fields.ts";
import {
  aggregated,
  catalogServiceRow,
  checkRow,
  nodeRow,
  type ShownCheck,
  type ShownNode,
  type ShownService,
  serviceRow,
} from "../words.ts";
import { placeOfService, sortedNear, zoneIn } from "./near.ts";
import { catalogueRoute, filterOf, flagOf, type RouteParts, rowsResponse, shareKeyOf, valuesOf } from "./parts.ts";
import { Sight } from "./sight.ts";

export type Rows = (catalogue: Catalogue, exchange: HttpExchange, sight: Sight) => unknown;
type Topics = (exchange: HttpExchange, sight: Sight) => readonly string[];

/** An instance with its node. */
export interface Placed {
  readonly service: ShownService;
  readonly node: ShownNode;
}

/** The paths that show the catalogue, and those that show health. */
export function readRoutes(parts: RouteParts): JudgedRoute[] {
  const { datacenter } = parts;
  const datacenters: JudgedRoute = {
    ...{ method: "GET", path: "/v1/catalog/datacenters", asks: "open" },
    handle: (exchange) => exchange.respond(rowsResponse(exchange, [datacenter])),
  };
  return [datacenters, ...catalogRoutes(parts), ...healthRoutes(parts), usageRoute(parts)];
}

/** A path whose answer waits for changes of its topics. */
export function reading(
  path: string,
  parts: RouteParts,
  { topics, rows }: { topics: Topics; rows: Rows },
): JudgedRoute {
  const { blocking, nowMs } = parts;
  return catalogueRoute("GET", path, parts, (catalogue, exchange, caller) => {
    const [peer = ""] = valuesOf(exchange, "peer");
    const sight = new Sight(peer === "" ? caller : undefined);
    const answer = (index: bigint) =>
      rowsResponse(exchange, filtered(exchange, rows(catalogue, exchange, sight)), index);
    // A bad filter is refused at once, and not at the next change.
    filterOf(exchange);
    const shareKey = shareKeyOf(exchange, caller);
    blocking.ask(exchange, { topics: topics(exchange, sight), shareKey, answer }, nowMs());
  });
}

export const named = ({ params }: HttpExchange) => params["name"] ?? "";
/** A service that the caller may not see has the index of one that never was. */
const OF_SERVICE: Topics = (exchange, sight) =>
  sight.serviceNamed(named(exchange)) ? [TOPIC.service(named(exchange))] : [];
export const OF_ALL: Topics = () => [TOPIC.all];

function catalogRoutes(parts: RouteParts): JudgedRoute[] {
  const { datacenter } = parts;
  const services: Rows = (catalogue, exchange, sight) =>
    chosen(parts, catalogue, exchange, sight).map(({ service, node }) => catalogServiceRow(service, node, datacenter));
  const sidecars: Rows = (catalogue, exchange, sight) =>
    nearProxies(parts, catalogue, exchange, sight).map(({ service, node }) =>
      catalogServiceRow(service, node, datacenter),
    );
  const nodes: Rows = (...asked) => wantedNodes(parts, ...asked).map((node) => nodeRow(node, datacenter, 1));
  const onNode = (catalogue: Catalogue, exchange: HttpExchange, sight: Sight) => {
    const found = seenNode(catalogue, exchange, sight);
    const predicate = filterOf(exchange);
    const rows = found?.services.filter(sight.service).map(serviceRow) ?? [];
    return found && { node: nodeRow(found.node, datacenter, 1), rows: rows.filter((row) => predicate?.(row) ?? true) };
  };
  const node: Rows = (...asked) => {
    const found = onNode(...asked);
    return found === undefined
      ? null
      : { Node: found.node, Services: Object.fromEntries(found.rows.map((row) => [row.ID, row])) };
  };
  const nodeServices: Rows = (...asked) => {
    const found = onNode(...asked);
    return { Node: found?.node ?? null, Services: found?.rows ?? null };
  };
  return [
    reading("/catalog/services", parts, { topics: () => [TOPIC.services], rows: serviceNames }),
    reading("/catalog/nodes", parts, { topics: () => [TOPIC.nodes], rows: nodes }),
    reading("/catalog/service/:name", parts, { topics: OF_SERVICE, rows: services }),
    reading("/catalog/connect/:name", parts, { topics: OF_ALL, rows: sidecars }),
    reading("/catalog/node/:name", parts, { topics: OF_ALL, rows: node }),
    reading("/catalog/node-services/:name", parts, { topics: OF_ALL, rows: nodeServices }),
  ];
}

// Consul's counts of a mesh.
const MESH_KINDS = ["api-gateway", "connect-proxy", "ingress-gateway", "mesh-gateway", "terminating-gateway"] as const;

/** How much is registered. */
function usageRoute(parts: RouteParts): JudgedRoute {
  const usage: Rows = (catalogue, _exchange, sight) => {
    const shown = [...catalogue.all()].filter(sight.service);
    const billable = shown.filter(({ definition: { name, kind } }) => name !== CONSUL_SERVICE && kind === "");
    const ofKind = (wanted: string) => shown.filter(({ definition: { kind } }) => kind === wanted).length;
    const counts = {
      Nodes: catalogue.nodes().filter(sight.node).length,
      Services: new Set(shown.map(({ definition }) => definition.name)).size,
      ServiceInstances: shown.length,
      ConnectServiceInstances: {
        "connect-native": shown.filter(isNative).length,
        ...Object.fromEntries(MESH_KINDS.map((kind) => [kind, ofKind(kind)])),
      },
      BillableServiceInstances: billable.length,
    };
    // The client for Python looks here for what the headers say.
    return { Usage: { [parts.datacenter]: counts }, LastContact: 0, KnownLeader: true, ConsistencyLevel: "leader" };
  };
  return reading("/operator/usage", parts, { topics: OF_ALL, rows: usage });
}

function healthRoutes(parts: RouteParts): JudgedRoute[] {
  const { datacenter } = parts;
  const rowOf = healthRow(datacenter);
  const services: Rows = (catalogue, exchange, sight) => {
    return passingOf(exchange, chosen(parts, catalogue, exchange, sight)).map(rowOf);
  };
  const sidecars: Rows = (catalogue, exchange, sight) =>
    passingOf(exchange, nearProxies(parts, catalogue, exchange, sight)).map(rowOf);
  const checks: Rows = (catalogue, exchange, sight) =>
    chosen(parts, catalogue, exchange, sight).flatMap(({ service }) => checkRows(service));
  const node: Rows = (catalogue, exchange, sight) => {
    const found = seenNode(catalogue, exchange, sight);
    if (found === undefined) return [];
    const ofNode = sight.checksOf(found.node).map((check) => checkRow(check, found.node.name, 1));
    return [...ofNode, ...found.services.filter(sight.service).flatMap((service) => checkRows(service))];
  };
  const state: Rows = (catalogue, exchange, sight) => {
    const wanted = named(exchange);
    if (wanted !== "any" && !CHECK_STATUSES.some((status) => status === wanted)) return [];
    const isWanted = ({ status }: ShownCheck) => wanted === "any" || status === wanted;
    const nodes = wantedNodes(parts, catalogue, exchange, sight);
    const names = new Set(nodes.map(({ name }) => name));
    const ofNodes = nodes.flatMap((each) =>
      sight
        .checksOf(each)
        .filter(isWanted)
        .map((check) => checkRow(check, each.name, 1)),
    );
    const shown = [...catalogue.all()].filter(
      (service) => sight.service(service) && names.has(service.definition.node),
    );
    return [...ofNodes, ...shown.flatMap((service) => checkRows(service, isWanted))];
  };
  return [
    reading("/health/service/:name", parts, { topics: OF_SERVICE, rows: services }),
    reading("/health/connect/:name", parts, { topics: OF_ALL, rows: sidecars }),
    reading("/health/checks/:name", parts, { topics: OF_SERVICE, rows: checks }),
    reading("/health/node/:name", parts, { topics: OF_ALL, rows: node }),
    reading("/health/state/:name", parts, { topics: OF_ALL, rows: state }),
  ];
}

/** The row of an instance with its health. */
export function healthRow(datacenter: string) {
  return ({ service, node }: Placed) => {
    const checks = [...node.checks.map((check) => checkRow(check, node.name, 1)), ...checkRows(service)];
    return { Node: nodeRow(node, datacenter, service.index), Service: serviceRow(service), Checks: checks };
  };
}

/** Those that pass all checks, if the query wants no others. */
export function passingOf(exchange: HttpExchange, placed: readonly Placed[]): readonly Placed[] {
  if (!flagOf(exchange, "passing")) return placed;
  return placed.filter(({ service, node }) => aggregated([...node.checks, ...service.checks]) === "passing");
}

/** Lists are filtered row by row; what is no list has been filtered within. */
function filtered(exchange: HttpExchange, rows: unknown): unknown {
  const predicate = filterOf(exchange);
  return predicate === undefined || !Array.isArray(rows) ? rows : rows.filter(predicate);
}

/** The node of the path, if the caller may see it. */
function seenNode(catalogue: Catalogue, exchange: HttpExchange, sight: Sight): NodeWithServices | undefined {
  const found = catalogue.node(named(exchange));
  return found !== undefined && sight.node(found) ? found : undefined;
}

/** The nodes that the caller may see, with the wanted metadata. */
function wantedNodes(parts: RouteParts, catalogue: Catalogue, exchange: HttpExchange, sight: Sight): ShownNode[] {
  const seen = catalogue.nodes().filter((each) => sight.node(each) && hasNodeMeta(each.node, exchange));
  const placeOf = ({ node, services }: NodeWithServices) => ({ node: node.name, zone: zoneIn(services) });
  return sortedNear(seen, { catalogue, exchange, sight }, { parts, placeOf }).map(({ node }) => node);
}

function checkRows({ definition, checks, index }: ShownService, isWanted: (check: ShownCheck) => boolean = () => true) {
  return checks.filter(isWanted).map((check) => checkRow(check, definition.node, index));
}

/** The instances of the named service that have all wanted tags, on nodes with the wanted metadata. */
function chosen(parts: RouteParts, catalogue: Catalogue, exchange: HttpExchange, sight: Sight): Placed[] {
  const tags = valuesOf(exchange, "tag").map((tag) => tag.toLowerCase());
  const found = catalogue
    .service(named(exchange))
    .filter(sight.service)
    .filter(({ definition }) => {
      const own = new Set(definition.tags.map((tag) => tag.toLowerCase()));
      return tags.every((tag) => own.has(tag));
    })
    .map((service) => ({ service, node: catalogue.nodeOf(service) }))
    .filter(({ node }) => hasNodeMeta(node, exchange));
  return sortedNear(found, { catalogue, exchange, sight }, { parts, placeOf: placeOfPlaced });
}

function placeOfPlaced({ service }: Placed) {
  return placeOfService(service);
}

function nearProxies(parts: RouteParts, catalogue: Catalogue, exchange: HttpExchange, sight: Sight): Placed[] {
  return sortedNear(
    proxies(catalogue, named(exchange), sight),
    { catalogue, exchange, sight },
    { parts, placeOf: placeOfPlaced },
  );
}

/** The instances of a service as a mesh reaches them: its sidecars, and those that speak for themselves. */
export function proxies(catalogue: Catalogue, name: string, sight: Sight): Placed[] {
  const isOne = (service: ShownService) =>
    service.definition.kind === "connect-proxy"
      ? destinationOf(service) === name
      : service.definition.name === name && isNative(service);
  return [...catalogue.all()]
    .filter((service) => sight.service(service) && isOne(service))
    .map((service) => ({ service, node: catalogue.nodeOf(service) }));
}

function destinationOf({ definition: { proxy } }: ShownService): unknown {
  return typeof proxy === "object" && proxy !== null
    ? Object.entries(proxy).find(([key]) => key === "DestinationServiceName")?.[1]
    : undefined;
}

function isNative({ definition: { connect } }: ShownService): boolean {
  return typeof connect === "object" && connect !== null && new Fields(connect).value("Native") === true;
}

function serviceNames(catalogue: Catalogue, exchange: HttpExchange, sight: Sight): Record<string, string[]> {
  const predicate = filterOf(exchange);
  const isAll = predicate === undefined && valuesOf(exchange, "node-meta").length === 0;
  const names: Record<string, string[]> = {};
  for (const name of catalogue.names()) {
    const services = catalogue
      .service(name)
      .filter(sight.service)
      .filter((service) => {
        if (isAll) return true;
        const node = catalogue.nodeOf(service);
        return hasNodeMeta(node, exchange) && (predicate?.(catalogServiceRow(service, node, "")) ?? true);
      });
    if (services.length > 0) names[name] = [...new Set(services.flatMap(({ definition }) => definition.tags))];
  }
  return names;
}

/** Whether a node has all wanted metadata. Throws a ConsulError for a pair that is none. */
function hasNodeMeta({ meta }: ShownNode, exchange: HttpExchange): boolean {
  const own = new Map(typeof meta === "object" && meta !== null ? Object.entries(meta) : []);
  return valuesOf(exchange, "node-meta").every((pair) => {
    const at = pair.indexOf(":");
    if (at < 1) throw consulRefusal(400, `Invalid node-meta: ${JSON.stringify(pair.slice(0, 100))} is not key:value`);
    return own.get(pair.slice(0, at)) === pair.slice(at + 1);
  });
}
