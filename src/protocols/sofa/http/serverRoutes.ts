// The routes by which SOFARegistry's clients find servers, in SOFARegistry's paths and shapes.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpRoute, jsonResponse, queryValue, textResponse } from "../../../base/http.ts";
import type { NodeId } from "../../../model/ids.ts";
import { readServiceKey } from "../../../model/serviceKey.ts";
import type { SessionNodeView } from "../../kit/gateway.ts";
import type { SofaHttpConfig } from "../environment.ts";

/** The view of the node that the paths need. */
export type ServersNode = Pick<
  SessionNodeView,
  | "id"
  | "advertiseAddress"
  | "port"
  | "isStopping"
  | "servesClients"
  | "cluster"
  | "connections"
  | "otherSessions"
  | "slot"
  | "nodeAddress"
>;

/** The node and the listener whose addresses clients receive. */
interface Servers {
  readonly node: ServersNode;
  readonly listener: string;
  /** Only sessions of this zone; undefined for all. */
  readonly zone: string | undefined;
}

/** `listener` is the configuration key of the port for clients. */
export function serverRoutes(
  node: ServersNode,
  listener: string,
  config: Pick<SofaHttpConfig, "sofaServerList">,
): readonly HttpRoute[] {
  const weights = (exchange: HttpExchange) => {
    const asked = queryValue(exchange, "zone").trim();
    const zone = config.sofaServerList === "zone" ? asked || node.cluster.zone : undefined;
    return weightsFor(exchange, { node, listener, zone });
  };
  const servers = (exchange: HttpExchange) => [...weights(exchange).keys()];
  const get = (name: string, handle: HttpRoute["handle"]): HttpRoute => ({
    method: "GET",
    path: `/api/servers/${name}`,
    isForClients: true,
    handle,
  });
  return [
    get("query", (exchange) => exchange.respond(textResponse(servers(exchange).join(";")))),
    // Of two servers the client chooses the one of lower weight.
    get("queryWithWeight", (exchange) => {
      const weighted = [...weights(exchange)].map(([server, weight]) => `${server}?weight=${weight}`);
      exchange.respond(textResponse(weighted.join(";")));
    }),
    get("query.json", (exchange) => exchange.respond(jsonResponse(servers(exchange)))),
    get("alive", ({ respond }) => respond(textResponse("OK"))),
    get("connectionNum", ({ respond }) => respond(textResponse(String(node.connections())))),
    // In spite of its name it returns the servers of the data center.
    get("dataCenter", (exchange) => {
      exchange.respond(jsonResponse([...weightsFor(exchange, { node, listener, zone: undefined }).keys()]));
    }),
    get("slot", (exchange) => {
      const slot = node.slot(readServiceKey(queryValue(exchange, "dataInfoId"), "dataInfoId"));
      if (slot === undefined) throw fail("STORE_UNAVAILABLE", { reason: "there is no slot table yet" });
      const host = (id: NodeId) => hostOf(id, exchange, node);
      const { id, leader, leaderEpoch, followers } = slot;
      // The epoch will pass 2^53, and JavaScript's JSON numbers can't, so the text is built by hand.
      const names = JSON.stringify({ leader: host(leader), followers: followers.map(host) });
      const body = `{"id":${id},"leaderEpoch":${leaderEpoch},${names.slice(1)}`;
      exchange.respond({ status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body });
    }),
  ];
}

/**
 * All session nodes that take clients, with their number of clients: this one, unless it stops, and the others at the
 * addresses that they report. Until all have reported, every weight is 0 and clients spread by chance: otherwise all
 * would go to the one that seems to have none.
 */
function weightsFor(exchange: HttpExchange, { node, listener, zone }: Servers): Map<string, number> {
  const all = node.otherSessions(listener).filter(({ clientAddress }) => isReadable(clientAddress));
  const clientAddress = `${ownHost(exchange, node)}:${node.port(listener)}`;
  const own = { clientAddress, clients: node.connections(), zone: node.cluster.zone };
  if (!node.isStopping() && node.servesClients()) all.unshift(own);
  // SOFARegistry's zones are in capital letters, whatever the client writes.
  const sessions = all.filter((one) => zone === undefined || one.zone?.toUpperCase() === zone.toUpperCase());
  const isKnown = sessions.every(({ clients }) => clients !== undefined);
  const weights = new Map<string, number>();
  for (const { clientAddress, clients = 0 } of sessions) {
    // The workers of one machine share an address.
    weights.set(clientAddress, (weights.get(clientAddress) ?? 0) + (isKnown ? clients : 0));
  }
  return weights;
}

/**
 * The host of a data node, as in SOFARegistry, whose ports are the same everywhere; its id while this node does not
 * know it as a member.
 */
function hostOf(id: NodeId, exchange: HttpExchange, node: ServersNode): string {
  if (id === node.id) return ownHost(exchange, node);
  const address = node.nodeAddress(id);
  return address === undefined ? id : address.slice(0, address.lastIndexOf(":"));
}

// The Java client takes everything before the first colon for the host.
function isReadable(clientAddress: string): boolean {
  return clientAddress !== "" && !clientAddress.startsWith("[");
}

/**
 * The address by which this client reached us: the client came in by it, so it works. The client can't read IPv6
 * literals.
 */
function ownHost({ localAddress }: HttpExchange, { advertiseAddress }: ServersNode): string {
  return advertiseAddress === "" ? localAddress : advertiseAddress;
}
