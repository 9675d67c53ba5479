// The next slot table while it is being arranged: each slot's leader and followers so far, each node's load, and the
// reason of each change.

import { defined } from "../base/assert.ts";
import type { NodeId } from "../model/ids.ts";
import type { SlotOwner, SlotTable } from "../model/slot.ts";

/** A data node that has a part in the table, or may get one. */
export interface DataNode {
  /** It is to have no slots: it wants to stop, or an operator has blocked it. */
  readonly isLeaving: boolean;
  /** False: this meta node has not heard it yet and only presumes it alive. It keeps its slots and gets none. */
  readonly isHeard: boolean;
  /** The newest list that was sent names it: members know its address, and it knows the members. */
  readonly isListed: boolean;
}

/** Data nodes' reports on the table that is being replaced. */
export interface SlotFacts {
  /** The follower holds the slot whole. */
  isInSync(slot: number, node: NodeId): boolean;
  /** The time at which the follower last reported that, under the slot's present leader; 0 for never. */
  inSyncMs(slot: number, node: NodeId): number;
  /** The slot's leader has heard every session. */
  isServing(slot: number): boolean;
  /** The slot's leader holds a service of it since a restart, or has not reported yet that it does not. */
  isHeld(slot: number): boolean;
  /** The node was silent for so long that moves do not wait for it. */
  isSilent(node: NodeId): boolean;
}

/** The reason for a change of the table, as the log says it. */
export type SlotChangeReason =
  | "first table"
  | "leader is gone"
  | "leader leaves"
  | "follower is gone"
  | "follower leaves"
  | "follower is missing"
  | "move begins"
  | "move: leads"
  | "move: replaced";

/** One change of the table, for the log: `node` begins to lead or follow, or ends to follow. */
export interface SlotChange {
  readonly slot: number;
  readonly node: NodeId;
  readonly change: "leads" | "follows" | "released";
  readonly reason: SlotChangeReason;
}

/** The next table, with its differences from the one before. */
export interface Arrangement {
  readonly table: SlotTable;
  readonly changes: readonly SlotChange[];
}

/** Everything that decides about the next table. */
export interface ArrangeInput {
  /** The table in force; undefined before the first one. */
  readonly table: SlotTable | undefined;
  /** The epoch of the next table. */
  readonly epoch: bigint;
  /** Only used for the first table. */
  readonly slotCount: number;
  /** Every data node that lives, or is presumed to. */
  readonly nodes: ReadonlyMap<NodeId, DataNode>;
  readonly facts: SlotFacts;
  /** Copies of a slot, its leader's included. */
  readonly slotReplicas: number;
  /** Moves that may be under way at once. */
  readonly slotMovesMax: number;
  /** Operators want slots to stay where they are, except those of nodes that are gone or leave. */
  readonly isPaused?: boolean;
}

export class SlotDraft {
  readonly input: ArrangeInput;
  readonly slots: SlotOwner[];
  /** Nodes that may be given slots, in a fixed order: equal input, equal table. */
  readonly usable: readonly NodeId[];
  readonly #leads = new Map<NodeId, number>();
  readonly #follows = new Map<NodeId, number>();
  readonly #changes: SlotChange[] = [];

  constructor(input: ArrangeInput, slots: readonly SlotOwner[]) {
    this.input = input;
    this.slots = [...slots];
    this.usable = [...input.nodes.keys()].filter((node) => this.isUsable(node)).sort();
    for (const { leader, followers } of slots) {
      count(this.#leads, leader, 1);
      for (const follower of followers) count(this.#follows, follower, 1);
    }
  }

  owner(slot: number): SlotOwner {
    return defined(this.slots[slot], "a slot number is inside the table");
  }

  isAlive(node: NodeId): boolean {
    return this.input.nodes.has(node);
  }

  /** Heard, and not about to leave: the node may be given slots. */
  isUsable(node: NodeId): boolean {
    const known = this.input.nodes.get(node);
    return known?.isHeard === true && !known.isLeaving;
  }

  /** Members know its address: it may take a slot from a leader that lives. */
  isListed(node: NodeId): boolean {
    return this.input.nodes.get(node)?.isListed === true;
  }

  leads(node: NodeId): number {
    return this.#leads.get(node) ?? 0;
  }

  follows(node: NodeId): number {
    return this.#follows.get(node) ?? 0;
  }

  /** The node holds the slot whole. No follower can be in sync yet with a leader that was just named. */
  isInSync(slot: number, node: NodeId): boolean {
    return !this.hasNewLeader(slot) && this.input.facts.isInSync(slot, node);
  }

  isServing(slot: number): boolean {
    return !this.hasNewLeader(slot) && this.input.facts.isServing(slot);
  }

  /** It has a service that is not shown yet. */
  isHeld(slot: number): boolean {
    return this.hasNewLeader(slot) || this.input.facts.isHeld(slot);
  }

  hasNewLeader(slot: number): boolean {
    return this.owner(slot).leaderEpoch === this.input.epoch;
  }

  /** Followers that count as copies: leaving ones do not. */
  copies(slot: number): NodeId[] {
    return this.owner(slot).followers.filter((node) => this.input.nodes.get(node)?.isLeaving === false);
  }

  /** The number of followers that a slot should have: fewer than requested if there are not enough nodes. */
  copiesWanted(slot: number): number {
    const { leader } = this.owner(slot);
    const others = this.usable.length - (this.isUsable(leader) ? 1 : 0);
    return Math.min(this.input.slotReplicas - 1, others);
  }

  /** Slots with a surplus copy, because one of their copies is to be replaced. */
  movesUnderWay(): number {
    let moves = 0;
    for (let slot = 0; slot < this.slots.length; slot++) {
      if (this.copies(slot).length > this.input.slotReplicas - 1) moves++;
    }
    return moves;
  }

  /** The node leads the slot from now on. The previous leader becomes a follower if it lives. */
  setLeader(slot: number, node: NodeId, reason: SlotChangeReason): void {
    const { leader, followers } = this.owner(slot);
    const others = followers.filter((follower) => follower !== node);
    count(this.#leads, leader, -1);
    count(this.#leads, node, 1);
    if (others.length < followers.length) count(this.#follows, node, -1);
    const isKept = this.isAlive(leader);
    if (isKept) count(this.#follows, leader, 1);
    this.slots[slot] = {
      leader: node,
      leaderEpoch: this.input.epoch,
      followers: isKept ? [...others, leader] : others,
    };
    this.#changes.push({ slot, node, change: "leads", reason });
  }

  addFollower(slot: number, node: NodeId, reason: SlotChangeReason): void {
    const owner = this.owner(slot);
    this.slots[slot] = { ...owner, followers: [...owner.followers, node] };
    count(this.#follows, node, 1);
    this.#changes.push({ slot, node, change: "follows", reason });
  }

  dropFollower(slot: number, node: NodeId, reason: SlotChangeReason): void {
    const owner = this.owner(slot);
    this.slots[slot] = { ...owner, followers: owner.followers.filter((follower) => follower !== node) };
    count(this.#follows, node, -1);
    this.#changes.push({ slot, node, change: "released", reason });
  }

  /** The next table, or undefined if nothing was changed. */
  result(): Arrangement | undefined {
    if (this.#changes.length === 0) return undefined;
    return { table: { epoch: this.input.epoch, slots: this.slots }, changes: this.#changes };
  }
}

/** The candidate whose rank is lowest, by its first number, then its second, and so on; of equals the first. */
export function lowest<Candidate>(
  candidates: Iterable<Candidate>,
  rankOf: (candidate: Candidate) => readonly number[],
): Candidate | undefined {
  let best: { candidate: Candidate; rank: readonly number[] } | undefined;
  for (const candidate of candidates) {
    const rank = rankOf(candidate);
    if (best === undefined || isLower(rank, best.rank)) best = { candidate, rank };
  }
  return best?.candidate;
}

function isLower(a: readonly number[], b: readonly number[]): boolean {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0;
    if (value !== other) return value < other;
  }
  return false;
}

function count(counts: Map<NodeId, number>, node: NodeId, by: number): void {
  counts.set(node, (counts.get(node) ?? 0) + by);
}
