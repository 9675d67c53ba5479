// The measured target: Roster in one process, Roster in three, or a peer.

import type { ProtocolName } from "../protocols/protocols.ts";
import type { Address } from "../protocols/sockets.ts";

/** A process of the server under test. */
export interface ServerProcess {
  /** Its part: "server", or its role in a cluster. */
  readonly name: string;
  readonly pid: number;
  /** If it was started with the garbage collection hook. */
  readonly probeFile?: string;
}

/** How the server is to be started. */
export interface StartOptions {
  /** With bench/processes/gcHook.ts, where the server runs on Node. */
  readonly hasGcHook?: boolean;
  /** Resolve as soon as the process is there, not when it serves. */
  readonly isImpatient?: boolean;
}

export interface RunningTarget {
  readonly address: Address;
  readonly processes: readonly ServerProcess[];
  /** When the first of the processes was started, by the clock that all processes share. */
  readonly startedAtMs: number;
  /** Rejects if one of them ends before it is stopped, with the last that it wrote. */
  readonly failed: Promise<never>;
  /** Stops all and removes what they wrote. */
  stop(): Promise<void>;
}

export interface Target {
  /** The heading of its column. */
  readonly name: string;
  readonly protocol: ProtocolName;
  /** Whether it is Roster: only then do expectations hold, and only then is every workload run. */
  readonly isOurs: boolean;
  /** Of Roster: all roles in one process, each in its own, or meta and data alone. */
  readonly shape?: "process" | "cluster" | "data";
  /** Gets or builds what is needed, once. Rejects with a sentence if it can't be had. Returns what exactly it is. */
  prepare(): Promise<string>;
  start(options?: StartOptions): Promise<RunningTarget>;
  /** The size of an installation, without the runtime that it needs. */
  diskBytes(): number;
}
