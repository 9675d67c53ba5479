// The HTTP port of a role: the protocols' paths, then ours.

import type { FastifyInstance } from "fastify";
import type { HttpRoute, HttpRouteTable } from "../../base/http.ts";
import { refusal } from "../../base/http.ts";
import type { PortEnvironment } from "../../protocols/kit/gateway.ts";
import type { Config } from "../config/table.ts";
import type { GatewayQuestions } from "../gatewayQuestions.ts";
import { bindRoutes, type Elsewhere } from "./bindRoutes.ts";
import { createHttp } from "./listen.ts";

/** The surroundings of the protocols' paths at the port of a role. */
export interface PathsEnvironment extends PortEnvironment<Config> {
  readonly questions: Pick<GatewayQuestions, "otherNodes">;
}

interface RoleRoutes {
  /** The table of each protocol that has paths at this port. */
  readonly protocols: readonly (HttpRouteTable | undefined)[];
  readonly own: readonly HttpRoute[];
  readonly elsewhere?: Elsewhere;
  readonly hostNames: ReadonlySet<string>;
}

/** An HTTP server with the paths of a role, which does not listen yet. */
export function roleHttp({ protocols, own, ...binding }: RoleRoutes): FastifyInstance {
  const app = createHttp();
  for (const table of protocols) if (table !== undefined) bindRoutes(app, table, binding);
  bindRoutes(app, { routes: own, refusal }, binding);
  return app;
}
