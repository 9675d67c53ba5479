// The data role in a simulated process: the counterpart of server/dataHost.ts, on virtual time.

import { noMetrics } from "../../base/metrics.ts";
import { Stepper } from "../../base/stepper.ts";
import type { DataLinkEvent } from "../../cluster/links/roleEvents.ts";
import { Data } from "../../data/data.ts";
import type { DataEvent, DataOutput, MadeVersion } from "../../data/dataPorts.ts";
import { type HandOverState, isAlone } from "../../data/handOver.ts";
import { leftovers, unfinished } from "../../data/unfinished.ts";
import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { isOfKept } from "../keptServices.ts";
import { isOfLeases } from "../leaseServices.ts";
import { addressOf } from "../network/machineNetwork.ts";
import { Dice } from "../random.ts";
import { bug, type MemberEnvironment } from "./environment.ts";
import type { SimProcess } from "./simProcess.ts";

// It decides only the place of an entry in a table.
const HASH_SEED = 1;

export class DataHost {
  readonly #environment: MemberEnvironment;
  readonly #process: SimProcess;
  readonly #data: Data;
  readonly #stepper: Stepper<DataEvent>;

  constructor(environment: MemberEnvironment, process: SimProcess) {
    this.#environment = environment;
    this.#process = process;
    const { plan, record } = environment;
    const { id, time } = process;
    record({ kind: "started", node: id, role: "data", machine: process.machine });
    const { versionFloor, sizes } = process.disk;
    this.#data = new Data(
      { ...plan.config, id, address: addressOf(process.machine) },
      { versionFloor, serviceSizes: new Map(sizes) },
      { metrics: noMetrics, random: new Dice(HASH_SEED), nowMs: time.clock.nowMs(), output: this.#output() },
    );
    const failed = (error: unknown) => bug(environment, id, error);
    this.#stepper = new Stepper<DataEvent>(this.#data, { ...time, failed });
  }

  /** Slots that it leads or follows: a node that is told to stop has not handed these over yet. */
  get slotsKept(): number {
    return this.#data.slotsKept;
  }

  /** The state that decides whether it may end. */
  get handOverState(): HandOverState {
    const { slotsKept, slotTable } = this.#data;
    return { slotsKept, epoch: slotTable?.epoch, hasMeta: this.#environment.links.hasMeta };
  }

  /** Tells it to stop. Returns false if no other node could take over. */
  leave(): boolean {
    if (isAlone(this.#data.slotTable, this.#process.id)) return false;
    this.step({ kind: "leave" });
    return true;
  }

  /** It serves every slot that it leads. */
  get isServing(): boolean {
    return this.#data.isServing;
  }

  /** Slots of which it holds a whole copy. */
  get slotsInSync(): number {
    return this.#data.slotsInSync;
  }

  /** Services whose lists are held against a loss. */
  get held(): readonly ServiceKey[] {
    return this.#data.heldLosses.map(({ serviceKey }) => serviceKey);
  }

  unfinished(): Iterable<string> {
    return unfinished(this.#data.parts);
  }

  leftovers(): Iterable<string> {
    return leftovers(this.#data.parts);
  }

  step(event: DataEvent): void {
    this.#stepper.step(event);
  }

  /** Steps the role with an event of the process's links. */
  heard(event: DataLinkEvent): void {
    const { record } = this.#environment;
    const { id } = this.#process;
    switch (event.kind) {
      case "fromMeta":
        record({ kind: "learned", node: id, role: "data", message: event.message });
        break;
      case "leaderUp":
      case "leaderDown":
        record({ kind: "followerLink", follower: id, leader: event.node, isUp: event.kind === "leaderUp" });
        break;
      case "sessionUp":
      case "sessionDown":
        record({ kind: "sessionLink", data: id, session: event.session, isUp: event.kind === "sessionUp" });
        break;
      default:
    }
    this.step(event);
    if (event.kind !== "fromMeta" || event.message.kind !== "rules") return;
    record({ kind: "settings", node: id, role: "data", settings: this.#data.settings });
  }

  /** The process ends; an orderly end saves the state that is only in memory, a kill does not. */
  close(isOrderly: boolean): void {
    if (isOrderly) this.#data.flush();
    this.#stepper.close();
    this.#environment.record({ kind: "stopped", node: this.#process.id, role: "data" });
  }

  #output(): DataOutput {
    const { record, refused, links } = this.#environment;
    const process = this.#process;
    const { id, disk } = process;
    const { toMeta, toSession, toLeader, toFollower, linkLeaders } = links.dataOutput;
    // A process may be killed in the middle of a step: none of its remaining effects happen.
    return {
      toMeta: (message) => {
        if (!process.isRunning) return;
        if (message.kind === "heartbeat") record({ kind: "heartbeat", from: id, message });
        toMeta(message);
      },
      toSession: (to, message) => {
        if (!process.isRunning) return;
        record({ kind: "told", from: id, to, message });
        toSession(to, message);
      },
      toLeader: (to, message) => {
        if (!process.isRunning) return;
        record({ kind: "followed", from: id, to, message });
        toLeader(to, message);
      },
      toFollower: (to, message) => {
        if (!process.isRunning) return;
        record({ kind: "replicated", from: id, to, message });
        toFollower(to, message);
      },
      linkLeaders,
      // Clocks here are at most hours apart.
      versionRefused: ({ what, version }) => bug(this.#environment, id, `${what}: version ${version} was not believed`),
      contested: () => undefined,
      clockBehind: (behindMs) => bug(this.#environment, id, `its clock is ${behindMs} ms behind`),
      versionMade: (made) => {
        if (!process.isRunning || !(isOfLeases(made.serviceKey) || isOfKept(made.serviceKey))) return;
        for (const fact of leaseFacts(id, made)) record(fact);
      },
      refused: (reason) => refused(process, "data", reason),
      saveVersionFloor: (floor) => {
        if (process.isRunning && floor > disk.versionFloor) disk.versionFloor = floor;
      },
      saveServiceSizes: (changed) => {
        if (process.isRunning) saveSizes(disk.sizes, changed);
      },
    };
  }
}

/** The registrations kept by heartbeats that look otherwise in this version. */
function leaseFacts(node: NodeId, { serviceKey: service, changes }: MadeVersion): Fact[] {
  return changes.map((change) => {
    if (change.kind === "removed")
      return { kind: "leaseMade", node, service, registId: change.registId, shown: "gone" };
    const { registId, condition } = change.publication;
    const shown = condition?.isHealthy === false ? "unhealthy" : "healthy";
    return { kind: "leaseMade", node, service, registId, shown };
  });
}

function saveSizes(sizes: Map<ServiceKey, number>, changed: ReadonlyMap<ServiceKey, number>): void {
  for (const [serviceKey, size] of changed) {
    if (size === 0) sizes.delete(serviceKey);
    else sizes.set(serviceKey, size);
  }
}
