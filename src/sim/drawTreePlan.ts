// The worlds of a seed in which clients of the ordered tree work: small clusters with all faults of clusters but one.
// A store that fails over to a copy without its last commits has lost what it had acknowledged, so the tree has, too.

import { drawClusterPlan } from "./drawClusterPlan.ts";
import type { NodePlan, Plan } from "./plan.ts";
import type { Dice } from "./random.ts";

const FAULTS_LEFT_OUT: Plan["serverFaults"] = ["storeFailOver"];
const LONG_CHANCE = 0.1;
// The faults that the tree has an answer of its own to are more frequent.
const MORE_CHANCE = 0.4;
const MORE_FAULTS: Plan["serverFaults"] = ["storeUnsure", "storeUnsure", "pause", "isolate"];

/** The plan of one seed. */
export function drawTreePlan(dice: Dice): Plan {
  const plan = drawClusterPlan(dice.fork());
  return {
    ...plan,
    nodes: drawNodes(dice),
    clients: 0,
    services: 1,
    trafficMs: dice.chance(LONG_CHANCE) ? dice.between(50_000, 80_000) : dice.between(12_000, 30_000),
    operationMs: 1_000,
    clientFaults: [],
    serverFaults: [
      ...plan.serverFaults.filter((fault) => !FAULTS_LEFT_OUT.includes(fault)),
      ...(dice.chance(MORE_CHANCE) ? MORE_FAULTS : []),
    ],
    serverFaultMs: dice.between(1_500, 8_000),
    payloadChars: 0,
    pauseMsMax: dice.pick([2_000, 8_000, 30_000]),
    absenceMs: 0,
    hasLeaving: false,
    meta: { ...plan.meta, slotCount: 16, dataNodesMin: 0 },
    applications: 0,
    pausesSlots: false,
    hasLeases: false,
    hasPersistent: false,
    stepsDown: dice.chance(0.3),
    hasStrangers: false,
    treeClients: dice.between(2, 8),
  };
}

function drawNodes(dice: Dice): NodePlan[] {
  const metas = dice.pick([1, 2]);
  const sessions = dice.pick([1, 2, 3, 3]);
  const named = (prefix: string, count: number, roles: NodePlan["roles"]) =>
    Array.from({ length: count }, (_, at) => ({ machine: `${prefix}${at + 1}`, roles }));
  // All roles in each process.
  if (dice.chance(0.2)) return named("n", Math.max(2, sessions), ["meta", "data", "session"]);
  return [...named("m", metas, ["meta"]), ...named("d", 1, ["data"]), ...named("s", sessions, ["session"])];
}
