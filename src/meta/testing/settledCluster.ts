// A cluster that has come to rest: the start of most stories of the meta role.

import { assert, defined } from "../../base/assert.ts";
import { MetaCluster, type MetaNode, type OPTIONS } from "./metaCluster.ts";

/** Two meta nodes, of which the first leads, three data nodes and two sessions. */
export function settledCluster(options: Partial<typeof OPTIONS> = {}): MetaCluster {
  const cluster = new MetaCluster(options);
  cluster.startMeta("m1.a");
  cluster.run(100);
  cluster.startMeta("m2.a");
  cluster.start("data", "d1.a", "d2.a", "d3.a");
  cluster.start("session", "s1.a", "s2.a");
  cluster.run(10_000);
  assert(cluster.store.tables.length === 1, "the first table is balanced");
  return cluster;
}

export function leaderOf(cluster: MetaCluster): MetaNode {
  return defined(cluster.leader, "somebody leads");
}

/** The epochs of all tables that were stored. */
export function epochsOf({ store }: MetaCluster): bigint[] {
  return store.tables.map(({ table }) => table.epoch);
}
