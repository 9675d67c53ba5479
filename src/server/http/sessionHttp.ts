// The HTTP port of the role session, shared by all protocols: each protocol's paths, and the common routes of every
// port.

import type { FastifyInstance } from "fastify";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import type { MemberNode, OpenGateway } from "../../protocols/kit/gateway.ts";
import { roleHttp } from "./roleHttp.ts";

export function sessionHttp(
  process: ProcessStatus,
  { notReady }: Pick<MemberNode, "notReady">,
  gateways: readonly OpenGateway[],
): FastifyInstance {
  return roleHttp({
    protocols: gateways.map(({ routes }) => routes),
    own: processRoutes(process, notReady),
    hostNames: process.hostNames,
  });
}
