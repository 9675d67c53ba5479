// The slot table of the leading meta node: when it may be changed, and what is on its way to the store. What the next
// table looks like is arrangeSlots' matter.

import { assert } from "../base/assert.ts";
import { HEARTBEAT_INTERVAL_MS } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { arrangeSlots } from "./arrangeSlots.ts";
import type { LivingNode } from "./membership.ts";
import type { Arrangement, DataNode, SlotChange, SlotFacts } from "./slotDraft.ts";
import { SlotReports } from "./slotReports.ts";

export interface SlotOptions {
  readonly slotCount: number;
  /** Copies of a slot, its leader's included. */
  readonly slotReplicas: number;
  /** Moves for the sake of balance that may be under way at once. */
  readonly slotMovesMax: number;
  /** With fewer living data nodes the table stays as it is. */
  readonly dataNodesMin: number;
  /**
   * How long the first table waits for further data nodes. 0 says that nobody but this process can be in the cluster:
   * nothing is waited for, after a restart neither.
   */
  readonly firstTableDelayMs: number;
  /** A data node of the table that was not heard yet keeps its slots so long. */
  readonly memberLeaseMs: number;
}

/** What is known of the data nodes. */
export interface DataNodes {
  readonly living: ReadonlyMap<NodeId, LivingNode>;
  /** Nothing is known of the node, neither that it lives nor that it is gone. */
  isUnknown(node: NodeId): boolean;
}

/** A table to be saved, in place of the stored one. */
export interface TableSave {
  readonly table: SlotTable;
  readonly expectedEpoch: bigint | undefined;
}

/** Members say everything within so long to a meta node that has just come, or has just taken the lead. */
export const SETTLE_MS = 3 * HEARTBEAT_INTERVAL_MS;

// Whoever was silent for so long is not waited for by moves.
const SILENT_MS = 10 * HEARTBEAT_INTERVAL_MS;

// What reports change is not urgent; those of many nodes make one table.
const GATHER_MS = 100;

// Everything that calls for another table is an event; this only bounds what a forgotten one would cost.
const CHECK_INTERVAL_MS = 5_000;

export class SlotKeeper {
  readonly #options: SlotOptions;
  readonly #reports = new SlotReports();
  #table: SlotTable | undefined;
  #changes: readonly SlotChange[] = [];
  #storedEpoch: bigint | undefined;
  #saving: Arrangement | undefined;
  /** The highest epoch that any member has named. */
  #heardEpoch = 0n;
  #leaseEpoch: bigint | undefined;
  #arrangeAtMs = Number.POSITIVE_INFINITY;
  #settledAtMs = Number.NEGATIVE_INFINITY;
  #presumedUntilMs = Number.NEGATIVE_INFINITY;
  #firstTableAtMs: number | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** The newest table that this node knows to be saved. */
  get table(): SlotTable | undefined {
    return this.#table;
  }

  /** How the table in force differs from the one before, and why; empty if it was loaded. */
  get changes(): readonly SlotChange[] {
    return this.#changes;
  }

  /** Takes a data node's heartbeat. */
  heard(node: NodeId, heartbeat: Parameters<SlotReports["heard"]>[1], nowMs: number): void {
    if (this.#reports.heard(node, heartbeat, nowMs)) this.#arrangeBy(nowMs + GATHER_MS);
  }

  /** The highest epoch that this node knows of. */
  get newestEpoch(): bigint {
    const epoch = this.#table?.epoch ?? 0n;
    return this.#heardEpoch > epoch ? this.#heardEpoch : epoch;
  }

  /** A member has the table of this epoch. True: nobody can have told it but a later leader. */
  heardEpoch(epoch: bigint): boolean {
    if (epoch <= this.#heardEpoch || epoch <= (this.#table?.epoch ?? 0n)) return false;
    this.#heardEpoch = epoch;
    return true;
  }

  /** Data nodes have come or gone. */
  nodesChanged(nowMs: number): void {
    this.#arrangeBy(nowMs);
  }

  /**
   * This node was cut off: data nodes of the table that were taken for gone may live. It stays as it is until they had
   * the time to say so, or are heard.
   */
  wasCutOff(nowMs: number): void {
    if (this.#options.firstTableDelayMs === 0) return;
    this.#settledAtMs = nowMs + SETTLE_MS;
    this.#arrangeBy(nowMs);
  }

  /** Data nodes of which reports are kept. */
  reporters(): Iterable<NodeId> {
    return this.#reports.nodes();
  }

  forget(node: NodeId): void {
    this.#reports.forget(node);
  }

  /** What was on its way to the store is no longer this node's. */
  lost(): void {
    this.#saving = undefined;
    this.#firstTableAtMs = undefined;
  }

  /** Takes the stored table, at the beginning of a lead and whenever what is stored is not certain. */
  load(stored: SlotTable | undefined, { leaseEpoch, nowMs }: { leaseEpoch: bigint; nowMs: number }): void {
    const known = this.#table;
    const isOwnLead = leaseEpoch === this.#leaseEpoch;
    this.#storedEpoch = stored?.epoch;
    // What is on its way is still awaited, unless it has come.
    if (this.#saving !== undefined && (stored?.epoch ?? 0n) >= this.#saving.table.epoch) this.#saving = undefined;
    if (!isOwnLead) {
      this.#settledAtMs = this.#options.firstTableDelayMs === 0 ? nowMs : nowMs + SETTLE_MS;
      this.#presumedUntilMs = nowMs + this.#options.memberLeaseMs;
    }
    this.#leaseEpoch = leaseEpoch;
    this.#arrangeAtMs = nowMs;
    // A store that failed over to a copy may lack tables that members have. The one that this node showed goes on.
    if (known !== undefined && (stored === undefined || stored.epoch < known.epoch)) return;
    this.#changes = [];
    this.#table = stored;
    this.#reports.adopt(stored, { follows: isOwnLead, nowMs });
  }

  /** The next table, if one is needed and may be made now. */
  arrange(nodes: DataNodes, nowMs: number): TableSave | undefined {
    if (nowMs < this.#arrangeAtMs || this.#saving !== undefined) return undefined;
    this.#arrangeAtMs = nowMs + CHECK_INTERVAL_MS;
    if (nodes.living.size < Math.max(1, this.#options.dataNodesMin)) return undefined;
    if (!this.#isTime(nodes, nowMs)) return undefined;
    const next = this.#restored() ?? this.#next(nodes, nowMs);
    if (next === undefined) return undefined;
    this.#saving = next;
    return { table: next.table, expectedEpoch: this.#storedEpoch };
  }

  /** The store has answered. `isSaved` is undefined if the outcome is not known. */
  saved(table: SlotTable, isSaved: boolean | undefined, nowMs: number): "late" | "saved" | "uncertain" {
    const saving = this.#saving;
    if (saving?.table !== table) return "late";
    this.#saving = undefined;
    if (isSaved !== true) return "uncertain";
    assert(table.epoch > (this.#table?.epoch ?? 0n), "a slot table never goes back");
    this.#storedEpoch = table.epoch;
    this.#table = table;
    this.#changes = saving.changes;
    this.#reports.adopt(table, { follows: true, nowMs });
    this.#arrangeAtMs = nowMs;
    return "saved";
  }

  nextMs(): number {
    return this.#saving === undefined ? this.#arrangeAtMs : Number.POSITIVE_INFINITY;
  }

  #arrangeBy(atMs: number): void {
    this.#arrangeAtMs = Math.min(this.#arrangeAtMs, atMs);
  }

  // The first table waits for the nodes that start together. A later one waits, after a change of lead or a cut, for
  // those that it names: who lives and who is in sync decides who leads.
  #isTime({ living, isUnknown }: DataNodes, nowMs: number): boolean {
    const table = this.#table;
    if (table === undefined) {
      this.#firstTableAtMs ??= nowMs + this.#options.firstTableDelayMs;
      this.#arrangeBy(this.#firstTableAtMs);
      return nowMs >= this.#firstTableAtMs;
    }
    if (nowMs >= this.#settledAtMs) return true;
    const isOpen = (node: NodeId) => (living.has(node) ? !this.#reports.isCurrent(node) : isUnknown(node));
    if (!table.slots.some(({ leader, followers }) => isOpen(leader) || followers.some(isOpen))) return true;
    this.#arrangeBy(this.#settledAtMs);
    return false;
  }

  // Members hold a table that the store does not: it has lost commits. Theirs must not be given out a second time with
  // another content. If this node knows it, it is written again; if not, every leader begins anew, above it.
  #restored(): Arrangement | undefined {
    const table = this.#table;
    if (table === undefined) return undefined;
    const epoch = this.#nextEpoch();
    if (this.#heardEpoch > table.epoch) {
      const slots = table.slots.map((owner) => ({ ...owner, leaderEpoch: epoch }));
      return { table: { epoch, slots }, changes: [] };
    }
    return this.#storedEpoch === table.epoch ? undefined : { table: { epoch, slots: table.slots }, changes: [] };
  }

  #next({ living, isUnknown }: DataNodes, nowMs: number): Arrangement | undefined {
    const nodes = new Map<NodeId, DataNode>();
    for (const [node, { isLeaving }] of living) nodes.set(node, { isLeaving, isHeard: true });
    const mayBePresumed = nowMs < this.#presumedUntilMs;
    for (const { leader, followers } of mayBePresumed ? (this.#table?.slots ?? []) : []) {
      for (const node of [leader, ...followers]) {
        if (nodes.has(node) || !isUnknown(node)) continue;
        nodes.set(node, { isLeaving: false, isHeard: false });
        this.#arrangeBy(this.#presumedUntilMs);
      }
    }
    const { slotCount, slotReplicas, slotMovesMax } = this.#options;
    return arrangeSlots({
      table: this.#table,
      epoch: this.#nextEpoch(),
      slotCount,
      nodes,
      facts: this.#facts(living, nowMs),
      slotReplicas,
      slotMovesMax,
    });
  }

  #facts(living: DataNodes["living"], nowMs: number): SlotFacts {
    return {
      isInSync: (slot, node) => this.#reports.isInSync(slot, node),
      inSyncMs: (slot, node) => this.#reports.inSyncMs(slot, node),
      isServing: (slot) => this.#reports.isServing(slot),
      isHeld: (slot) => this.#reports.isHeld(slot),
      isSilent: (node) => nowMs - (living.get(node)?.heardMs ?? Number.NEGATIVE_INFINITY) >= SILENT_MS,
    };
  }

  #nextEpoch(): bigint {
    return this.newestEpoch + 1n;
  }
}
