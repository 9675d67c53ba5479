// The HTTP port of the role meta: members, slots and blocked nodes; the protocols' paths, such as configuration that
// clients watch; and the common routes of every port.

import type { FastifyInstance } from "fastify";
import { type ClusterStatus, clusterRoutes } from "../../admin/clusterRoutes.ts";
import { type HeldStatus, heldRoutes } from "../../admin/heldRoutes.ts";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import { fail } from "../../base/errors.ts";
import type { MetaNodeView } from "../../protocols/kit/gateway.ts";
import type { LoadedGateway } from "../loadGateways.ts";
import type { Elsewhere } from "./bindRoutes.ts";
import { roleHttp } from "./roleHttp.ts";

/** The view of the role meta that the routes need. */
export interface MetaStatus extends ProcessStatus, ClusterStatus, Omit<MetaNodeView, "notReady" | "hasSlotTable"> {
  readonly isReady: () => boolean;
  /** The role data of the same process, if it has no port of its own. */
  readonly held: HeldStatus | undefined;
}

export function metaHttp(status: MetaStatus, gateways: readonly LoadedGateway[]): FastifyInstance {
  const { isLeading, held } = status;
  const hasSlotTable = () => status.slotTable() !== undefined;
  /** The reason why the cluster can't be changed through this node; the existing state remains in force. */
  const notReady = () => {
    if (!status.isStoreReachable()) return "the store does not answer";
    if (!status.isReady()) return "no meta node leads";
    return isLeading() && !hasSlotTable() ? "no slot table yet" : undefined;
  };
  return roleHttp({
    protocols: gateways.map(({ code }) => code.metaRoutes?.({ ...status, hasSlotTable, notReady })),
    own: [
      ...clusterRoutes(status),
      ...processRoutes(status, notReady),
      ...(held === undefined ? [] : heldRoutes(held)),
    ],
    elsewhere: leaderOf(status),
  });
}

/**
 * Only the leading meta node can change anything, and knows the stored state: callers of another one are redirected to
 * it.
 */
function leaderOf({ isLeading, leaderAddress }: ClusterStatus): Elsewhere {
  return ({ method, url }) => {
    if (isLeading()) return undefined;
    const leader = leaderAddress();
    if (leader !== undefined) return `http://${leader}${url}`;
    // Without a leader an old answer is better than none; it says that there is no leader.
    if (method === "GET") return undefined;
    throw fail("NOT_META_LEADER", { leader: "unknown" });
  };
}
