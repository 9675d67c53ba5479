import type { Cluster } from "../cluster/cluster.ts";
import type { SimNode } from "../cluster/simNode.ts";

/** The sessions that take connections of clients by HTTP; one that stands still does, too. */
export function sessionsByHttp(cluster: Cluster): readonly SimNode[] {
  return cluster
    .nodesOf("session")
    .filter(({ isListening, session }) => isListening && session?.gateways !== undefined);
}
