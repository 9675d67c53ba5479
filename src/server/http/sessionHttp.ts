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
  readonly members: () => Members | undefined;
  readonly slotTable: () => SlotTable | undefined;
}

export function sessionHttp(status: SessionStatus): FastifyInstance {
  const app = createHttp();
  addServerRoutes(app, status);
  const isReady = () => status.slotTable() !== undefined;
  app.get("/health/check", async (_request, reply) =>
    health(reply, status, {
      isReady: isReady(),
      message: `SessionServerBoot , ConnectMetaServer:${isReady()}, SessionServerStart:true`,
    }),
  );
  addOpsRoutes(app, status, () => (isReady() ? undefined : "no slot table yet"));
  return app;
}

function addServerRoutes(app: FastifyInstance, status: SessionStatus): void {
  app.get("/api/servers/query", async (request, reply) => text(reply, serversFor(request, status).join(";")));
  // Of two servers the client takes the one of lower weight.
  app.get("/api/servers/queryWithWeight", async (request, reply) => {
    const servers = serversFor(request, status);
    // How many clients the other sessions have is not known here: with equal weights clients spread by chance.
    const weight = servers.length === 1 ? status.connections() : 0;
    return text(reply, servers.map((server) => `${server}?weight=${weight}`).join(";"));
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
      const names = JSON.stringify({ leader, followers });
      void reply.type("application/json");
      return `{"id":${id},"leaderEpoch":${leaderEpoch},${names.slice(1)}`;
    },
  );
}

/** All session nodes that take clients: this one, unless it stops, and the others as they say that they are reached. */
function serversFor(request: FastifyRequest, status: SessionStatus): readonly string[] {
  const own = status.isStopping() ? [] : [`${hostFor(request, status)}:${status.boltPort()}`];
  const others = (status.members()?.list ?? []).flatMap(({ id, role, clientAddress = "" }) =>
    role === "session" && id !== status.id && isReadable(clientAddress) ? [clientAddress] : [],
  );
  // The workers of one machine share an address.
  return [...new Set([...own, ...others])];
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
