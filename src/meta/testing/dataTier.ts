// Data nodes as arrangeSlots sees them: the living ones, those that want to leave, and their reports on the table in
// force.

import { type NodeId, nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import { arrangeSlots } from "../arrangeSlots.ts";
import type { Arrangement, DataNode, SlotFacts } from "../slotDraft.ts";

export interface DataTierOptions {
  readonly slotCount: number;
  readonly slotReplicas: number;
  readonly slotMovesMax: number;
}

export class DataTier {
  readonly options: DataTierOptions;
  readonly nodes = new Map<NodeId, DataNode>();
  table: SlotTable | undefined;
  readonly #inSync = new Map<string, bigint>();
  readonly #serving = new Map<number, bigint>();
  readonly #silent = new Set<NodeId>();
  /** Slots of which their leaders hold a service. */
  readonly held = new Set<number>();

  constructor(options: Partial<DataTierOptions> = {}) {
    this.options = { slotCount: 256, slotReplicas: 2, slotMovesMax: 8, ...options };
  }

  join(...names: string[]): void {
    for (const name of names) this.nodes.set(nodeId(name), { isLeaving: false, isHeard: true, isListed: true });
  }

  /** The table names the node, and it was not heard yet. */
  presume(name: string): void {
    this.nodes.set(nodeId(name), { isLeaving: false, isHeard: false, isListed: true });
  }

  die(name: string): void {
    this.nodes.delete(nodeId(name));
  }

  setLeaving(name: string, isLeaving: boolean): void {
    this.nodes.set(nodeId(name), { isLeaving, isHeard: true, isListed: true });
  }

  fallSilent(name: string): void {
    this.#silent.add(nodeId(name));
  }

  get names(): NodeId[] {
    return [...this.nodes.keys()];
  }

  /** Nodes that may be given slots. */
  get usable(): NodeId[] {
    return this.names.filter((node) => this.nodes.get(node)?.isLeaving === false);
  }

  /** Leaders report that they serve, and followers that they are in sync, where `isSaid` holds. */
  report(isSaid: (slot: number, node: NodeId) => boolean = () => true): void {
    for (const [slot, { leader, leaderEpoch, followers }] of (this.table?.slots ?? []).entries()) {
      if (this.nodes.has(leader) && isSaid(slot, leader)) this.#serving.set(slot, leaderEpoch);
      for (const node of followers) {
        if (!this.nodes.has(leader) || !this.nodes.has(node) || !isSaid(slot, node)) continue;
        this.#inSync.set(`${slot} ${node}`, leaderEpoch);
      }
    }
  }

  isInSync(slot: number, node: NodeId): boolean {
    const owner = this.table?.slots[slot];
    return owner?.followers.includes(node) === true && this.#inSync.get(`${slot} ${node}`) === owner.leaderEpoch;
  }

  /** Arranges once; the new table is in force at once. */
  arrange(): Arrangement | undefined {
    const facts: SlotFacts = {
      isInSync: (slot, node) => this.isInSync(slot, node),
      inSyncMs: () => 0,
      isServing: (slot) => this.#serving.get(slot) === this.table?.slots[slot]?.leaderEpoch,
      isHeld: (slot) => this.held.has(slot),
      isSilent: (node) => this.#silent.has(node),
    };
    const { table, nodes } = this;
    const epoch = (table?.epoch ?? 0n) + 1n;
    const arrangement = arrangeSlots({ ...this.options, table, epoch, nodes, facts });
    if (arrangement === undefined) return undefined;
    // A node that is released and follows again has to copy again.
    for (const { slot, node, change } of arrangement.changes) {
      if (change === "released") this.#inSync.delete(`${slot} ${node}`);
    }
    this.table = arrangement.table;
    return arrangement;
  }

  /**
   * All nodes report and the table is arranged, again and again until nothing changes; returns the number of tables.
   */
  settle(roundsMax = 10_000): number {
    for (let round = 0; round < roundsMax; round++) {
      this.report();
      if (this.arrange() === undefined) return round;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The number of slots that each usable node leads, and that it follows. */
  loads(): { leads: number[]; follows: number[] } {
    const slots = this.table?.slots ?? [];
    return {
      leads: this.usable.map((node) => slots.filter(({ leader }) => leader === node).length),
      follows: this.usable.map((node) => slots.filter(({ followers }) => followers.includes(node)).length),
    };
  }

  /** Slots with a surplus copy among the nodes that stay. */
  movesUnderWay(): number {
    const copiesMax = this.options.slotReplicas - 1;
    const copies = (followers: readonly NodeId[]) => followers.filter((node) => this.usable.includes(node)).length;
    return (this.table?.slots ?? []).filter(({ followers }) => copies(followers) > copiesMax).length;
  }
}

/** The difference between the largest and the smallest. */
export function spread(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
}
