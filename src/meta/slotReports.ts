// Data nodes' reports on their slots: those they serve as leader, and those they hold whole as follower. A report holds
// for the table that its heartbeat names. Its content for a slot stays true until that slot gets another leader or the
// node another part in it, so it is kept by the slot's leader epoch: a table that changes other slots forgets nothing.
// For the same reason a late report that names an earlier table counts for the slots that have not changed since.

import type { Heartbeat } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";
import type { SlotOwner, SlotTable } from "../model/slot.ts";

interface NodeReport {
  /** The last report as it came; a meta node that does not lead has no table to read it by. */
  readonly tableEpoch: bigint;
  /** Without slots of which a service is held: they stay where they are. */
  readonly serving: readonly number[];
  readonly held: readonly number[];
  readonly inSync: readonly number[];
}

/** By slot number, the leader epoch of the report. */
type BySlot = Map<number, bigint>;

interface NodeFacts {
  /** The table of the last report that was read: it covers every slot that the node led in it. */
  readonly tableEpoch: bigint;
  serving: BySlot;
  readonly held: BySlot;
  inSync: BySlot;
  /** The time at which the node last reported the slot as whole, even if it no longer is. */
  readonly inSyncMs: Map<number, { readonly leaderEpoch: bigint; readonly atMs: number }>;
}

export class SlotReports {
  readonly #reports = new Map<NodeId, NodeReport>();
  readonly #facts = new Map<NodeId, NodeFacts>();
  #table: SlotTable | undefined;
  /** By slot, the table since which each of its nodes has had its present part in it. */
  #parts: ReadonlyMap<NodeId, bigint>[] = [];
  /** The epoch of the first table from which the present one follows step by step. */
  #firstEpoch = 0n;

  /** Takes a heartbeat's report; returns true if it contains news. */
  heard(node: NodeId, { tableEpoch, slots }: Heartbeat, nowMs: number): boolean {
    const { held = [], inSync = [] } = slots ?? {};
    const isHeld = new Set(held);
    const serving = (slots?.serving ?? []).filter((slot) => !isHeld.has(slot));
    const report = { tableEpoch, serving, held, inSync };
    const isNew = !isSame(this.#reports.get(node), report);
    this.#reports.set(node, report);
    this.#read(node, report, nowMs);
    return isNew;
  }

  /** The nodes with kept reports. */
  nodes(): Iterable<NodeId> {
    return this.#reports.keys();
  }

  forget(node: NodeId): void {
    this.#reports.delete(node);
    this.#facts.delete(node);
  }

  /**
   * Reports are read by this table from now on. `follows` means that it was made from the one before, by one step; for
   * a table with another past only reports that name it count.
   */
  adopt(table: SlotTable | undefined, { follows, nowMs }: { follows: boolean; nowMs: number }): void {
    const before = follows ? this.#table : undefined;
    if (before === undefined) this.#firstEpoch = table?.epoch ?? 0n;
    this.#parts = table === undefined ? [] : partsOf(table, before, this.#parts);
    this.#table = table;
    for (const facts of follows ? this.#facts.entries() : []) this.#prune(...facts);
    if (!follows) this.#facts.clear();
    // Reports that name an earlier table were read when they came.
    for (const [node, report] of this.#reports) if (report.tableEpoch === table?.epoch) this.#read(node, report, nowMs);
  }

  /** The node has the table in force, and its report refers to it. */
  isCurrent(node: NodeId): boolean {
    return this.#table !== undefined && this.#reports.get(node)?.tableEpoch === this.#table.epoch;
  }

  isServing(slot: number): boolean {
    const owner = this.#table?.slots[slot];
    return owner !== undefined && this.#facts.get(owner.leader)?.serving.get(slot) === owner.leaderEpoch;
  }

  /** The slot's leader holds a service of it since a restart, or has not reported yet that it does not. */
  isHeld(slot: number): boolean {
    const owner = this.#table?.slots[slot];
    const facts = owner === undefined ? undefined : this.#facts.get(owner.leader);
    if (owner === undefined || facts === undefined || facts.tableEpoch < owner.leaderEpoch) return true;
    return facts.held.get(slot) === owner.leaderEpoch;
  }

  isInSync(slot: number, node: NodeId): boolean {
    const owner = this.#table?.slots[slot];
    return owner !== undefined && this.#facts.get(node)?.inSync.get(slot) === owner.leaderEpoch;
  }

  /** The time at which the follower was last in sync with the slot's present leader; 0 for never. */
  inSyncMs(slot: number, node: NodeId): number {
    const last = this.#facts.get(node)?.inSyncMs.get(slot);
    return last !== undefined && last.leaderEpoch === this.#table?.slots[slot]?.leaderEpoch ? last.atMs : 0;
  }

  #read(node: NodeId, report: NodeReport, nowMs: number): void {
    const { tableEpoch } = report;
    if (this.#table === undefined || tableEpoch > this.#table.epoch || tableEpoch < this.#firstEpoch) return;
    const { slots } = this.#table;
    const epochs = (numbers: readonly number[], isMeant: (owner: SlotOwner) => boolean): BySlot => {
      const bySlot: BySlot = new Map();
      for (const slot of numbers) {
        const owner = slots[slot];
        const sinceEpoch = this.#parts[slot]?.get(node);
        if (owner === undefined || sinceEpoch === undefined || sinceEpoch > tableEpoch) continue;
        if (isMeant(owner)) bySlot.set(slot, owner.leaderEpoch);
      }
      return bySlot;
    };
    const inSyncMs: NodeFacts["inSyncMs"] = this.#facts.get(node)?.inSyncMs ?? new Map();
    const inSync = epochs(report.inSync, ({ followers }) => followers.includes(node));
    for (const [slot, leaderEpoch] of inSync) inSyncMs.set(slot, { leaderEpoch, atMs: nowMs });
    const leads = ({ leader }: SlotOwner): boolean => leader === node;
    const [serving, held] = [epochs(report.serving, leads), epochs(report.held, leads)];
    this.#facts.set(node, { tableEpoch, serving, held, inSync, inSyncMs });
  }

  // A node that was released and follows again has to begin anew, though the leader is the same.
  #prune(node: NodeId, { serving, inSync, inSyncMs }: NodeFacts): void {
    const slots = this.#table?.slots ?? [];
    for (const slot of serving.keys()) if (slots[slot]?.leader !== node) serving.delete(slot);
    for (const slot of inSync.keys()) if (!slots[slot]?.followers.includes(node)) inSync.delete(slot);
    for (const slot of inSyncMs.keys()) if (!slots[slot]?.followers.includes(node)) inSyncMs.delete(slot);
  }
}

/**
 * The time since which nodes have their parts in each slot: parts that `before` already gave them, under the same
 * leader, stay.
 */
function partsOf(
  table: SlotTable,
  before: SlotTable | undefined,
  parts: readonly ReadonlyMap<NodeId, bigint>[],
): ReadonlyMap<NodeId, bigint>[] {
  return table.slots.map(({ leader, leaderEpoch, followers }, slot) => {
    const known = before?.slots[slot]?.leaderEpoch === leaderEpoch ? parts[slot] : undefined;
    return new Map([leader, ...followers].map((node) => [node, known?.get(node) ?? table.epoch]));
  });
}

const LISTS = ["serving", "held", "inSync"] as const;

function isSame(a: NodeReport | undefined, b: NodeReport): boolean {
  return a?.tableEpoch === b.tableEpoch && LISTS.every((list) => isSameList(a[list], b[list]));
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}
