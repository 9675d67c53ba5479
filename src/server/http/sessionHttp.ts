// The HTTP port of the session: where SOFARegistry's clients ask for servers, with health and metrics beside it. Paths
// and answers are SOFARegistry's.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fail } from "../../base/errors.ts";
import { readDataInfoId } from "../../model/dataInfoId.ts";
import { type SlotTable, slotOf, slotOwner } from "../../model/slot.ts";
import { formatHost } from "../../transport/address.ts";
import type { MetricsPage } from "../metrics.ts";
import { createHttp, KEY_QUERY } from "./listen.ts";

/** What the routes ask of the running node. */
export interface SessionStatus {
  readonly boltPort: () => number;
  /** The configured address; empty for "the one that the client came in by". */
  readonly advertiseAddress: string;
  readonly dataCenter: string;
  readonly connections: () => number;
  readonly slotTable: () => SlotTable | undefined;
  readonly page: MetricsPage;
}

export function sessionHttp(status: SessionStatus): FastifyInstance {
  const app = createHttp();
  addServerRoutes(app, status);
  addHealthRoutes(app, status);
  return app;
}

function addServerRoutes(app: FastifyInstance, status: SessionStatus): void {
  const server = (request: FastifyRequest) => `${hostFor(request, status)}:${status.boltPort()}`;
  app.get("/api/servers/query", async (request, reply) => text(reply, server(request)));
  // Of two servers the client takes the one of lower weight.
  app.get("/api/servers/queryWithWeight", async (request, reply) =>
    text(reply, `${server(request)}?weight=${status.connections()}`),
  );
  app.get("/api/servers/query.json", async (request) => [server(request)]);
  app.get("/api/servers/alive", async (_request, reply) => text(reply, "OK"));
  app.get("/api/servers/connectionNum", async (_request, reply) => text(reply, String(status.connections())));
  // In spite of its name it answers with the servers of the data center.
  app.get("/api/servers/dataCenter", async (request) => [server(request)]);
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

function addHealthRoutes(app: FastifyInstance, status: SessionStatus): void {
  const isReady = () => status.slotTable() !== undefined;
  app.get("/health/check", async (_request, reply) => {
    void reply.code(isReady() ? 200 : 500);
    return {
      success: isReady(),
      message: `SessionServerBoot , ConnectMetaServer:${isReady()}, SessionServerStart:true`,
    };
  });
  app.get("/livez", async (_request, reply) => text(reply, "ok"));
  app.get("/readyz", async (_request, reply) =>
    text(reply.code(isReady() ? 200 : 503), isReady() ? "ok" : "no slot table yet"),
  );
  app.get("/metrics", async (_request, reply) => {
    void reply.type(status.page.contentType);
    return status.page.render();
  });
}

function text(reply: FastifyReply, body: string): FastifyReply {
  return reply.type("text/plain").send(body);
}

/**
 * The address by which this client reaches us: it came in by it, so it works for the client. The client can't read IPv6
 * literals.
 */
function hostFor(request: FastifyRequest, { advertiseAddress }: SessionStatus): string {
  return advertiseAddress === "" ? formatHost(request.socket.localAddress ?? "") : advertiseAddress;
}
