// The HTTP port of the role data: services that are held back, and what every port has.

import type { FastifyInstance } from "fastify";
import { type HeldStatus, heldRoutes } from "../../admin/heldRoutes.ts";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import { type DataHealth, dataHealthRoute } from "../../protocols/sofa/http/healthRoutes.ts";
import { refusal } from "../../protocols/sofa/http/refusal.ts";
import { bindRoutes } from "./bindRoutes.ts";
import { createHttp } from "./listen.ts";

/** What the routes ask of the role data. */
export interface DataStatus extends ProcessStatus, HeldStatus, Omit<DataHealth, "notReady"> {}

export function dataHttp(status: DataStatus): FastifyInstance {
  const app = createHttp();
  const notReady = () => status.blocked() ?? (status.hasSlotTable() ? undefined : "no slot table yet");
  const health = dataHealthRoute({ ...status, notReady });
  bindRoutes(app, { routes: [health, ...heldRoutes(status), ...processRoutes(status, notReady)], refusal });
  return app;
}
