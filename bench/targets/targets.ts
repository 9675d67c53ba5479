// Everything that can be measured, by name.

import { etcd } from "../peers/etcd.ts";
import { nacos } from "../peers/nacos.ts";
import { sofaregistry } from "../peers/sofaregistry.ts";
import { zookeeper } from "../peers/zookeeper.ts";
import { floor } from "./floor.ts";
import { roster, rosterBy, rosterCluster, rosterData } from "./roster.ts";
import type { Target } from "./target.ts";

const PEERS = {
  sofaregistry,
  nacos,
  "roster-nacos": (root: string) => rosterBy("nacos", root),
  zookeeper,
  "roster-zookeeper": (root: string) => rosterBy("zookeeper", root),
  etcd,
  floor,
} as const satisfies Record<string, (root: string) => Target>;

export type PeerName = keyof typeof PEERS;

/** The names of the peers, as `--peer` takes them. */
export const PEER_NAMES = Object.keys(PEERS) as readonly PeerName[];

export interface Chosen {
  readonly root: string;
  readonly peers: readonly PeerName[];
}

/** Roster in one process first, since it is what the others are compared with; then in three, then the peers. */
export function chosenTargets({ root, peers }: Chosen): Target[] {
  return [roster(root), rosterCluster(root), rosterData(root), ...peers.map((name) => PEERS[name](root))];
}

/** The target with this heading. Throws if there is none. */
export function targetNamed(name: string, root: string): Target {
  const found = chosenTargets({ root, peers: PEER_NAMES }).find((target) => target.name === name);
  if (found === undefined) throw new Error(`no target ${name}`);
  return found;
}
