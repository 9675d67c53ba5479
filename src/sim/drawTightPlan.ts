// Tight worlds: two data nodes, one or two sessions, one or two services in four slots, a handful of clients, and
// faults aimed at the messages under way (faults/aimedFaults.ts). They cost a tenth of a cluster, so hundreds of them
// find the bugs that thousands of large ones find by luck.
//
// In a calm world clients answer, and scans and comparisons come only every few minutes, after the last look: nothing
// heals the effects of a lost notice, retry or wake-up. In the other worlds clients are slow, late or silent. Half of
// those continue until all clients are gone and every removal is forgotten: nothing of them may be left then.

import { drawConfig, drawWeather, LARGE_VERSIONS_MS, START_MS, YEAR_MS } from "./drawWorld.ts";
import { type Aim, BLOWS, type ClientFault, MOMENTS, type NodePlan, type Plan } from "./plan.ts";
import type { Dice } from "./random.ts";

const AIMS_MAX = 3;
// Later than the end of the world.
const CALM_INTERVAL_MS = 600_000;
// A client may want four publishers, three subscribers and two values.
const FEW_REGISTRATIONS = 5;
const PAYLOAD_CHARS = 2_000;
// In some calm worlds clients are slow all the same: the lists owed to them must come without a scan.
const SLOW_CHANCE = 0.5;
// A world that ends empty lasts as long as three others.
const EMPTY_CHANCE = 0.5;

const CALM_FAULTS: readonly ClientFault[] = ["cut", "lateReturn", "kill", "vanish", "usurp"];
const SLOW_FAULTS: readonly ClientFault[] = ["slowReader", "freeze", "silence"];
const ROUGH_FAULTS: readonly ClientFault[] = ["cut", "slowReader", "freeze", "answersLate", "narrowLine", "silence"];

/** The plan of one seed. */
export function drawTightPlan(dice: Dice): Plan {
  const isCalm = dice.chance(0.5);
  const areFew = dice.chance(0.15);
  const plan = drawTightWorld(dice, { isCalm, areFew });
  const slow = isCalm && dice.chance(SLOW_CHANCE) ? SLOW_FAULTS.filter(() => dice.chance(0.6)) : [];
  // Where scans are frequent, losses with a link are forgotten soon; elsewhere only after hours.
  const endsEmpty = !isCalm && dice.chance(EMPTY_CHANCE);
  return { ...plan, clientFaults: [...plan.clientFaults, ...slow], endsEmpty };
}

function drawTightWorld(dice: Dice, { isCalm, areFew }: { isCalm: boolean; areFew: boolean }): Plan {
  return {
    topology: "cluster",
    startMs: dice.chance(0.25) ? LARGE_VERSIONS_MS - 10_000 : START_MS + dice.below(YEAR_MS),
    nodes: dice.chance(0.6) ? [...NODES, { machine: "s2", roles: ["session"] }] : NODES,
    clients: dice.between(3, 7),
    services: dice.between(1, 2),
    zones: dice.chance(0.5) ? ["Z1"] : ["Z1", "Z2"],
    trafficMs: dice.between(6_000, 10_000),
    operationMs: dice.between(60, 300),
    clientFaultMs: dice.between(800, 4_000),
    serverFaultMs: 1,
    clientFaults: (isCalm ? CALM_FAULTS : ROUGH_FAULTS).filter(() => dice.chance(0.4)),
    serverFaults: [],
    aims: Array.from({ length: dice.between(1, AIMS_MAX) }, () => drawAim(dice)),
    configs: dice.chance(0.5) ? 2 : 0,
    sharedChance: dice.chance(0.1) ? 0.2 : 0,
    payloadChars: dice.chance(0.25) ? PAYLOAD_CHARS : 0,
    weather: drawWeather(dice),
    // Long enough that a message is under way most of the time.
    linkWeather: {
      delayMs: dice.between(1, 20),
      spikeMs: 100,
      spikeChance: dice.pick([0, 0.05]),
      splitChance: 0.1,
      noticeMs: 200,
    },
    clocks: { spreadMs: dice.pick([0, 50, 5_000, 120_000]), drift: 0.0001 },
    pauseMsMax: 8_000,
    absenceMs: 0,
    hasLeaving: dice.chance(0.2),
    config: { ...drawTimes(dice, isCalm), ...(areFew && { clientRegistrationsMax: FEW_REGISTRATIONS }) },
    meta: {
      slotCount: 4,
      memberLeaseMs: 6_000,
      memberGoneMs: 1_000,
      leaderLeaseMs: 2_000,
      slotReplicas: 2,
      slotMovesMax: dice.pick([2, 8]),
      dataNodesMin: 0,
      configValuesMax: 1_000,
      configValueBytesMax: 1024 * 1024,
      configBytesMax: 64 * 1024 * 1024,
      firstTableDelayMs: 500,
    },
  };
}

const NODES: readonly NodePlan[] = [
  { machine: "m1", roles: ["meta"] },
  { machine: "d1", roles: ["data"] },
  { machine: "d2", roles: ["data"] },
  { machine: "s1", roles: ["session"] },
];

function drawAim(dice: Dice): Aim {
  return { moment: dice.pick(MOMENTS), blow: dice.pick(BLOWS), everyMs: dice.between(400, 4_000) };
}

function drawTimes(dice: Dice, isCalm: boolean): Plan["config"] {
  const config = drawConfig(dice);
  return {
    ...config,
    clientMuteIdleMs: 25_000,
    sessionLeaseMs: 10_000,
    restartHoldMs: 8_000,
    pushWindowMaxMs: isCalm ? 0 : config.pushWindowMaxMs,
    versionScanIntervalMs: isCalm ? CALM_INTERVAL_MS : 2_000,
    digestIntervalMs: isCalm ? CALM_INTERVAL_MS : 3_000,
    lossProtectionPercent: dice.chance(0.15) ? 50 : 100,
    lossProtectionMaxMs: 10_000,
  };
}
