// The HTTP port of operators, which every node has: the operations, and the common routes of every port.

import type { FastifyInstance } from "fastify";
import type { Principal } from "../../access/principal.ts";
import { openApi } from "../../admin/openApi.ts";
import { OPERATIONS } from "../../admin/operations.ts";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import { httpRefusal } from "../../admin/refusal.ts";
import type { OperationRouter } from "../../admin/router.ts";
import { operationRoutes } from "../../admin/routes.ts";
import type { HttpExchange } from "../../base/http.ts";
import type { Log } from "../../base/ports.ts";
import { bindRoutes } from "./bindRoutes.ts";
import { createHttp } from "./listen.ts";

export interface AdminStatus extends ProcessStatus {
  readonly router: OperationRouter;
  /** The principal that sends a request. Rejects with a RegistryError if its proof is none. */
  readonly identify: (exchange: HttpExchange) => Promise<Principal>;
  readonly log: Log;
  /** The largest configuration value. */
  readonly valueBytesMax: number;
  /** The reason why a role of the node does not work; undefined if all do. */
  readonly notReady: () => string | undefined;
}

/** An HTTP server for operators, which does not listen yet. */
export function adminHttp(status: AdminStatus): FastifyInstance {
  const app = createHttp(undefined, httpRefusal);
  bindRoutes(app, operationRoutes(OPERATIONS, { ...status, document: openApi(OPERATIONS) }), status);
  bindRoutes(app, { routes: processRoutes(status, status.notReady), refusal: httpRefusal }, status);
  return app;
}
