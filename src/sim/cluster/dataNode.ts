// A data node: its memory is lost with its process, its disk stays.

import { noMetrics } from "../../base/metrics.ts";
import { Stepper } from "../../base/stepper.ts";
import { Data, type DataEvent } from "../../data/data.ts";
import type { MemberToMeta } from "../../messages/membership.ts";
import type { DataToSession } from "../../messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../../model/ids.ts";
import { bug, type SimEnvironment } from "./environment.ts";
import { BOOT_MS, nodeTime } from "./nodeTime.ts";

export interface DataNodePorts {
  toMeta(message: MemberToMeta): void;
  toSession(to: NodeId, message: DataToSession): void;
}

export class DataNode {
  readonly id: NodeId;
  readonly #environment: SimEnvironment;
  readonly #ports: DataNodePorts;
  readonly #sizes = new Map<DataInfoId, number>();
  #versionFloor = 0n;
  #data: Data | undefined;
  #host: Stepper<DataEvent> | undefined;

  constructor(id: NodeId, environment: SimEnvironment, ports: DataNodePorts) {
    this.id = id;
    this.#environment = environment;
    this.#ports = ports;
  }

  get isRunning(): boolean {
    return this.#host !== undefined;
  }

  start(offsetMs: number): void {
    const { plan, scheduler, record } = this.#environment;
    record({ kind: "started", node: this.id, role: "data" });
    const memory = { versionFloor: this.#versionFloor, serviceSizes: new Map(this.#sizes) };
    this.#data = new Data({ ...plan.config, id: this.id }, memory, {
      metrics: noMetrics,
      nowMs: scheduler.nowMs + offsetMs,
      output: {
        toMeta: (message) => this.#ports.toMeta(message),
        send: (to, message) => {
          record({ kind: "told", from: this.id, to, message });
          this.#ports.toSession(to, message);
        },
        saveVersionFloor: (floor) => {
          if (floor > this.#versionFloor) this.#versionFloor = floor;
        },
        saveServiceSizes: (changed) => this.#saveSizes(changed),
      },
    });
    const failed = (error: unknown) => bug(this.#environment, this.id, error);
    this.#host = new Stepper<DataEvent>(this.#data, { ...nodeTime(scheduler, offsetMs), failed });
    const host = this.#host;
    scheduler.after(BOOT_MS, () => host.step({ kind: "woken" }));
  }

  /** An orderly stop saves what is only in memory, a kill does not. */
  stop(isOrderly: boolean): void {
    if (isOrderly) this.#data?.flush();
    this.#host?.close();
    this.#host = undefined;
    this.#environment.record({ kind: "stopped", node: this.id, role: "data" });
  }

  step(event: DataEvent): void {
    this.#host?.step(event);
  }

  #saveSizes(changed: ReadonlyMap<DataInfoId, number>): void {
    for (const [dataInfoId, size] of changed) {
      if (size === 0) this.#sizes.delete(dataInfoId);
      else this.#sizes.set(dataInfoId, size);
    }
  }
}
