// The slot table of the leading meta node: the times at which it may change, and the table on its way to the store.
// arrangeSlots decides the content of the next table.

import { assert } from "../base/assert.ts";
import { HEARTBEAT_INTERVAL_MS } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import type { Commit } from "../records/records.ts";
import { arrangeSlots } from "./arrangeSlots.ts";
import type { LivingNode } from "./membership.ts";
import { encodeRecord, SLOT_TABLE_RECORD } from "./metaRecords.ts";
import type { SaveOutcome } from "./saveOutcome.ts";
import type { Arrangement, DataNode, SlotChange, SlotFacts } from "./slotDraft.ts";
import { SlotReports } from "./slotReports.ts";

/** Settings of the slot table; all times in milliseconds. */
export interface SlotOptions {
  readonly slotCount: number;
  /** Copies of a slot, its leader's included. */
  readonly slotReplicas: number;
  /** Moves for the sake of balance that may be under way at once. */
  readonly slotMovesMax: number;
  /** With fewer living data nodes the table stays as it is. */
  readonly dataNodesMin: number;
  /**
   * The time that the first table waits for further data nodes. 0 means that only this process can be in the cluster:
   * nothing is waited for, after a restart neither.
   */
  readonly firstTableDelayMs: number;
  /** The time for which a data node of the table keeps its slots before it is heard. */
  readonly memberLeaseMs: number;
}

/** The knowledge about the data nodes. */
export interface DataNodes {
  readonly living: ReadonlyMap<NodeId, LivingNode>;
  /** Nothing is known of the node, neither that it lives nor that it is gone. */
  isUnknown(node: NodeId): boolean;
  /** The newest list that was sent to the members names the node. */
  isListed(node: NodeId): boolean;
  /** Operators want slots to stay where they are. */
  readonly isPaused?: boolean;
}

/** A table to be saved, in place of the stored one. */
export interface TableSave {
  readonly table: SlotTable;
  readonly expectedRevision: bigint;
}

/**
 * The outcome of an arrangement: a table to be saved, nothing to change, too few data nodes for any change, or that
 * slots are arranged later.
 */
export type ArrangeOutcome =
  | { readonly kind: "save"; readonly save: TableSave }
  | { readonly kind: "settled" }
  | { readonly kind: "frozen"; readonly reason: { readonly dataNodes: number; readonly dataNodesMin: number } }
  | { readonly kind: "later" };

/** Saves a table, if the one that was read or saved last is still there. */
export function tableCommit({ table, expectedRevision: revision }: TableSave, leaseEpoch: bigint): Commit {
  const key = SLOT_TABLE_RECORD.prefix;
  return {
    conditions: [
      { kind: "leads", epoch: leaseEpoch },
      { kind: "revision", key, revision },
    ],
    operations: [{ kind: "put", key, value: encodeRecord(SLOT_TABLE_RECORD, table) }],
  };
}

/** Within this, members report everything to a meta node that has just started or just taken the lead. */
export const SETTLE_MS = 3 * HEARTBEAT_INTERVAL_MS;

// Moves do not wait for a node that was silent for this long.
const SILENT_MS = 10 * HEARTBEAT_INTERVAL_MS;

// A change by reports is not urgent; the reports of many nodes make one table.
const GATHER_MS = 100;

// Every cause for a new table is an event; this only bounds the cost of a forgotten one.
const CHECK_INTERVAL_MS = 5_000;

const LATER: ArrangeOutcome = { kind: "later" };

export class SlotKeeper {
  readonly #options: SlotOptions;
  readonly #reports = new SlotReports();
  #table: SlotTable | undefined;
  #changes: readonly SlotChange[] = [];
  #storedEpoch: bigint | undefined;
  /** Of the stored table's record; 0: there is none. */
  #storedRevision = 0n;
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

  /** The changes from the previous table, with reasons; empty if it was loaded. */
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

  /** A member has the table of this epoch. Returns true if only a later leader can have published it. */
  heardEpoch(epoch: bigint): boolean {
    if (epoch <= this.#heardEpoch || epoch <= (this.#table?.epoch ?? 0n)) return false;
    this.#heardEpoch = epoch;
    return true;
  }

  /** Data nodes have come or gone, or members were told of them. */
  nodesChanged(nowMs: number): void {
    this.#arrangeBy(nowMs);
  }

  /**
   * This node was cut off: data nodes of the table that were taken for gone may live. The table stays until they had
   * the time to report, or are heard.
   */
  settleAnew(nowMs: number): void {
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

  /** Saves on their way to the store are no longer this node's. */
  lost(): void {
    this.#saving = undefined;
    this.#firstTableAtMs = undefined;
  }

  /** Takes the stored table, at the beginning of a lead and whenever the stored state is not certain. */
  load(
    stored: SlotTable | undefined,
    { leaseEpoch, nowMs, revision = 0n }: { leaseEpoch: bigint; nowMs: number; revision?: bigint },
  ): void {
    const known = this.#table;
    const isOwnLead = leaseEpoch === this.#leaseEpoch;
    this.#storedEpoch = stored?.epoch;
    this.#storedRevision = revision;
    // A save on its way is still awaited, unless it has arrived.
    if (this.#saving !== undefined && (stored?.epoch ?? 0n) >= this.#saving.table.epoch) this.#saving = undefined;
    if (!isOwnLead) {
      this.#settledAtMs = this.#options.firstTableDelayMs === 0 ? nowMs : nowMs + SETTLE_MS;
      this.#presumedUntilMs = nowMs + this.#options.memberLeaseMs;
    }
    this.#leaseEpoch = leaseEpoch;
    this.#arrangeAtMs = nowMs;
    // A store that failed over to a copy may lack tables that members have. The table that this node published stays in
    // force.
    if (known !== undefined && (stored === undefined || stored.epoch < known.epoch)) return;
    this.#changes = [];
    this.#table = stored;
    this.#reports.adopt(stored, { follows: isOwnLead, nowMs });
  }

  /** The next table, if one is needed and may be made now. */
  arrange(nodes: DataNodes, nowMs: number): ArrangeOutcome {
    if (nowMs < this.#arrangeAtMs || this.#saving !== undefined) return LATER;
    this.#arrangeAtMs = nowMs + CHECK_INTERVAL_MS;
    const dataNodesMin = Math.max(1, this.#options.dataNodesMin);
    const dataNodes = nodes.living.size;
    if (dataNodes < dataNodesMin) return { kind: "frozen", reason: { dataNodes, dataNodesMin } };
    if (!this.#isTime(nodes, nowMs)) return LATER;
    const next = this.#restored() ?? this.#next(nodes, nowMs);
    if (next === undefined) return { kind: "settled" };
    this.#saving = next;
    return { kind: "save", save: { table: next.table, expectedRevision: this.#storedRevision } };
  }

  /**
   * The store has answered: with the record's revision, if it has the table. `late`: the save is from before this lead.
   * `uncertain`: the store is to be read.
   */
  saved(table: SlotTable, outcome: SaveOutcome, nowMs: number, revision = 0n): "late" | "saved" | "uncertain" {
    const saving = this.#saving;
    if (saving?.table !== table) return "late";
    this.#saving = undefined;
    if (outcome !== "saved") return "uncertain";
    assert(table.epoch > (this.#table?.epoch ?? 0n), "a slot table never goes back");
    this.#storedEpoch = table.epoch;
    this.#storedRevision = revision;
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
  // the nodes that it names: the living and the in-sync nodes decide the next leaders.
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

  // Members hold a table that the store lacks: it has lost commits. The epoch of their table must not be given a second
  // time with another content. If this node knows the table, it writes it again; if not, every leader begins anew,
  // above it.
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

  #next({ living, isUnknown, isListed, isPaused = false }: DataNodes, nowMs: number): Arrangement | undefined {
    const nodes = new Map<NodeId, DataNode>();
    for (const [node, { isLeaving }] of living) nodes.set(node, { isLeaving, isHeard: true, isListed: isListed(node) });
    const mayBePresumed = nowMs < this.#presumedUntilMs;
    for (const { leader, followers } of mayBePresumed ? (this.#table?.slots ?? []) : []) {
      for (const node of [leader, ...followers]) {
        if (nodes.has(node) || !isUnknown(node)) continue;
        nodes.set(node, { isLeaving: false, isHeard: false, isListed: isListed(node) });
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
      isPaused,
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
