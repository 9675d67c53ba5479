// What one seed's world is like. Each kind of trouble is on in some seeds only: worlds in which everything happens at
// once hide what two kinds do together.

import type { DataOptions } from "../data/data.ts";
import type { SofaConfig } from "../gateways/sofa/environment.ts";
import type { SessionOptions } from "../session/session.ts";
import type { Weather } from "./network/byteStream.ts";
import type { LinkWeather } from "./network/link.ts";
import type { Dice } from "./random.ts";

/** `single`: all roles in one process. `split`: one of each, apart. `cluster`: several data and session nodes. */
export type Topology = "single" | "split" | "cluster";

/** What may happen to a client. */
export const CLIENT_FAULTS = ["cut", "lateReturn", "kill", "vanish", "silence", "slowReader"] as const;
/** What may happen to the servers. */
export const SERVER_FAULTS = ["link", "dataRestart", "sessionRestart", "serverRestart", "store"] as const;

export type ClientFault = (typeof CLIENT_FAULTS)[number];
export type ServerFault = (typeof SERVER_FAULTS)[number];

export interface Plan {
  readonly topology: Topology;
  readonly startMs: number;
  readonly sessions: number;
  readonly dataNodes: number;
  readonly clients: number;
  readonly services: number;
  readonly zones: readonly string[];
  readonly trafficMs: number;
  /** The mean time between two operations of the whole workload, and between two faults of each side. */
  readonly operationMs: number;
  readonly clientFaultMs: number;
  readonly serverFaultMs: number;
  readonly clientFaults: readonly ClientFault[];
  readonly serverFaults: readonly ServerFault[];
  /** How often a new publisher takes a registId that another client has. */
  readonly sharedChance: number;
  /** Publications are padded to so many characters. */
  readonly payloadChars: number;
  readonly weather: Weather;
  readonly linkWeather: LinkWeather;
  readonly config: SofaConfig & Omit<SessionOptions & DataOptions, "id">;
}

// (this - the epoch of versions) << 15 is 2^53: from here on a version does not fit a JavaScript number.
const LARGE_VERSIONS_MS = 1_821_149_906_944;
const YEAR_MS = 31_536_000_000;
const START_MS = 1_767_225_600_000;

/** The plan of one seed. */
export function drawPlan(dice: Dice, isCluster: boolean): Plan {
  const topology = isCluster ? "cluster" : dice.pick(["single", "split"] as const);
  const clients = dice.chance(0.15) ? dice.between(25, 60) : dice.between(10, 24);
  const services = dice.between(1, 8);
  const serverFaults = SERVER_FAULTS.filter((fault) => isPossible(fault, topology) && dice.chance(0.6));
  return {
    topology,
    startMs: dice.chance(0.25) ? LARGE_VERSIONS_MS - 10_000 : START_MS + dice.below(YEAR_MS),
    sessions: isCluster ? dice.between(2, 3) : 1,
    dataNodes: isCluster ? dice.between(1, 3) : 1,
    clients,
    services,
    zones: dice.chance(0.3) ? ["Z1"] : ["Z1", "Z2", "Z3"],
    trafficMs: dice.between(8_000, 20_000),
    // The work of a run is operations times the subscribers that hear of each.
    operationMs: Math.ceil((dice.between(30, 150) * clients) / Math.min(services, 4) / 8),
    clientFaultMs: dice.between(300, 3_000),
    serverFaultMs: dice.between(2_000, 8_000),
    clientFaults: CLIENT_FAULTS.filter(() => dice.chance(0.5)),
    serverFaults,
    sharedChance: dice.chance(0.2) ? 0.2 : 0,
    payloadChars: dice.chance(0.06) ? 12_000 : 0,
    weather: drawWeather(dice),
    linkWeather: topology === "single" ? STILL : drawLinkWeather(dice),
    config: drawConfig(dice),
  };
}

const STILL: LinkWeather = { delayMs: 0, spikeMs: 0, spikeChance: 0, noticeMs: 0 };

function isPossible(fault: ServerFault, topology: Topology): boolean {
  if (fault === "store") return true;
  return topology === "single" ? fault === "serverRestart" : fault !== "serverRestart";
}

function drawWeather(dice: Dice): Weather {
  return {
    delayMs: dice.between(0, 4),
    spikeMs: dice.between(5, 120),
    spikeChance: dice.chance(0.5) ? 0.02 : 0,
    splitChance: dice.chance(0.5) ? 0.3 : 0.02,
  };
}

function drawLinkWeather(dice: Dice): LinkWeather {
  return {
    delayMs: dice.between(0, 4),
    spikeMs: dice.between(5, 90),
    spikeChance: dice.chance(0.5) ? 0.03 : 0,
    noticeMs: dice.between(0, 400),
  };
}

function drawConfig(dice: Dice): Plan["config"] {
  return {
    dataCenter: "DefaultDataCenter",
    zone: "Z1",
    frameBytesMax: 16 * 1024 * 1024,
    clientIdleMs: 20_000,
    clientOutputBytesMax: 8 * 1024 * 1024,
    clientReturnGraceMs: 1_000,
    clientRegistrationsMax: 10_000,
    pushTimeoutMs: dice.pick([500, 2_000]),
    pushRetriesMax: dice.pick([0, 3]),
    pushWindowMaxMs: dice.pick([0, 1_000]),
    pushCompress: dice.chance(0.5),
    pushCompressBytesMin: dice.pick([0, 4_096]),
    sessionLeaseMs: dice.pick([10_000, 30_000]),
    versionScanIntervalMs: dice.pick([2_000, 5_000]),
    operatorLogEntries: dice.pick([0, 3, 30]),
    tombstoneMs: 180_000,
    restartHoldMs: dice.pick([8_000, 15_000]),
  };
}
