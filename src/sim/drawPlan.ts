// The small worlds of a seed: one process with all roles, or one of each. Each kind of trouble is on in some seeds
// only: worlds in which everything happens at once hide the combined effect of two kinds.

import { drawConfig, drawWeather, LARGE_VERSIONS_MS, START_MS, STILL, YEAR_MS } from "./drawWorld.ts";
import type { LinkWeather } from "./network/machineNetwork.ts";
import { CLIENT_FAULTS, type NodePlan, type Plan, SERVER_FAULTS, type ServerFault, type Topology } from "./plan.ts";
import type { Dice } from "./random.ts";

const SLOT_COUNT = 16;
const DATA_OFFSET_MS = 60_000;

/** The plan of one seed. */
export function drawPlan(dice: Dice): Plan {
  const topology = dice.pick(["single", "split"] as const);
  const clients = dice.chance(0.15) ? dice.between(25, 60) : dice.between(10, 24);
  const services = dice.between(1, 8);
  return {
    topology,
    startMs: dice.chance(0.25) ? LARGE_VERSIONS_MS - 10_000 : START_MS + dice.below(YEAR_MS),
    nodes: topology === "single" ? SINGLE : SPLIT,
    clients,
    services,
    zones: dice.chance(0.3) ? ["Z1"] : ["Z1", "Z2", "Z3"],
    trafficMs: dice.between(8_000, 20_000),
    // The work of a run is operations times the subscribers that hear of each.
    operationMs: Math.ceil((dice.between(30, 150) * clients) / Math.min(services, 4) / 8),
    clientFaultMs: dice.between(300, 3_000),
    serverFaultMs: dice.between(2_000, 8_000),
    clientFaults: CLIENT_FAULTS.filter(() => dice.chance(0.5)),
    serverFaults: SERVER_FAULTS.filter((fault) => isPossible(fault, topology) && dice.chance(0.6)),
    sharedChance: dice.chance(0.2) ? 0.2 : 0,
    payloadChars: dice.chance(0.06) ? 12_000 : 0,
    weather: drawWeather(dice),
    linkWeather: topology === "single" ? STILL : drawLinkWeather(dice),
    clocks: { spreadMs: DATA_OFFSET_MS, drift: 0 },
    pauseMsMax: 0,
    absenceMs: 0,
    hasLeaving: false,
    config: drawConfig(dice),
    meta: META,
    asksCatalogue: dice.chance(0.2),
    asksAddresses: dice.chance(0.15),
    applications: dice.chance(0.25) ? dice.between(1, 4) : 0,
    asksSurveys: dice.chance(0.15),
  };
}

const SINGLE: readonly NodePlan[] = [{ machine: "n1", roles: ["meta", "data", "session"] }];
const SPLIT: readonly NodePlan[] = [
  { machine: "m1", roles: ["meta"] },
  { machine: "d1", roles: ["data"] },
  { machine: "s1", roles: ["session"] },
];

const META: Plan["meta"] = {
  slotCount: SLOT_COUNT,
  memberLeaseMs: 20_000,
  memberGoneMs: 1_000,
  leaderLeaseMs: 5_000,
  slotReplicas: 2,
  slotMovesMax: 8,
  dataNodesMin: 0,
  configValuesMax: 1_000,
  configValueBytesMax: 1024 * 1024,
  configBytesMax: 64 * 1024 * 1024,
  firstTableDelayMs: 0,
};

function isPossible(fault: ServerFault, topology: Topology): boolean {
  if (fault === "store") return true;
  return topology === "single" ? fault === "serverRestart" : fault !== "serverRestart";
}

function drawLinkWeather(dice: Dice): LinkWeather {
  return {
    delayMs: dice.between(0, 4),
    spikeMs: dice.between(5, 90),
    spikeChance: dice.chance(0.5) ? 0.03 : 0,
    splitChance: 0.05,
    noticeMs: dice.between(0, 400),
  };
}
