// The HTTP port of the session: where SOFARegistry's clients ask for servers, with health and metrics beside it. Paths
// and answers are SOFARegistry's.

import type { FastifyInstance, FastifyRequest } from "fastify";
import { fail } from "../../base/errors.ts";
import type { Members } from "../../messages/membership.ts";
import { readDataInfoId } from "../../model/dataInfoId.ts";
import type { NodeId } from "../../model/ids.ts";
import { type SlotTable, slotOf, slotOwner } from "../../model/slot.ts";
import { formatHost } from "../../transport/address.ts";
import { createHttp, KEY_QUERY } from "./listen.ts";
import { addOpsRoutes, health, type Ops, text } from "./opsRoutes.ts";

/** What the routes ask of the running node. */
export interface SessionStatus extends Ops {
  readonly id: NodeId;
  readonly boltPort: () => number;
  /** The configured address; empty for "the one that the client came in by". */
  readonly advertiseAddress: string;
  readonly connections: () => number;
  /** How many clients other sessions have, of those that say so. */
  readonly clientCounts: () => ReadonlyMap<NodeId, number>;
  readonly members: () => Members | undefined;
  readonly slotTable: () => SlotTable | undefined;
  /** Why the node is shut out; nothing if it is not. */
  readonly blocked: () => string | undefined;
}

export function sessionHttp(status: SessionStatus): FastifyInstance {
  const app = createHttp();
  addServerRoutes(app, status);
  const hasTable = () => status.slotTable() !== undefined;
  const isReady = () => hasTable() && status.blocked() === undefined;
  app.get("/health/check", async (_request, reply) =>
    health(reply, status, {
      isReady: isReady(),
      message: [`SessionServerBoot , ConnectMetaServer:${hasTable()}, SessionServerStart:true`, status.blocked() ?? []]
        .flat()
        .join(", "),
    }),
  );
  addOpsRoutes(app, status, () => status.blocked() ?? (hasTable() ? undefined : "no slot table yet"));
  return app;
}

function addServerRoutes(app: FastifyInstance, status: SessionStatus): void {
  app.get("/api/servers/query", async (request, reply) => text(reply, serversFor(request, status).join(";")));
  // Of two servers the client takes the one of lower weight.
  app.get("/api/servers/queryWithWeight", async (request, reply) => {
    const weights = weightsFor(request, status);
    return text(reply, [...weights].map(([server, weight]) => `${server}?weight=${weight}`).join(";"));
  });
  app.get("/api/servers/query.json", async (request) => serversFor(request, status));
  app.get("/api/servers/alive", async (_request, reply) => text(reply, "OK"));
  app.get("/api/servers/connectionNum", async (_request, reply) => text(reply, String(status.connections())));
  // In spite of its name it answers with the servers of the data center.
  app.get("/api/servers/dataCenter", async (request) => serversFor(request, status));
  app.get<{ Querystring: { dataInfoId?: string } }>(
    "/api/servers/slot",
    { schema: KEY_QUERY },
    async (request, reply) => {
      const dataInfoId = readDataInfoId(request.query.dataInfoId ?? "");
      const table = status.slotTable();
      if (table === undefined) throw fail("STORE_UNAVAILABLE", { reason: "there is no slot table yet" });
      const id = slotOf(dataInfoId, table.slots.length);
      const { leader, leaderEpoch, followers } = slotOwner(table, id);
      // The epoch passes 2^53 some day and JSON numbers of JavaScript do not: the text is made by hand.
      const address = (node: NodeId) => addressOf(node, request, status);
      const names = JSON.stringify({ leader: address(leader), followers: followers.map(address) });
      void reply.type("application/json");
      return `{"id":${id},"leaderEpoch":${leaderEpoch},${names.slice(1)}`;
    },
  );
}

function serversFor(request: FastifyRequest, status: SessionStatus): readonly string[] {
  return [...weightsFor(request, status).keys()];
}

/**
 * All session nodes that take clients, this one, unless it stops, and the others as they say that they are reached,
 * with the number of clients of each. While one has not said yet how many it has, all have 0, and clients spread by
 * chance: all would go to the one that seems to have none.
 */
function weightsFor(request: FastifyRequest, status: SessionStatus): Map<string, number> {
  const sessions = (status.members()?.list ?? []).flatMap(({ id, role, clientAddress = "" }) =>
    role === "session" && id !== status.id && isReadable(clientAddress) ? [{ id, address: clientAddress }] : [],
  );
  const own = { id: status.id, address: `${hostFor(request, status)}:${status.boltPort()}` };
  if (!status.isStopping()) sessions.unshift(own);
  const counts = status.clientCounts();
  const isKnown = sessions.every(({ id }) => id === status.id || counts.has(id));
  const weights = new Map<string, number>();
  for (const { id, address } of sessions) {
    const clients = id === status.id ? status.connections() : (counts.get(id) ?? 0);
    // The workers of one machine share an address.
    weights.set(address, (weights.get(address) ?? 0) + (isKnown ? clients : 0));
  }
  return weights;
}

/**
 * The host of a data node, as SOFARegistry names it, whose ports are the same everywhere; its id while this node does
 * not know it for a member.
 */
function addressOf(node: NodeId, request: FastifyRequest, status: SessionStatus): string {
  if (node === status.id) return hostFor(request, status);
  const member = status.members()?.list.find(({ id, role }) => id === node && role === "data");
  return member === undefined ? node : member.address.slice(0, member.address.lastIndexOf(":"));
}

// The Java client takes what is before the first colon for the host.
function isReadable(clientAddress: string): boolean {
  return clientAddress !== "" && !clientAddress.startsWith("[");
}

/**
 * The address by which this client reaches us: it came in by it, so it works for the client. The client can't read IPv6
 * literals.
 */
function hostFor(request: FastifyRequest, { advertiseAddress }: SessionStatus): string {
  return advertiseAddress === "" ? formatHost(request.socket.localAddress ?? "") : advertiseAddress;
}
