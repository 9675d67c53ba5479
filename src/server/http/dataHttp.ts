// The HTTP port of the role data: services that are held back, what protocols have there, and what every port has.

import type { FastifyInstance } from "fastify";
import { type HeldStatus, heldRoutes } from "../../admin/heldRoutes.ts";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import type { DataNode } from "../../protocols/kit/gateway.ts";
import type { LoadedGateway } from "../loadGateways.ts";
import { roleHttp } from "./roleHttp.ts";

/** The view of the role data that the routes need. */
export interface DataStatus extends ProcessStatus, HeldStatus, Omit<DataNode, "notReady"> {}

export function dataHttp(status: DataStatus, gateways: readonly LoadedGateway[]): FastifyInstance {
  const notReady = () => status.blocked() ?? (status.hasSlotTable() ? undefined : "no slot table yet");
  return roleHttp({
    protocols: gateways.map(({ code }) => code.dataRoutes?.({ ...status, notReady })),
    own: [...heldRoutes(status), ...processRoutes(status, notReady)],
  });
}
