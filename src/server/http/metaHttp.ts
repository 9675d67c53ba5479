// The HTTP port of the role meta: the protocols' paths, such as configuration that clients watch, and the common routes
// of every port.

import type { FastifyInstance } from "fastify";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import { fail } from "../../base/errors.ts";
import type { MetaNodeView } from "../../protocols/kit/gateway.ts";
import { checkedTable } from "../checkAsked.ts";
import type { LoadedGateway } from "../loadGateways.ts";
import type { Elsewhere } from "./bindRoutes.ts";
import { type PathsEnvironment, roleHttp } from "./roleHttp.ts";

/** The view of the role meta that the routes need. */
export interface MetaStatus extends ProcessStatus, MetaNodeView {}

export function metaHttp(
  status: MetaStatus,
  gateways: readonly LoadedGateway[],
  { questions, ...environment }: PathsEnvironment,
): FastifyInstance {
  return roleHttp({
    protocols: gateways.map(({ name, code }) =>
      checkedTable(name, code.metaRoutes?.(status, questions.otherNodes(name), environment)),
    ),
    own: processRoutes(status, status.notReady),
    elsewhere: leaderOf(status),
    hostNames: status.hostNames,
  });
}

/**
 * Only the leading meta node can change anything, and knows the stored state: callers of another one are redirected to
 * it.
 */
function leaderOf({ isLeading, leaderAddress }: Pick<MetaNodeView, "isLeading" | "leaderAddress">): Elsewhere {
  return ({ method, protocol, url }) => {
    if (isLeading()) return undefined;
    const leader = leaderAddress();
    // A caller that came by TLS goes on by TLS: all nodes have the same settings.
    if (leader !== undefined) return `${protocol}://${leader}${url}`;
    // Without a leader an old answer is better than none; it says that there is no leader.
    if (method === "GET") return undefined;
    throw fail("NOT_META_LEADER", { leader: "unknown" });
  };
}
