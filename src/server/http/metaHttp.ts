// The HTTP port of the role meta: configuration that clients watch; members, slots, and nodes that are shut out; and
// what every port has.

import type { FastifyInstance } from "fastify";
import { type ClusterStatus, clusterRoutes } from "../../admin/clusterRoutes.ts";
import { type HeldStatus, heldRoutes } from "../../admin/heldRoutes.ts";
import { type ProcessStatus, processRoutes } from "../../admin/processRoutes.ts";
import { fail } from "../../base/errors.ts";
import { type ConfigStatus, configRoutes } from "../../protocols/sofa/http/configRoutes.ts";
import { metaHealthRoute } from "../../protocols/sofa/http/healthRoutes.ts";
import { refusal } from "../../protocols/sofa/http/refusal.ts";
import { bindRoutes, type Elsewhere } from "./bindRoutes.ts";
import { createHttp } from "./listen.ts";

/** What the routes ask of the role meta. */
export interface MetaStatus extends ProcessStatus, ClusterStatus, ConfigStatus {
  readonly isStoreReachable: () => boolean;
  readonly isReady: () => boolean;
  /** The role data of the same process, if it has no port of its own. */
  readonly held: HeldStatus | undefined;
}

export function metaHttp(status: MetaStatus): FastifyInstance {
  const app = createHttp();
  const { isLeading, held } = status;
  const hasSlotTable = () => status.slotTable() !== undefined;
  /** Why the cluster can't be changed through this node; what is there goes on without it. */
  const notReady = () => {
    if (!status.isStoreReachable()) return "the store does not answer";
    if (!status.isReady()) return "no meta node leads";
    return isLeading() && !hasSlotTable() ? "no slot table yet" : undefined;
  };
  const routes = [
    ...configRoutes(status),
    metaHealthRoute({ ...status, hasSlotTable, notReady }),
    ...clusterRoutes(status),
    ...processRoutes(status, notReady),
    ...(held === undefined ? [] : heldRoutes(held)),
  ];
  bindRoutes(app, { routes, refusal }, leaderOf(status));
  return app;
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
