// The HTTP port of the role data: health, metrics, and services that are held back.

import type { FastifyInstance } from "fastify";
import { fail } from "../../base/errors.ts";
import type { HeldLoss } from "../../data/lossProtection.ts";
import { readDataInfoId } from "../../model/dataInfoId.ts";
import type { DataInfoId } from "../../model/ids.ts";
import { createHttp, KEY_QUERY } from "./listen.ts";
import { addOpsRoutes, health, type Ops } from "./opsRoutes.ts";

/** What the routes ask of the role data. */
export interface DataStatus extends Ops, HeldStatus {
  readonly hasSlotTable: () => boolean;
  readonly isServing: () => boolean;
  readonly slotsLed: () => number;
  /** Why the node is shut out; nothing if it is not. */
  readonly blocked: () => string | undefined;
}

export interface HeldStatus {
  readonly heldLosses: () => readonly HeldLoss[];
  readonly releaseHeld: (dataInfoId: DataInfoId) => void;
  readonly nowMs: () => number;
}

export function dataHttp(status: DataStatus): FastifyInstance {
  const app = createHttp();
  app.get("/health/check", async (_request, reply) =>
    health(reply, status, {
      isReady: status.hasSlotTable() && status.blocked() === undefined,
      message: [
        `DataServerBoot slotTable:${status.hasSlotTable()}`,
        `slotsLed:${status.slotsLed()}`,
        `serving:${status.isServing()}`,
        status.blocked() ?? [],
      ]
        .flat()
        .join(", "),
    }),
  );
  addHeldRoutes(app, status);
  addOpsRoutes(app, status, () => status.blocked() ?? (status.hasSlotTable() ? undefined : "no slot table yet"));
  return app;
}

/** Services that are held back because too many publishers would go at once. */
export function addHeldRoutes(app: FastifyInstance, status: HeldStatus): void {
  app.get("/held", async () => {
    const nowMs = status.nowMs();
    return { success: true, data: status.heldLosses().map((held) => shown(held, nowMs)) };
  });
  app.post<{ Querystring: { dataInfoId?: string } }>("/held/release", { schema: KEY_QUERY }, async (request) => {
    const dataInfoId = readDataInfoId(request.query.dataInfoId ?? "");
    if (!status.heldLosses().some((held) => held.dataInfoId === dataInfoId)) {
      throw fail("FIELD_INVALID", {
        dataInfoId,
        expected: "a service that this node holds back; GET /held names them",
      });
    }
    status.releaseHeld(dataInfoId);
    return { success: true, message: null };
  });
}

function shown({ dataInfoId, sinceMs, untilMs, lost, publishers }: HeldLoss, nowMs: number): object {
  return {
    dataInfoId,
    reason: `${lost} of ${publishers} publishers would go at once with their session nodes`,
    heldMs: nowMs - sinceMs,
    releasedInMs: Math.max(0, untilMs - nowMs),
    lost,
    publishers,
  };
}
