// The HTTP port of the role session, which all protocols share: what each of them has there, and what every port has.

import type { FastifyInstance } from "fastify";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import type { MemberNode, OpenGateway } from "../../protocols/kit/gateway.ts";
import { roleHttp } from "./roleHttp.ts";

export function sessionHttp(
  process: ProcessStatus,
  { notReady }: Pick<MemberNode, "notReady">,
  gateways: readonly OpenGateway[],
): FastifyInstance {
  return roleHttp({ protocols: gateways.map(({ routes }) => routes), own: processRoutes(process, notReady) });
}
