// The worlds of a seed with several nodes of each role.

import { drawConfig, drawWeather, LARGE_VERSIONS_MS, START_MS, YEAR_MS } from "./drawWorld.ts";
import type { Role } from "./facts.ts";
import { CLIENT_FAULTS, CLUSTER_FAULTS, type NodePlan, type Plan } from "./plan.ts";
import type { Dice } from "./random.ts";

// Most worlds are small: a run's work is its clients times their actions, and few nodes find most bugs that many find.
const MANY_CLIENTS_CHANCE = 0.06;
const LONG_CHANCE = 0.08;
const HOUR_CHANCE = 0.01;
const HOUR_MS = 3_600_000;
const HOUR_PACE = 60;
const RULES_CHANCE = 0.3;
// Not drawn: a further draw would change the worlds of all seeds.
const PAUSES_EVERY = 5;
const STEPS_DOWN_EVERY = 3;
const LEASES_EVERY = 10;
const PERSISTENT_EVERY = 6;
const STRANGERS_EVERY = 7;
const ACCESS_EVERY = 8;
const HTTP_EVERY = 10;
const LASTING_FAULTS: Plan["serverFaults"] = ["dataCut", "sessionCut", "metaCut"];
const LASTING_MS = 20_000;
// Each kind of trouble is on in few worlds; otherwise all worlds would be equally broken.
const FAULT_CHANCE = 0.22;

/** The plan of one seed. */
export function drawClusterPlan(dice: Dice): Plan {
  const isHour = dice.chance(HOUR_CHANCE);
  const isLong = !isHour && dice.chance(LONG_CHANCE);
  const nodes = isHour ? SMALL : drawNodes(dice);
  const clients = drawClients(dice, isHour);
  const services = dice.between(1, 10);
  const serverFaults = isHour ? [] : drawFaults(dice);
  // A fault that lasts longer than leases needs time to take effect.
  const moreMs = serverFaults.some((fault) => LASTING_FAULTS.includes(fault)) ? LASTING_MS : 0;
  const usualMs = moreMs + (isLong ? dice.between(60_000, 120_000) : dice.between(8_000, 25_000));
  // An hour has as many operations as seconds have otherwise.
  const pace = isHour ? HOUR_PACE : 1;
  const startMs = dice.chance(0.25) ? LARGE_VERSIONS_MS - 10_000 : START_MS + dice.below(YEAR_MS);
  return {
    topology: "cluster",
    startMs,
    nodes,
    clients,
    services,
    zones: dice.chance(0.3) ? ["Z1"] : ["Z1", "Z2", "Z3"],
    trafficMs: isHour ? HOUR_MS + usualMs : usualMs,
    operationMs: Math.ceil(
      ((isLong ? 5 : pace) * dice.between(60, 300) * Math.max(clients, 10)) / Math.min(services, 4) / 8,
    ),
    clientFaultMs: pace * dice.between(500, 6_000),
    serverFaultMs: dice.between(1_000, 10_000),
    clientFaults: CLIENT_FAULTS.filter(() => dice.chance(0.35)),
    serverFaults,
    sharedChance: dice.chance(0.15) ? 0.2 : 0,
    payloadChars: dice.chance(0.03) ? 12_000 : 0,
    weather: drawWeather(dice),
    linkWeather: {
      delayMs: dice.between(0, 6),
      spikeMs: dice.between(5, 300),
      spikeChance: dice.chance(0.5) ? 0.03 : 0,
      splitChance: 0.05,
      noticeMs: dice.between(0, 400),
    },
    clocks: { spreadMs: dice.pick([0, 50, 5_000, 120_000]), drift: dice.chance(0.3) ? 0.01 : 0.0001 },
    pauseMsMax: isLong ? 90_000 : dice.pick([1_000, 8_000, 30_000]),
    absenceMs: isHour ? HOUR_MS : 0,
    hasLeaving: dice.chance(0.3),
    config: drawClusterConfig(dice),
    meta: {
      slotCount: dice.chance(0.04) ? 256 : 16,
      memberLeaseMs: dice.pick([6_000, 20_000]),
      memberGoneMs: 1_000,
      leaderLeaseMs: dice.pick([2_000, 5_000]),
      slotReplicas: dice.chance(0.15) ? dice.pick([1, 3]) : 2,
      slotMovesMax: dice.pick([2, 8, 64]),
      dataNodesMin: dice.chance(0.15) ? Math.min(2, nodes.filter(({ roles }) => roles.includes("data")).length) : 0,
      configValuesMax: 1_000,
      configValueBytesMax: 1024 * 1024,
      configBytesMax: 64 * 1024 * 1024,
      firstTableDelayMs: 500,
    },
    asksCatalogue: dice.chance(0.5),
    asksAddresses: dice.chance(0.15),
    applications: dice.chance(0.25) ? dice.between(1, 4) : 0,
    asksSurveys: dice.chance(0.25),
    ...(dice.chance(RULES_CHANCE) && { ruledClients: dice.between(1, Math.ceil(clients / 2)) }),
    pausesSlots: startMs % PAUSES_EVERY === 0,
    hasLeases: startMs % LEASES_EVERY === 7,
    // An hour of probes, or of polls, takes too long.
    hasPersistent: !isHour && startMs % PERSISTENT_EVERY === 3,
    // Apart from those with registrations that stay, whose worlds they would change.
    hasHttpClients: !isHour && startMs % HTTP_EVERY === 3 && startMs % PERSISTENT_EVERY !== 3,
    stepsDown: startMs % STEPS_DOWN_EVERY === 1,
    hasAccess: !isHour && startMs % ACCESS_EVERY === 3,
    // They dial again and again, which an hour has too much of.
    hasStrangers: !isHour && startMs % STRANGERS_EVERY === 2,
  };
}

const SMALL: readonly NodePlan[] = [
  { machine: "m1", roles: ["meta"] },
  { machine: "d1", roles: ["data"] },
  { machine: "d2", roles: ["data"] },
  { machine: "s1", roles: ["session"] },
  { machine: "s2", roles: ["session"] },
];

function drawClients(dice: Dice, isHour: boolean): number {
  if (isHour) return dice.between(3, 8);
  return dice.chance(MANY_CLIENTS_CHANCE) ? dice.between(50, 200) : dice.between(5, 24);
}

function drawNodes(dice: Dice): NodePlan[] {
  const metas = dice.pick([1, 2, 3, 3]);
  const datas = dice.pick([1, 2, 3, 3, 4, 6]);
  const sessions = dice.pick([1, 2, 2, 3, 5]);
  // Some clusters run several roles in one process.
  if (dice.chance(0.1))
    return nodesOf("n", Math.max(datas, 2), ["data", "session"]).concat(nodesOf("m", metas, ["meta"]));
  return [...nodesOf("m", metas, ["meta"]), ...nodesOf("d", datas, ["data"]), ...nodesOf("s", sessions, ["session"])];
}

function nodesOf(prefix: string, count: number, roles: readonly Role[]): NodePlan[] {
  return Array.from({ length: count }, (_, at) => ({ machine: `${prefix}${at + 1}`, roles }));
}

function drawFaults(dice: Dice): Plan["serverFaults"] {
  const drawn = CLUSTER_FAULTS.filter(() => dice.chance(FAULT_CHANCE));
  return drawn.length === 0 ? [dice.pick(CLUSTER_FAULTS)] : drawn;
}

function drawClusterConfig(dice: Dice): Plan["config"] {
  return {
    ...drawConfig(dice),
    sessionLeaseMs: dice.pick([10_000, 10_000, 30_000]),
    lossProtectionPercent: dice.chance(0.15) ? 50 : 100,
  };
}
