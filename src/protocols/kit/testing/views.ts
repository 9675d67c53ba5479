// Views of nodes for tests: a cluster of one of each, and a data node without services.

import { camelCase } from "../../../base/keySpec.ts";
import { DYNAMIC_KEY_NAMES, DYNAMIC_KEYS, type DynamicValues } from "../../../model/dynamicKeys.ts";
import { nodeId } from "../../../model/ids.ts";
import { NO_RULES } from "../../../model/ruleSet.ts";
import type { ClusterNode, ClusterView, DataNodeView, MetaNodeView } from "../gateway.ts";

export const SESSION = nodeId("s1.a");
export const DATA = nodeId("d1.a");

const NODES: readonly ClusterNode[] = [
  { id: SESSION, role: "session", address: "192.0.2.1:9620", host: "192.0.2.1", clients: 2 },
  { id: DATA, role: "data", address: "192.0.2.2:9620", host: "192.0.2.2" },
  { id: undefined, role: "meta", address: "192.0.2.3:9620", host: "192.0.2.3" },
];

/** A cluster with two slots, as its nodes know it. */
export function clusterOf(changes: Partial<ClusterView> = {}): ClusterView {
  const slot = { leader: DATA, leaderEpoch: 8_160_566_385_082_368n, followers: [] };
  return {
    dataCenter: "DefaultDataCenter",
    zone: "DEFAULT_ZONE",
    version: "1.2.3",
    nodes: () => NODES,
    slotTable: () => ({ epoch: 8_160_566_385_737_729n, slots: [slot, slot] }),
    isFrozen: () => false,
    ...changes,
  };
}

/** The parts of a data node's view that have nothing in them. */
export const EMPTY_DATA: Pick<
  DataNodeView,
  "id" | "cluster" | "slotStates" | "datum" | "eachDatum" | "nowMs" | "leads" | "putPublication" | "removePublication"
> = {
  id: DATA,
  cluster: clusterOf(),
  slotStates: () => [],
  datum: () => undefined,
  eachDatum: async () => undefined,
  nowMs: () => 0,
  leads: () => true,
  putPublication: () => undefined,
  removePublication: () => undefined,
};

/** The settings that operators can change, at their defaults. */
const DEFAULTS = Object.fromEntries(
  DYNAMIC_KEY_NAMES.map((key) => [camelCase(key), DYNAMIC_KEYS[key].default]),
) as unknown as DynamicValues;

/** The parts of a meta node's view that have nothing in them. */
export const EMPTY_META: Pick<
  MetaNodeView,
  | "cluster"
  | "leader"
  | "slotStates"
  | "blockedNodes"
  | "blockNode"
  | "stepDown"
  | "slotPause"
  | "pauseSlots"
  | "arrangeSlots"
  | "rules"
  | "changeRules"
  | "settings"
> = {
  cluster: clusterOf(),
  leader: () => undefined,
  slotStates: () => [],
  blockedNodes: () => [],
  blockNode: async () => undefined,
  stepDown: async () => undefined,
  slotPause: () => undefined,
  pauseSlots: async () => undefined,
  arrangeSlots: async () => undefined,
  settings: () => DEFAULTS,
  rules: () => NO_RULES,
  changeRules: async () => undefined,
};
