// The paths of agents. The whole cluster is one agent: what is registered at one node is known at every other one.

import { type HttpExchange, type HttpResponse, textResponse } from "../../../base/http.ts";
import type { Check } from "../../../model/check.ts";
import type { KeptRegistration, PersistentKey } from "../../../registry/persistent.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { type Catalogue, TOPIC } from "../catalogue.ts";
import { maintenanceCheck, readCheck, readService, type ServiceDefinition, statusOf } from "../definition.ts";
import { consulRefusal, refuseWith } from "../errors.ts";
import { Fields, parseBody } from "../fields.ts";
import { nodeKeyOf, nodeRegistration, registIdOf, serviceKeyOf, serviceRegistration } from "../own.ts";
import { agentServiceRow, aggregated, checkRow, type ShownService } from "../words.ts";
import {
  byOf,
  catalogueRoute,
  checkMay,
  EMPTY,
  filterOf,
  flagOf,
  type RouteParts,
  rowsResponse,
  valuesOf,
} from "./parts.ts";
import { Sight } from "./sight.ts";

const LOOPBACK = /^(127\.|\[::1\]$|::1$)/;

export function agentRoutes(parts: RouteParts): JudgedRoute[] {
  return [...serviceRoutes(parts), ...checkRoutes(parts), ...showRoutes(parts)];
}

function serviceRoutes(parts: RouteParts): JudgedRoute[] {
  const { agentNode, writes, zone, nowMs } = parts;
  return [
    changing(parts, "/agent/service/register", (catalogue, exchange, caller) => {
      const fields = new Fields(parseBody(exchange.body));
      const { name, address } = agentNode();
      const service = withAddress(readService(fields, { node: name, nodeAddress: address, isAgent: true }), exchange);
      const key = { serviceKey: serviceKeyOf(service.name), registId: registIdOf(service.node, service.id) };
      const before = catalogue.own.servicesOf(name).get(service.id)?.kept.registration;
      for (const changed of before === undefined ? [key] : [key, before]) checkMay(caller, changed.serviceKey);
      const checks = serviceChecks(fields, service);
      const isReplacing = flagOf(exchange, "replace-existing-checks");
      const by = byOf(exchange, nowMs());
      const next = (kept: KeptRegistration | undefined) => {
        const ids = new Set(checks.map(({ id }) => id));
        const others = isReplacing ? [] : (kept?.registration.checks ?? []).filter(({ id }) => !ids.has(id));
        return serviceRegistration(service, [...others, ...checks], zone);
      };
      writes.change({ key, next }, by, (error) => {
        // An id that was another service's moves.
        if (error !== undefined || before === undefined || before.serviceKey === key.serviceKey)
          return answer(exchange, error);
        writes.remove(before, by, (problem) => answer(exchange, problem));
      });
    }),
    changing(parts, "/agent/service/deregister/:id", (catalogue, exchange, caller) => {
      const { kept } = ownService(catalogue, exchange);
      checkMay(caller, kept.registration.serviceKey);
      writes.remove(kept.registration, byOf(exchange, nowMs()), (error) => answer(exchange, error));
    }),
    changing(parts, "/agent/service/maintenance/:id", (catalogue, exchange, caller) => {
      if (valuesOf(exchange, "enable").length === 0) throw consulRefusal(400, "Missing value for enable");
      const isOn = flagOf(exchange, "enable");
      const { kept, service } = ownService(catalogue, exchange);
      checkMay(caller, kept.registration.serviceKey);
      const id = `_service_maintenance:${service.id}`;
      const check = maintenanceCheck(id, "Service Maintenance Mode", reasonOf(exchange, "service"));
      changeChecks(parts, { key: kept.registration, exchange }, (checks) =>
        withCheck(checks, id, isOn ? check : undefined),
      );
    }),
    changing(parts, "/agent/maintenance", (_catalogue, exchange, caller) => {
      if (valuesOf(exchange, "enable").length === 0) throw consulRefusal(400, "Missing value for enable");
      const isOn = flagOf(exchange, "enable");
      const check = maintenanceCheck("_node_maintenance", "Node Maintenance Mode", reasonOf(exchange, "node"));
      changeAgentNode(parts, { exchange, caller }, (checks) => withCheck(checks, check.id, isOn ? check : undefined));
    }),
  ];
}

/** Changes the checks of a service that is registered. */
function changeChecks(
  { writes, nowMs }: RouteParts,
  { key, exchange }: { readonly key: PersistentKey; readonly exchange: HttpExchange },
  change: (checks: readonly Check[]) => readonly Check[],
): void {
  const next = (kept: KeptRegistration | undefined) =>
    kept && { ...kept.registration, checks: change(kept.registration.checks) };
  writes.change({ key, next }, byOf(exchange, nowMs()), (error) => answer(exchange, error));
}

/** Changes the checks of the agent's own node, which has a registration once it has checks. */
function changeAgentNode(
  parts: RouteParts,
  { exchange, caller }: { readonly exchange: HttpExchange; readonly caller: Caller },
  change: (checks: readonly Check[]) => readonly Check[],
): void {
  const { agentNode, writes, zone, nowMs } = parts;
  const { name, id, address } = agentNode();
  const key = nodeKeyOf(name);
  checkMay(caller, key.serviceKey);
  const next = (kept: KeptRegistration | undefined) => {
    const checks = change(kept?.registration.checks ?? []);
    return nodeRegistration({ name, id, address, taggedAddresses: null, meta: null }, checks, zone);
  };
  writes.change({ key, next }, byOf(exchange, nowMs()), (error) => answer(exchange, error));
}

function checkRoutes(parts: RouteParts): JudgedRoute[] {
  const { agentNode, writes, nowMs } = parts;
  const report = (
    exchange: HttpExchange,
    catalogue: Catalogue,
    caller: Caller,
    result: { status: string; output: string },
  ) => {
    const id = exchange.params["id"] ?? "";
    const { key, check } = ownCheck(catalogue, parts, id);
    checkMay(caller, key.serviceKey);
    if (check.ttlMs === undefined) throw consulRefusal(500, `CheckID "${id}" does not have associated TTL`);
    const status = statusOf(result.status);
    writes.report(
      { key, check: check.id, result: { status, output: result.output } },
      byOf(exchange, nowMs()),
      (error) => answer(exchange, error),
    );
  };
  const reports = (word: string, status: string) =>
    changing(parts, `/agent/check/${word}/:id`, (catalogue, exchange, caller) => {
      report(exchange, catalogue, caller, { status, output: valuesOf(exchange, "note")[0] ?? "" });
    });
  return [
    ...["pass", "warn", "fail"].map((word, at) => reports(word, ["passing", "warning", "critical"][at] ?? "")),
    changing(parts, "/agent/check/update/:id", (catalogue, exchange, caller) => {
      const fields = new Fields(parseBody(exchange.body));
      report(exchange, catalogue, caller, { status: fields.text("Status"), output: fields.text("Output") });
    }),
    changing(parts, "/agent/check/register", (catalogue, exchange, caller) => {
      const fields = new Fields(parseBody(exchange.body));
      const name = fields.text("Name");
      if (name === "") throw consulRefusal(400, "Missing check name");
      const check = readCheck(fields, { id: name, name });
      const serviceId = fields.text("ServiceID");
      if (serviceId === "")
        return changeAgentNode(parts, { exchange, caller }, (checks) => withCheck(checks, check.id, check));
      const own = catalogue.own.servicesOf(agentNode().name).get(serviceId);
      if (own === undefined) throw consulRefusal(404, `ServiceID "${serviceId}" does not exist`);
      checkMay(caller, own.kept.registration.serviceKey);
      changeChecks(parts, { key: own.kept.registration, exchange }, (checks) => withCheck(checks, check.id, check));
    }),
    changing(parts, "/agent/check/deregister/:id", (catalogue, exchange, caller) => {
      const { key, check, service } = ownCheck(catalogue, parts, exchange.params["id"] ?? "");
      if (service === undefined)
        return changeAgentNode(parts, { exchange, caller }, (checks) => withCheck(checks, check.id, undefined));
      checkMay(caller, key.serviceKey);
      changeChecks(parts, { key, exchange }, (checks) => withCheck(checks, check.id, undefined));
    }),
  ];
}

function showRoutes(parts: RouteParts): JudgedRoute[] {
  const { agentNode, datacenter, blocking, nowMs } = parts;
  const health = (
    path: string,
    found: (catalogue: Catalogue, exchange: HttpExchange) => readonly ShownService[],
    isOne: boolean,
  ) =>
    catalogueRoute("GET", path, parts, (catalogue, exchange, caller) => {
      const seen = found(catalogue, exchange).filter(new Sight(caller).service);
      exchange.respond(healthResponse(exchange, seen, { agentNode, datacenter, isOne }));
    });
  return [
    catalogueRoute("GET", "/agent/services", parts, (catalogue, exchange, caller) => {
      const rows = catalogue
        .agentServices()
        .filter(new Sight(caller).service)
        .map((service) => agentServiceRow(service, datacenter));
      const predicate = filterOf(exchange);
      const shown = predicate === undefined ? rows : rows.filter(predicate);
      exchange.respond(rowsResponse(exchange, Object.fromEntries(shown.map((row) => [row.ID, row]))));
    }),
    catalogueRoute("GET", "/agent/checks", parts, (catalogue, exchange, caller) => {
      const sight = new Sight(caller);
      const { name } = agentNode();
      const services = catalogue.agentServices().filter(sight.service);
      const ofNode = sight.checksOf({ name, checks: catalogue.agentNodeChecks() });
      const checks = [...ofNode, ...services.flatMap(({ checks: ofService }) => ofService)];
      const rows = checks.map((check) => checkRow(check, name, 0));
      const predicate = filterOf(exchange);
      const shown = predicate === undefined ? rows : rows.filter(predicate);
      exchange.respond(rowsResponse(exchange, Object.fromEntries(shown.map((row) => [row.CheckID, row]))));
    }),
    catalogueRoute("GET", "/agent/service/:id", parts, (catalogue, exchange, caller) => {
      const id = exchange.params["id"] ?? "";
      const row = () => {
        const service = catalogue.agentService(id);
        if (service === undefined || !new Sight(caller).service(service))
          throw consulRefusal(404, `unknown service ID: ${id}`);
        const shown = agentServiceRow(service, datacenter);
        return { ...shown, ContentHash: hashOf(JSON.stringify(shown)) };
      };
      const respond = (shown: ReturnType<typeof row>): HttpResponse => {
        const response = rowsResponse(exchange, shown);
        return { ...response, headers: { ...response.headers, "x-consul-contenthash": shown.ContentHash } };
      };
      const now = row();
      const [hash = ""] = valuesOf(exchange, "hash");
      if (hash !== now.ContentHash) return exchange.respond(respond(now));
      blocking.askByHash(
        exchange,
        { topics: [TOPIC.agent], isChanged: () => row().ContentHash !== hash, answer: () => respond(row()) },
        nowMs(),
      );
    }),
    health(
      "/agent/health/service/name/:name",
      (catalogue, { params }) =>
        catalogue.agentServices().filter(({ definition }) => definition.name === params["name"]),
      false,
    ),
    health(
      "/agent/health/service/id/:name",
      (catalogue, { params }) =>
        [catalogue.agentService(params["name"] ?? "")].filter((service) => service !== undefined),
      true,
    ),
  ];
}

const STATUS_CODES = { passing: 200, warning: 429, critical: 503, maintenance: 503 } as const;

/** The health of services by their agent: its status is that of the answer, too. */
function healthResponse(
  exchange: HttpExchange,
  services: readonly ShownService[],
  parts: Pick<RouteParts, "agentNode" | "datacenter"> & { readonly isOne: boolean },
): HttpResponse {
  const { agentNode, datacenter, isOne } = parts;
  const status = services.length === 0 ? undefined : aggregated(services.flatMap(({ checks }) => checks));
  const isText = valuesOf(exchange, "format")[0] === "text";
  const name = exchange.params["name"] ?? "";
  const code = status === undefined ? 404 : STATUS_CODES[status];
  const reason = { "x-consul-reason": status ?? "critical" };
  if (isText)
    return {
      ...textResponse(status ?? "critical", code),
      headers: { "content-type": "text/plain; charset=utf-8", ...reason },
    };
  const unknown = isOne ? `ServiceId ${name} not found` : `ServiceName ${name} Not Found`;
  const rows = services.map((service) => ({
    AggregatedStatus: aggregated(service.checks),
    Service: agentServiceRow(service, datacenter),
    Checks: service.checks.map((check) => checkRow(check, agentNode().name, 0)),
  }));
  if (status === undefined && isOne)
    return { ...textResponse(unknown, 404), headers: { "content-type": "text/plain; charset=utf-8", ...reason } };
  const response = rowsResponse(exchange, isOne ? rows[0] : rows);
  return { ...response, status: code, headers: { ...response.headers, ...reason } };
}

/** A change. It waits until the lists are there. */
function changing(
  parts: RouteParts,
  path: string,
  handle: (catalogue: Catalogue, exchange: HttpExchange, caller: Caller) => void,
): JudgedRoute {
  const { asks: _asks, ...route } = catalogueRoute("PUT", path, parts, (catalogue, exchange, caller) => {
    if (!catalogue.own.isKnown) throw consulRefusal(500, "No cluster leader");
    handle(catalogue, exchange, caller);
  });
  return { ...route, asks: "publish", of: "each" };
}

/** Answers a change. */
export function answer(exchange: HttpExchange, error: Error | undefined, response: HttpResponse = EMPTY): void {
  if (error === undefined) exchange.respond(response);
  else refuseWith(exchange, error);
}

/** A service without an address is on the machine of its client, which may be another one than this node's. */
function withAddress(service: ServiceDefinition, { remoteAddress }: HttpExchange): ServiceDefinition {
  const remote = remoteAddress.replace(/^\[|\]$/g, "");
  if (service.address !== "" || LOOPBACK.test(remoteAddress) || remote === service.nodeAddress) return service;
  return { ...service, address: remote };
}

function serviceChecks(fields: Fields, { id, name }: ServiceDefinition): Check[] {
  const first = fields.inner("Check");
  const bodies = [
    ...(first === undefined ? [] : [first]),
    ...fields.list("Checks").map((body) => new Fields(body, "Checks")),
  ];
  return bodies.map((body, at) => {
    const own = bodies.length === 1 ? `service:${id}` : `service:${id}:${at + 1}`;
    return readCheck(body, { id: own, name: `Service '${name}' check` });
  });
}

function reasonOf(exchange: HttpExchange, what: string): string {
  const [reason = ""] = valuesOf(exchange, "reason");
  return reason === ""
    ? `Maintenance mode is enabled for this ${what}, but no reason was provided. This is a default message.`
    : reason;
}

function withCheck(checks: readonly Check[], id: string, check: Check | undefined): Check[] {
  const others = checks.filter((other) => other.id !== id);
  return check === undefined ? others : [...others, check];
}

function ownService(catalogue: Catalogue, { params }: HttpExchange) {
  const id = params["id"] ?? "";
  const own = catalogue.agentService(id);
  const kept = own && catalogue.own.servicesOf(own.definition.node).get(id)?.kept;
  if (own === undefined || kept === undefined)
    throw consulRefusal(404, `Unknown service ID "${id}". Ensure that the service ID is passed, not the service name.`);
  return { kept, service: own.definition };
}

/** A check of the agent by its id. Throws a ConsulError. */
function ownCheck(
  catalogue: Catalogue,
  { agentNode }: RouteParts,
  id: string,
): { key: PersistentKey; check: Check; service: ServiceDefinition | undefined } {
  const { name } = agentNode();
  const hasIt = ({ id: own }: Check) => own === id;
  for (const { service, kept } of catalogue.own.servicesOf(name).values()) {
    const check = kept.registration.checks.find(hasIt);
    if (check !== undefined) return { key: kept.registration, check, service };
  }
  const node = catalogue.own.node(name)?.kept.registration;
  const check = node?.checks.find(hasIt);
  if (node !== undefined && check !== undefined) return { key: node, check, service: undefined };
  throw consulRefusal(404, `Unknown check ID "${id}". Ensure that the check ID is passed, not the check name.`);
}

/** A short text that is another one for another content (FNV-1a, 64 bits). */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at++)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
