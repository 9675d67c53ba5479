// The messages between the coordinator and a driver.

import type { Figure } from "../figures.ts";
import type { Protocol, PushEncoding } from "../protocols/protocol.ts";
import type { ProtocolName } from "../protocols/protocols.ts";
import type { Address } from "../protocols/sockets.ts";
import type { ServerProcess } from "../targets/target.ts";

/** The workloads, each with what can be varied. */
export type Job =
  | { readonly kind: "w1"; readonly subscribers: number; readonly encoding: PushEncoding }
  | { readonly kind: "w2"; readonly instances: number; readonly services: number; readonly connections: number }
  | { readonly kind: "w2-java"; readonly instances: number; readonly services: number; readonly clients: number }
  | { readonly kind: "w3" | "w3-data"; readonly instances: number; readonly services: number }
  | { readonly kind: "w4"; readonly subscribers: number; readonly encoding: PushEncoding }
  | { readonly kind: "w5" }
  | { readonly kind: "example"; readonly subscribers: number; readonly services: number; readonly instances: number }
  | { readonly kind: "fair"; readonly subscribers: number; readonly encoding: PushEncoding }
  | { readonly kind: "slow"; readonly subscribers: number }
  | { readonly kind: "steady"; readonly subscribers: number };

export interface Task {
  readonly job: Job;
  /** The target's name, and the checkout of which it is one. */
  readonly target: string;
  readonly root: string;
  readonly protocol: ProtocolName;
  /** Of the server that was started; W5 starts its own. */
  readonly address: Address;
  readonly processes: readonly ServerProcess[];
}

/** A driver's view of its task. */
export interface Bench extends Omit<Task, "job" | "protocol"> {
  readonly protocol: Protocol;
  readonly pids: readonly number[];
}

export type Answer =
  | { readonly kind: "figures"; readonly figures: readonly Figure[] }
  | { readonly kind: "failed"; readonly reason: string };
