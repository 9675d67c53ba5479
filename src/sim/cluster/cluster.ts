// The servers of one world: the real roles in simulated processes on simulated machines, one store, and the network
// between them. This class offers the possible faults; faults and scenarios decide which happen, and when.

import type { Cancel } from "../../base/ports.ts";
import type { MemberAddress } from "../../cluster/messages/membership.ts";
import { CLUSTER_RECORD, type ClusterConstants, encodeRecord } from "../../meta/metaRecords.ts";
import { RecordTable } from "../../records/recordTable.ts";
import type { Fact, Role } from "../facts.ts";
import { addressOf, MachineNetwork, type Way } from "../network/machineNetwork.ts";
import type { SimEnvironment } from "./environment.ts";
import type { ClockError } from "./nodeTime.ts";
import { type End, type NodeEnvironment, SimNode } from "./simNode.ts";
import { type Disk, emptyDisk, type SimProcess } from "./simProcess.ts";
import { STORE, Store } from "./store.ts";
import { Strangers } from "./strangers.ts";

// A supervisor restarts a process that the cluster refused after this time.
const REFUSED_RESTART_MS = 3_000;
const SESSION_OFFSET_MS = 50;
const CLUSTER_NAME = "cluster";

/** Ways that are blocked, and the further cuts that end with this one. */
interface OpenCut {
  readonly ways: readonly Way[];
  readonly further: Cancel[];
}

export class Cluster {
  readonly network: MachineNetwork;
  readonly store: Store;
  readonly #environment: NodeEnvironment;
  readonly #nodes: SimNode[] = [];
  readonly #outsides = new Map<string, number>();
  // Copies of a data directory that an operator started by mistake.
  readonly #copies = new Set<SimNode>();
  readonly #open = new Set<OpenCut>();
  #runs = 0;
  #cuts = 0;
  #slows = 0;
  #isHealed = false;

  constructor(environment: SimEnvironment) {
    const { plan, scheduler, dice } = environment;
    this.network = new MachineNetwork({ scheduler, dice: dice.fork(), weather: plan.linkWeather });
    const constants = { name: CLUSTER_NAME, slotCount: plan.meta.slotCount };
    this.store = new Store(this.network, storeOf(constants));
    this.#environment = {
      ...environment,
      clusterName: CLUSTER_NAME,
      metaAddresses: plan.nodes.flatMap(({ machine, roles }) => (roles.includes("meta") ? [addressOf(machine)] : [])),
      store: this.store,
      network: this.network,
      refused: (process, role, reason) => this.#refused(process, role, reason),
    };
    for (const { machine, roles } of plan.nodes) this.addNode(machine, roles);
  }

  get nodes(): readonly SimNode[] {
    return this.#nodes;
  }

  /** Nodes with the role. */
  nodesOf(role: Role): readonly SimNode[] {
    return this.#nodes.filter(({ roles }) => roles.includes(role));
  }

  node(machine: string): SimNode | undefined {
    return this.#nodes.find((node) => node.machine === machine);
  }

  /** Adds a machine; its process is not started yet. */
  addNode(machine: string, roles: readonly Role[], disk: Disk = emptyDisk(machine)): SimNode {
    const nextRun = () => ++this.#runs;
    const node = new SimNode(this.#environment, { machine, roles, disk, clock: this.drawClock(roles), nextRun });
    this.#nodes.push(node);
    return node;
  }

  start(): void {
    for (const node of this.#nodes) node.start();
    const [first] = this.nodesOf("data");
    if (this.#environment.plan.hasStrangers !== true || first === undefined) return;
    new Strangers(this.#environment, first.machine, () => this.#dataAddresses()).start();
  }

  #dataAddresses(): MemberAddress[] {
    return this.nodesOf("data").flatMap(({ machine, process }) =>
      process === undefined ? [] : [{ id: process.id, address: addressOf(machine), role: "data" as const }],
    );
  }

  /**
   * Draws the error of a machine's clock. In a small world the clocks of sessions are kept together, as operators keep
   * them.
   */
  drawClock(roles: readonly Role[]): ClockError {
    const { plan, dice } = this.#environment;
    const { spreadMs, drift } = plan.clocks;
    const isHeld = plan.topology === "split" && !roles.includes("data");
    const offsetMs = isHeld ? dice.below(SESSION_OFFSET_MS) : dice.between(-spreadMs, spreadMs);
    return { offsetMs, drift: (2 * dice.next() - 1) * drift };
  }

  /** Records a fault of the nodes. */
  note(what: string): void {
    this.#environment.record({ kind: "fault", what });
  }

  stop(node: SimNode, end: End): void {
    if (!node.isRunning) return;
    if (node.isPaused) this.#ended(node);
    this.note(`${node.machine} is ${end}`);
    node.stop(end);
  }

  pause(node: SimNode): void {
    if (!node.isRunning || node.isPaused) return;
    this.note(`${node.machine} stands still`);
    node.pause();
    this.#record({ kind: "paused", machine: node.machine, isPaused: true });
    this.#outside([node.machine], 1);
  }

  resume(node: SimNode): void {
    if (!node.isPaused) return;
    this.note(`${node.machine} goes on`);
    node.resume();
    this.#record({ kind: "paused", machine: node.machine, isPaused: false });
    this.#outside([node.machine], -1);
  }

  #ended(node: SimNode): void {
    const { machine } = node;
    this.#record({ kind: "paused", machine, isPaused: false });
    this.#outside([machine], -1);
  }

  /** Blocks these ways until the returned function is called. */
  block(ways: readonly Way[], what: string): Cancel {
    this.note(what);
    const troubled = this.#troubledBy(ways);
    const isMeta = (machine: string) => this.#has(machine, "meta");
    const outside = troubled.filter((machine) =>
      ways.some(({ from, to }) => (from === machine && isMeta(to)) || (to === machine && isMeta(from))),
    );
    const open = this.network.block(ways);
    const id = ++this.#cuts;
    const cut: OpenCut = { ways, further: [] };
    this.#open.add(cut);
    this.#record({ kind: "cut", id, ways, isCut: true });
    this.#outside(outside, 1);
    let isOpen = false;
    return () => {
      if (isOpen) return;
      isOpen = true;
      this.note(`over: ${what}`);
      this.#open.delete(cut);
      open();
      this.#record({ kind: "cut", id, ways, isCut: false });
      this.#outside(outside, -1);
      for (const openToo of cut.further) openToo();
    };
  }

  /** Cuts the machines of different groups off from each other, the store among them if a group names it. */
  partition(groups: readonly (readonly string[])[]): Cancel {
    const ways: Way[] = [];
    for (const group of groups) {
      for (const other of groups) {
        if (other === group) continue;
        for (const from of group) for (const to of other) ways.push({ from, to });
      }
    }
    return this.block(ways, `partition ${groups.map((group) => group.join(" ")).join(" | ")}`);
  }

  /** Delays all messages between machines by up to `delayMs` until the returned function is called. */
  slowDown(delayMs: number): Cancel {
    this.note(`all messages take up to ${delayMs} ms more`);
    this.network.setExtraDelay(delayMs);
    this.#slowed(1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.note("messages are as fast as ever");
      this.network.setExtraDelay(0);
      this.#slowed(-1);
    };
  }

  /** Breaks the connections between two machines and loses everything under way on them. */
  reset(one: string, other: string): void {
    this.note(`links between ${one} and ${other} are reset`);
    this.network.reset(one, other);
    const cut = { kind: "cut", id: ++this.#cuts, ways: [{ from: one, to: other }] } as const;
    this.#record({ ...cut, isCut: true });
    this.#environment.scheduler.after(1, () => this.#record({ ...cut, isCut: false }));
  }

  /** Starts a second process on a copy of the node's data directory. */
  startCopy(node: SimNode): SimNode {
    const { disk } = node;
    const machine = `${node.machine}c${this.#copies.size + 1}`;
    const copy = this.addNode(machine, node.roles, { ...disk, sizes: new Map(disk.sizes) });
    this.note(`${machine} starts on a copy of ${node.machine}'s data`);
    this.#copies.add(copy);
    this.#cutAlike(machine, node.machine);
    copy.start();
    return copy;
  }

  /** A machine that joins during a cut is on the side of another one. */
  #cutAlike(machine: string, other: string): void {
    const named = (one: string) => (one === other ? machine : one);
    for (const { ways, further } of [...this.#open]) {
      const own = ways.filter(({ from, to }) => from === other || to === other);
      if (own.length === 0) continue;
      const alike = own.map(({ from, to }) => ({ from: named(from), to: named(to) }));
      further.push(this.block(alike, `${machine} is cut off as ${other} is`));
    }
  }

  isCopy(node: SimNode): boolean {
    return this.#copies.has(node);
  }

  /** Restores the plan: every node runs, copies are gone, the store is well. Cuts end on their own. */
  heal(): void {
    this.#isHealed = true;
    this.store.setDown(false);
    this.store.setSlow(0);
    this.store.setUnknown(0);
    for (const node of this.#nodes) {
      this.resume(node);
      if (this.#copies.has(node)) node.stop("killed");
      else if (!node.isRunning) node.start();
    }
  }

  #refused(process: SimProcess, role: Role, reason: string): void {
    const { scheduler, record } = this.#environment;
    record({ kind: "refused", node: process.id, role, reason });
    const node = this.#nodes.find((other) => other.process === process);
    scheduler.after(0, () => {
      if (node === undefined || node.process !== process) return;
      this.stop(node, "killed");
      if (this.#copies.has(node)) return;
      scheduler.after(this.#isHealed ? 0 : REFUSED_RESTART_MS, () => node.start());
    });
  }

  /** The sessions that lose touch with another node, except those from which a single other node is taken away. */
  #troubledBy(ways: readonly Way[]): string[] {
    const cut = new Map<string, Set<string>>();
    for (const { from, to } of ways) {
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        if (this.#isSession(one)) cut.set(one, (cut.get(one) ?? new Set()).add(other));
      }
    }
    const isAlone = (machine: string) => ways.every(({ from, to }) => from === machine || to === machine);
    const alone = [STORE, ...this.#nodes.map(({ machine }) => machine)].filter(isAlone);
    const sessions = alone.filter((machine) => this.#isSession(machine));
    if (sessions.length > 0) return sessions;
    // A node or store that has become unreachable for all is only in trouble itself; so are meta nodes.
    const isAll = cut.size === this.nodesOf("session").length;
    const areSame = new Set([...cut.values()].map((others) => [...others].sort().join())).size === 1;
    const isMetas = ways.every(({ from, to }) => [from, to].some((machine) => this.#has(machine, "meta")));
    const isTheirs = !(isAll && areSame && isMetas) && (alone.length === 0 || (!alone.includes(STORE) && !isAll));
    return isTheirs ? [...cut.keys()] : [];
  }

  #isSession(machine: string): boolean {
    return this.#has(machine, "session");
  }

  #has(machine: string, role: Role): boolean {
    return this.node(machine)?.roles.includes(role) ?? false;
  }

  #outside(machines: readonly string[], by: number): void {
    for (const machine of machines) {
      if (!this.#isSession(machine)) continue;
      const before = this.#outsides.get(machine) ?? 0;
      this.#outsides.set(machine, before + by);
      if (before === 0 || before + by === 0) this.#record({ kind: "outside", machine, isOutside: before === 0 });
    }
  }

  #slowed(by: number): void {
    const before = this.#slows;
    this.#slows += by;
    if (before === 0 || this.#slows === 0) this.#record({ kind: "slowed", isSlowed: this.#slows > 0 });
  }

  #record(fact: Fact): void {
    this.#environment.record(fact);
  }
}

/** The records of a cluster that has just been made. */
function storeOf(constants: ClusterConstants): RecordTable {
  const table = new RecordTable();
  const value = encodeRecord(CLUSTER_RECORD, constants);
  table.commit({ conditions: [], operations: [{ kind: "put", key: CLUSTER_RECORD.prefix, value }] }, () => false);
  return table;
}
