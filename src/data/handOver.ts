// Decides when a data node that was told to stop may end: it has handed its slots over, or no node will take them.

import type { NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

// Without a meta node no other node can be given the slots; a meta node that restarts is back within this.
const META_AWAY_MS = 3_000;

// A data node that stays follows every slot within a heartbeat, and copies a slot in far less than this. A node whose
// hand-over makes no progress is being left by nodes that all stop together, and each would wait for the others in
// vain. With the time for shutting down this is well below the 30 s after which Kubernetes kills.
const NOTHING_MOVES_MS = 10_000;

/**
 * The state that decides whether a data node may end: its slots, its table's epoch, and whether meta can be reached.
 */
export interface HandOverState {
  readonly slotsKept: number;
  readonly epoch: bigint | undefined;
  readonly hasMeta: boolean;
}

/** Whether no other node could be given a slot. */
export function isAlone(table: SlotTable | undefined, self: NodeId): boolean {
  return (table?.slots ?? []).every(({ leader, followers }) => leader === self && followers.length === 0);
}

/** The hand-over of a node that was told at `nowMs` to leave. */
export class DataHandOver {
  readonly #endMs: number;
  #metaMs: number;
  #movedMs: number;
  #last: { readonly slotsKept: number; readonly epoch: bigint | undefined } | undefined;

  constructor(limitMs: number, nowMs: number) {
    this.#endMs = nowMs + limitMs;
    this.#metaMs = nowMs;
    this.#movedMs = nowMs;
  }

  /**
   * Whether it is over. Followed slots count too: until another node has copied such a slot, this may be the last copy,
   * should the leader die now.
   */
  isOver({ slotsKept, epoch, hasMeta }: HandOverState, nowMs: number): boolean {
    if (hasMeta) this.#metaMs = nowMs;
    if (this.#last !== undefined && (this.#last.epoch !== epoch || this.#last.slotsKept !== slotsKept))
      this.#movedMs = nowMs;
    this.#last = { slotsKept, epoch };
    if (slotsKept === 0 || nowMs >= this.#endMs) return true;
    return nowMs - this.#metaMs > META_AWAY_MS || nowMs - this.#movedMs >= NOTHING_MOVES_MS;
  }
}
