// When a data node that was told to stop may end: it has handed its slots over, or nobody will take them.

import type { NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

// Without a meta node nobody can be given the slots; one that restarts is back within so long.
const META_AWAY_MS = 3_000;

// Where a data node stays, it follows every slot within a heartbeat, and a slot is copied in far less than so long: a
// node for which nothing moves is left by nodes that all stop together, and each would wait for the others in vain.
// With the time for shutting down this is well below the 30 s after which Kubernetes kills.
const NOTHING_MOVES_MS = 10_000;

/** What decides whether a data node may end: its slots, its table's epoch, and whether meta can be reached. */
export interface HandOverState {
  readonly slotsKept: number;
  readonly epoch: bigint | undefined;
  readonly hasMeta: boolean;
}

/** Whether no other node could be given anything. */
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
   * Whether it is over. What the node follows counts too: until another has copied it, this may be the last copy,
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
