// The HTTP port of the role data: held services, the protocols' paths, and the common routes of every port.

import type { FastifyInstance } from "fastify";
import { type HeldStatus, heldRoutes } from "../../admin/heldRoutes.ts";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import type { DataNodeView } from "../../protocols/kit/gateway.ts";
import type { LoadedGateway } from "../loadGateways.ts";
import { roleHttp } from "./roleHttp.ts";

/** The view of the role data that the routes need. */
export interface DataStatus extends ProcessStatus, HeldStatus, Omit<DataNodeView, "notReady"> {}

export function dataHttp(status: DataStatus, gateways: readonly LoadedGateway[]): FastifyInstance {
  const notReady = () => status.blocked() ?? (status.hasSlotTable() ? undefined : "no slot table yet");
  return roleHttp({
    protocols: gateways.map(({ code }) => code.dataRoutes?.({ ...status, notReady })),
    own: [...heldRoutes(status), ...processRoutes(status, notReady)],
  });
}
