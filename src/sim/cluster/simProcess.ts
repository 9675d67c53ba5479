// One run of a node: a process with its own id, on a machine with a disk. Its memory is lost with it, the disk stays.

import type { NodeId, ServiceKey } from "../../model/ids.ts";
import { nodeId } from "../../model/ids.ts";
import { Gate } from "../network/gate.ts";
import type { NetworkProcess } from "../network/nodeWire.ts";
import type { Scheduler } from "../scheduler.ts";
import { LocalQueue } from "./localQueue.ts";
import { type ClockError, type NodeTime, nodeTime } from "./nodeTime.ts";

/** A node's data directory. */
export interface Disk {
  /** The node's name, the first part of its id. */
  readonly name: string;
  versionFloor: bigint;
  readonly sizes: Map<ServiceKey, number>;
  /** The copy of identities and policies. */
  access: string;
}

export function emptyDisk(name: string): Disk {
  return { name, versionFloor: 0n, sizes: new Map(), access: "" };
}

export class SimProcess implements NetworkProcess {
  readonly machine: string;
  readonly id: NodeId;
  readonly disk: Disk;
  readonly gate = new Gate();
  readonly time: NodeTime;
  /** Messages between the roles of the process. */
  readonly local: LocalQueue;
  #isRunning = true;

  constructor(
    scheduler: Scheduler,
    { machine, disk, run, clock }: { machine: string; disk: Disk; run: number; clock: ClockError },
  ) {
    this.machine = machine;
    this.disk = disk;
    this.id = nodeId(`${disk.name}.${run}`);
    this.time = nodeTime(scheduler, this.gate, clock);
    this.local = new LocalQueue(this.gate, scheduler);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  end(): void {
    this.#isRunning = false;
    this.gate.close();
    this.local.close();
  }
}
