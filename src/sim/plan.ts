// The description of one world. Seeds draw theirs by drawPlan.ts and drawClusterPlan.ts; a text scenario writes its
// own.

import type { DataOptions } from "../data/dataPorts.ts";
import type { MetaOptions } from "../meta/metaPorts.ts";
import type { SofaConfig } from "../protocols/sofa/environment.ts";
import type { SessionOptions } from "../session/sessionPorts.ts";
import type { Role } from "./facts.ts";
import type { Weather } from "./network/byteStream.ts";
import type { LinkWeather } from "./network/machineNetwork.ts";

/** `single`: all roles in one process. `split`: one of each, apart. `cluster`: several of each. */
export type Topology = "single" | "split" | "cluster";

/** The faults of clients. */
export const CLIENT_FAULTS = [
  "cut",
  "lateReturn",
  "kill",
  "vanish",
  "silence",
  "slowReader",
  "freeze",
  "usurp",
] as const;
/** Further faults in tight worlds: clients answer late, or are behind a line of a few KB a second. */
const LINE_FAULTS = ["answersLate", "narrowLine"] as const;
/** The faults of a small world's servers. */
export const SERVER_FAULTS = ["link", "dataRestart", "sessionRestart", "serverRestart", "store"] as const;
/** The faults of a cluster's nodes. */
export const CLUSTER_FAULTS = [
  "link",
  "crash",
  "crashAtMessage",
  "vanish",
  "pause",
  "isolate",
  "halves",
  "oneWay",
  "ring",
  "storeCut",
  "dataCut",
  "sessionCut",
  "metaCut",
  "delay",
  "storeDown",
  "storeSlow",
  "storeUnsure",
  "storeFailOver",
  "storeClock",
  "clock",
  "drain",
  "rolling",
  "copy",
  "storm",
  "dataLoss",
  "blackout",
] as const;

/** The moments of an aimed fault: a message of this kind was just sent, or this event has just happened. */
export const MOMENTS = [
  "publish",
  "taken",
  "notice",
  "fetch",
  "digests",
  "inventory",
  "wanted",
  "recall",
  "follow",
  "replica",
  "change",
  "table",
  "shown",
  "accepted",
  "takenBack",
  "lost",
  "holding",
] as const;
/** The blows to the two ends of the message under way. */
export const BLOWS = [
  "reset",
  "crash",
  "crashAtOnce",
  "stop",
  "pause",
  "part",
  "delay",
  "cutClient",
  "endClient",
  "changeClient",
] as const;

/** A fault that waits for its moment, and then for the next one. */
export interface Aim {
  readonly moment: (typeof MOMENTS)[number];
  readonly blow: (typeof BLOWS)[number];
  /** The pause between two blows. */
  readonly everyMs: number;
}

export type ClientFault = (typeof CLIENT_FAULTS)[number] | (typeof LINE_FAULTS)[number];
export type ServerFault = (typeof SERVER_FAULTS)[number] | (typeof CLUSTER_FAULTS)[number];

/** The budget of each session process. */
interface BudgetConfig {
  readonly memoryBytesMax: number;
  readonly clientBytesMax: number;
  readonly registrationsPerSecondMax: number;
}

export interface NodePlan {
  readonly machine: string;
  readonly roles: readonly Role[];
}

export interface Plan {
  readonly topology: Topology;
  readonly startMs: number;
  readonly nodes: readonly NodePlan[];
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
  /** Faults that are aimed at messages under way. */
  readonly aims?: readonly Aim[];
  /** The number of configuration values that change and are watched. */
  readonly configs?: number;
  /** The chance that a new publisher takes a registId that another client has. */
  readonly sharedChance: number;
  /** Publications are padded to this many characters. */
  readonly payloadChars: number;
  readonly weather: Weather;
  readonly linkWeather: LinkWeather;
  /**
   * Clocks of machines are off by up to `spreadMs`, and run too fast or too slow by up to `drift` (0.01 is one
   * percent).
   */
  readonly clocks: { readonly spreadMs: number; readonly drift: number };
  /** The longest pause of a process. */
  readonly pauseMsMax: number;
  /** The time for which one node is away at the end of the traffic; 0 for none. */
  readonly absenceMs: number;
  /** A data node leaves in order when all is well again. */
  readonly hasLeaving: boolean;
  /**
   * Operators take this many clients offline at times, the first ones, hold pushes and change settings; undefined for
   * no rules.
   */
  readonly ruledClients?: number;
  /** Sessions are asked which services there are. */
  readonly asksCatalogue?: boolean;
  /** Sessions are asked what is at the addresses of clients. */
  readonly asksAddresses?: boolean;
  /** The number of applications that register revisions, and whose instances name them. */
  readonly applications?: number;
  /** Sessions are asked what the clients of all sessions have. */
  readonly asksSurveys?: boolean;
  /** Operators have the leading meta node step down at times. */
  readonly stepsDown?: boolean;
  /** Clients without connections keep registrations by heartbeats. */
  readonly hasLeases?: boolean;
  /** Clients put registrations that stay, with checks. */
  readonly hasPersistent?: boolean;
  /** Operators change identities and policies, and programs try what they may do. */
  readonly hasAccess?: boolean;
  /** Clients of Eureka register and ask by HTTP. */
  readonly hasHttpClients?: boolean;
  /** Operators pause the arrangement of slots at times. */
  readonly pausesSlots?: boolean;
  /** The cluster has a secret, and processes that do not know it try to join all the time. */
  readonly hasStrangers?: boolean;
  /** The number of clients of the ordered tree; undefined: the nodes serve none. */
  readonly treeClients?: number;
  /** At the very end all clients go, and the world continues until nothing of them need be remembered. */
  readonly endsEmpty?: boolean;
  readonly config: SimConfig;
  readonly meta: Omit<MetaOptions, "id">;
}

/** The configuration of every data node and session. */
export type SimConfig = SofaConfig & BudgetConfig & Omit<SessionOptions & DataOptions, "id" | "address" | "isDataHere">;

/** The number of nodes with the role. */
export function countOf(plan: Plan, role: Role): number {
  return plan.nodes.filter(({ roles }) => roles.includes(role)).length;
}
