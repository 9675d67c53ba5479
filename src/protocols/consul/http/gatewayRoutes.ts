// The services of gateways, by the configuration entries of their kinds: ingress-gateway and terminating-gateway. A
// gateway need not be registered itself.

import type { JudgedRoute } from "../../kit/judgedRoutes.ts";
import { type Catalogue, CONSUL_SERVICE } from "../catalogue.ts";
import { INGRESS, type Linked, linkedIn, TERMINATING, WILDCARD } from "../gatewayLinks.ts";
import type { KvStore } from "../kv/store.ts";
import { type ConfigEntry, configEntriesOf } from "./configRoutes.ts";
import { answering } from "./kvRoutes.ts";
import type { RouteParts } from "./parts.ts";
import { healthRow, named, OF_ALL, type Placed, passingOf, type Rows, reading } from "./readRoutes.ts";
import type { Sight } from "./sight.ts";

/** The paths that wait for what the configuration entries of gateways say. */
export function gatewayRoutes(parts: RouteParts & { readonly store: KvStore }): JudgedRoute[] {
  const { store, datacenter } = parts;
  const view = () => store.view();
  const services: Rows = (catalogue, exchange, sight) =>
    [INGRESS, TERMINATING].flatMap((kind) =>
      configEntriesOf(view(), kind)
        .filter(({ name }) => name === named(exchange) && sight.serviceNamed(name))
        .flatMap((entry) => gatewayRows(entry, catalogue, sight)),
    );
  const ingress: Rows = (catalogue, exchange, sight) => {
    const isOfIt = ({ name }: Linked) => name === named(exchange) || name === WILDCARD;
    const entries = configEntriesOf(view(), INGRESS).filter((entry) => linkedIn(entry).some(isOfIt));
    const placed = entries.flatMap(({ name }) => gatewaysNamed(name, catalogue, sight));
    return sight.serviceNamed(named(exchange)) ? passingOf(exchange, placed).map(healthRow(datacenter)) : [];
  };
  const routes = [
    reading("/catalog/gateway-services/:name", parts, { topics: OF_ALL, rows: services }),
    reading("/health/ingress/:name", parts, { topics: OF_ALL, rows: ingress }),
  ];
  return routes.map((route) => afterKeys(parts, route));
}

/** The route, when the copy of the records is there. */
export function afterKeys(parts: Pick<RouteParts, "datacenter"> & { store: KvStore }, route: JudgedRoute): JudgedRoute {
  const { handle } = route;
  return {
    ...route,
    handle: (exchange, caller) => answering(parts, exchange, () => handle.call(route, exchange, caller)),
  };
}

/** The rows of a gateway by its services' names. A wildcard stands for all services that the entry does not name. */
function gatewayRows(entry: ConfigEntry, catalogue: Catalogue, sight: Sight) {
  const linked = linkedIn(entry);
  const namedHere = new Set(linked.map(({ name }) => name));
  const others = () =>
    catalogue.names().filter((name) => name !== CONSUL_SERVICE && !namedHere.has(name) && isPlain(catalogue, name));
  const rows = linked.flatMap(({ name, words }) => {
    const names = name === WILDCARD ? others() : [name];
    return names.filter((each) => sight.serviceNamed(each)).map((each) => rowOf(each, words, name === WILDCARD));
  });
  return rows.sort(({ Service: one }, { Service: other }) => (one.Name < other.Name ? -1 : 1));

  function rowOf(name: string, words: Linked["words"], isFromWildcard: boolean) {
    const head = { Gateway: { Name: entry.name }, Service: { Name: name }, GatewayKind: entry.kind };
    return { ...head, ...words, ...(isFromWildcard && { FromWildcard: true }) };
  }
}

/** Whether a service is none of a mesh's own. */
function isPlain(catalogue: Catalogue, name: string): boolean {
  return catalogue.service(name).some(({ definition }) => definition.kind === "");
}

function gatewaysNamed(name: string, catalogue: Catalogue, sight: Sight): Placed[] {
  return catalogue
    .service(name)
    .filter((service) => sight.service(service) && service.definition.kind === INGRESS)
    .map((service) => ({ service, node: catalogue.nodeOf(service) }));
}
