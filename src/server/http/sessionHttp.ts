// The HTTP port of the role session: where clients ask for servers, and what every port has.

import type { FastifyInstance } from "fastify";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import { sessionHealthRoute } from "../../protocols/sofa/http/healthRoutes.ts";
import { refusal } from "../../protocols/sofa/http/refusal.ts";
import { type ServersStatus, serverRoutes } from "../../protocols/sofa/http/serverRoutes.ts";
import { bindRoutes } from "./bindRoutes.ts";
import { createHttp } from "./listen.ts";

/** What the routes ask of the role session. */
export interface SessionStatus extends ProcessStatus, ServersStatus {
  readonly hasSlotTable: () => boolean;
  /** Why the node is shut out; nothing if it is not. */
  readonly blocked: () => string | undefined;
}

export function sessionHttp(status: SessionStatus): FastifyInstance {
  const app = createHttp();
  const notReady = () => status.blocked() ?? (status.hasSlotTable() ? undefined : "no slot table yet");
  const health = sessionHealthRoute({ ...status, notReady });
  bindRoutes(app, { routes: [...serverRoutes(status), health, ...processRoutes(status, notReady)], refusal });
  return app;
}
