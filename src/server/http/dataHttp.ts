// The HTTP port of the role data: the protocols' paths, and the common routes of every port.

import type { FastifyInstance } from "fastify";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import type { DataNodeView } from "../../protocols/kit/gateway.ts";
import { checkedTable } from "../checkAsked.ts";
import type { LoadedGateway } from "../loadGateways.ts";
import { type PathsEnvironment, roleHttp } from "./roleHttp.ts";

/** The view of the role data that the routes need. */
export interface DataStatus extends ProcessStatus, DataNodeView {}

export function dataHttp(
  status: DataStatus,
  gateways: readonly LoadedGateway[],
  { questions, ...environment }: PathsEnvironment,
): FastifyInstance {
  return roleHttp({
    protocols: gateways.map(({ name, code }) =>
      checkedTable(name, code.dataRoutes?.(status, questions.otherNodes(name), environment)),
    ),
    own: processRoutes(status, status.notReady),
    hostNames: status.hostNames,
  });
}
