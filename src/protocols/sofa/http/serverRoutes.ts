// Where SOFARegistry's clients ask for servers, in SOFARegistry's paths and shapes.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpRoute, jsonResponse, queryValue, textResponse } from "../../../base/http.ts";
import { readDataInfoId } from "../../../model/dataInfoId.ts";
import type { DataInfoId, NodeId } from "../../../model/ids.ts";
import type { SlotOwner } from "../../../model/slot.ts";

/** Another session. */
export interface OtherSession {
  /** Where clients reach it: `host:port`; empty while it takes none. */
  readonly clientAddress: string;
  /** Clients that it has; undefined while that is not known. */
  readonly clients: number | undefined;
}

/** What the routes ask of the running node. */
export interface ServersStatus {
  readonly id: NodeId;
  /** Where clients connect. */
  readonly clientPort: () => number;
  /** The configured address; empty for "the one that the client came in by". */
  readonly advertiseAddress: string;
  readonly isStopping: () => boolean;
  readonly connections: () => number;
  readonly otherSessions: () => readonly OtherSession[];
  /** Who has the slot of a service; undefined while there is no slot table. */
  readonly slot: (dataInfoId: DataInfoId) => ({ readonly id: number } & SlotOwner) | undefined;
  /** Where other nodes reach a data node: `host:port`; undefined if it is no member. */
  readonly nodeAddress: (node: NodeId) => string | undefined;
}

export function serverRoutes(status: ServersStatus): readonly HttpRoute[] {
  const servers = (exchange: HttpExchange) => [...weightsFor(exchange, status).keys()];
  const get = (name: string, handle: HttpRoute["handle"]): HttpRoute => ({
    method: "GET",
    path: `/api/servers/${name}`,
    handle,
  });
  return [
    get("query", (exchange) => exchange.respond(textResponse(servers(exchange).join(";")))),
    // Of two servers the client takes the one of lower weight.
    get("queryWithWeight", (exchange) => {
      const weights = [...weightsFor(exchange, status)].map(([server, weight]) => `${server}?weight=${weight}`);
      exchange.respond(textResponse(weights.join(";")));
    }),
    get("query.json", (exchange) => exchange.respond(jsonResponse(servers(exchange)))),
    get("alive", ({ respond }) => respond(textResponse("OK"))),
    get("connectionNum", ({ respond }) => respond(textResponse(String(status.connections())))),
    // In spite of its name it answers with the servers of the data center.
    get("dataCenter", (exchange) => exchange.respond(jsonResponse(servers(exchange)))),
    get("slot", (exchange) => {
      const slot = status.slot(readDataInfoId(queryValue(exchange, "dataInfoId")));
      if (slot === undefined) throw fail("STORE_UNAVAILABLE", { reason: "there is no slot table yet" });
      const host = (node: NodeId) => hostOf(node, exchange, status);
      const { id, leader, leaderEpoch, followers } = slot;
      // The epoch passes 2^53 some day and JSON numbers of JavaScript do not: the text is made by hand.
      const names = JSON.stringify({ leader: host(leader), followers: followers.map(host) });
      const body = `{"id":${id},"leaderEpoch":${leaderEpoch},${names.slice(1)}`;
      exchange.respond({ status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body });
    }),
  ];
}

/**
 * All session nodes that take clients, this one, unless it stops, and the others as they say that they are reached,
 * with the number of clients of each. While one has not said yet how many it has, all have 0, and clients spread by
 * chance: all would go to the one that seems to have none.
 */
function weightsFor(exchange: HttpExchange, status: ServersStatus): Map<string, number> {
  const sessions = status.otherSessions().filter(({ clientAddress }) => isReadable(clientAddress));
  const own = { clientAddress: `${ownHost(exchange, status)}:${status.clientPort()}`, clients: status.connections() };
  if (!status.isStopping()) sessions.unshift(own);
  const isKnown = sessions.every(({ clients }) => clients !== undefined);
  const weights = new Map<string, number>();
  for (const { clientAddress, clients = 0 } of sessions) {
    // The workers of one machine share an address.
    weights.set(clientAddress, (weights.get(clientAddress) ?? 0) + (isKnown ? clients : 0));
  }
  return weights;
}

/**
 * The host of a data node, as SOFARegistry names it, whose ports are the same everywhere; its id while this node does
 * not know it for a member.
 */
function hostOf(node: NodeId, exchange: HttpExchange, status: ServersStatus): string {
  if (node === status.id) return ownHost(exchange, status);
  const address = status.nodeAddress(node);
  return address === undefined ? node : address.slice(0, address.lastIndexOf(":"));
}

// The Java client takes what is before the first colon for the host.
function isReadable(clientAddress: string): boolean {
  return clientAddress !== "" && !clientAddress.startsWith("[");
}

/**
 * The address by which this client reaches us: it came in by it, so it works for the client. The client can't read IPv6
 * literals.
 */
function ownHost({ localAddress }: HttpExchange, { advertiseAddress }: ServersStatus): string {
  return advertiseAddress === "" ? localAddress : advertiseAddress;
}
