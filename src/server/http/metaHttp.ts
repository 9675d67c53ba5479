// The HTTP port of the role meta: members, slots, and nodes that are shut out; what protocols have there, as
// configuration that clients watch; and what every port has.

import type { FastifyInstance } from "fastify";
import { type ClusterStatus, clusterRoutes } from "../../admin/clusterRoutes.ts";
import { type HeldStatus, heldRoutes } from "../../admin/heldRoutes.ts";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import { fail } from "../../base/errors.ts";
import type { MetaNode } from "../../protocols/kit/gateway.ts";
import type { LoadedGateway } from "../loadGateways.ts";
import type { Elsewhere } from "./bindRoutes.ts";
import { roleHttp } from "./roleHttp.ts";

/** What the routes ask of the role meta. */
export interface MetaStatus extends ProcessStatus, ClusterStatus, Omit<MetaNode, "notReady" | "hasSlotTable"> {
  readonly isReady: () => boolean;
  /** The role data of the same process, if it has no port of its own. */
  readonly held: HeldStatus | undefined;
}

export function metaHttp(status: MetaStatus, gateways: readonly LoadedGateway[]): FastifyInstance {
  const { isLeading, held } = status;
  const hasSlotTable = () => status.slotTable() !== undefined;
  /** Why the cluster can't be changed through this node; what is there goes on without it. */
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

/** Only the meta node that leads can change anything, and knows what is stored: who asks another one is sent there. */
function leaderOf({ isLeading, leaderAddress }: ClusterStatus): Elsewhere {
  return ({ method, url }) => {
    if (isLeading()) return undefined;
    const leader = leaderAddress();
    if (leader !== undefined) return `http://${leader}${url}`;
    // Without a leader an old answer to a question is better than none; it says that nobody leads.
    if (method === "GET") return undefined;
    throw fail("NOT_META_LEADER", { leader: "unknown" });
  };
}
