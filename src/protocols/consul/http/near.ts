// `near=NODE`: what is on that node comes first, then what is in its zone, then the rest as it was. There are no
// distances between nodes here; a zone is what services say in their locality or in the metadata `zone`.

import type { HttpExchange } from "../../../base/http.ts";
import type { Catalogue } from "../catalogue.ts";
import { zoneOf } from "../own.ts";
import type { ShownService } from "../words.ts";
import { type RouteParts, valuesOf } from "./parts.ts";
import type { Sight } from "./sight.ts";

/** The place of an instance or a node; the empty zone is near to none. */
export interface Place {
  readonly node: string;
  readonly zone: string;
}

/** The surroundings of a request by which nearness is judged. */
export interface Seen {
  readonly exchange: HttpExchange;
  readonly catalogue: Catalogue;
  readonly sight: Sight;
}

type Parts = Pick<RouteParts, "agentNode" | "zone">;

/** The place that a request or a query names; undefined if it names none. */
export function nearPlace(
  near: string,
  { exchange: { remoteAddress }, catalogue, sight }: Seen,
  { agentNode, zone }: Parts,
): Place | undefined {
  if (near === "") return undefined;
  const agent = agentNode().name;
  if (near === "_agent" || near === agent) return { node: agent, zone };
  const all = [...catalogue.all()].filter(sight.service);
  if (near === "_ip") {
    const onIt = all.filter(({ definition }) => [definition.nodeAddress, definition.address].includes(remoteAddress));
    return onIt[0] && { node: onIt[0].definition.node, zone: zoneIn(onIt) };
  }
  return { node: near, zone: zoneIn(all.filter(({ definition }) => definition.node === near)) };
}

/** The items by their nearness. */
export function byNearness<Item>(
  items: readonly Item[],
  near: Place | undefined,
  placeOf: (item: Item) => Place,
): Item[] {
  if (near === undefined) return [...items];
  const distanceOf = (item: Item) => {
    const { node, zone } = placeOf(item);
    if (node === near.node) return 0;
    return zone !== "" && zone === near.zone ? 1 : 2;
  };
  const distances = new Map(items.map((item) => [item, distanceOf(item)]));
  return [...items].sort((one, other) => (distances.get(one) ?? 0) - (distances.get(other) ?? 0));
}

/** As `byNearness`, by the query of a request. */
export function sortedNear<Item>(
  items: readonly Item[],
  seen: Seen,
  { parts, placeOf }: { readonly parts: Parts; readonly placeOf: (item: Item) => Place },
): Item[] {
  return byNearness(items, nearPlace(valuesOf(seen.exchange, "near")[0] ?? "", seen, parts), placeOf);
}

export function placeOfService({ definition }: ShownService): Place {
  return { node: definition.node, zone: zoneOf(definition) };
}

/** The zone of services on one node: that of the first one that has one. */
export function zoneIn(services: readonly ShownService[]): string {
  for (const { definition } of services) if (zoneOf(definition) !== "") return zoneOf(definition);
  return "";
}
