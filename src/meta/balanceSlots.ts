// Moves slots until every node leads and follows as many as every other, within one.
//
// A move leaves a visible trace, so that any later caller can continue it: the coming node is added as one follower too
// many. When it holds the slot whole, it takes the lead if it is to have it; when the new leader is complete and the
// others have followed it, the surplus copy is dropped. The copies that stay are chosen anew each time, by the smallest
// sum of squares of the slots that nodes lead (which counts first) and follow. The sum falls with every move that
// begins, so moves come to an end.

import type { NodeId } from "../model/ids.ts";
import type { SlotOwner } from "../model/slot.ts";
import { lowest, type SlotDraft } from "./slotDraft.ts";

/** Continues the moves under way, and begins new ones while everything is quiet. */
export function balanceSlots(draft: SlotDraft): void {
  // Nodes that are only presumed to live may be gone in a moment, and no session can reach one that is not listed yet.
  const nodes = [...draft.input.nodes.values()];
  if (draft.usable.length === 0 || nodes.some(({ isHeard, isListed }) => !isHeard || !isListed)) return;
  const moving = new Map<number, Goal>();
  const loads = new Loads(draft, moving);
  const isQuiet = draft.slots.every((_, slot) => moving.has(slot) || isWhole(draft, slot));
  for (const [slot, goal] of moving) goOn(draft, slot, { goal, mayLead: isQuiet });
  const isServing = [...moving.keys()].every((slot) => draft.isServing(slot) || isLeaderSilent(draft, slot));
  if (!isQuiet || !isServing) return;
  const isFree = (slot: number): boolean => !moving.has(slot) && isBalanceable(draft, slot);
  for (let budget = draft.input.slotMovesMax - draft.movesUnderWay(); budget > 0; budget--) {
    const move = nextLead(draft, loads, isFree) ?? nextFollower(draft, loads, isFree);
    if (move === undefined) return;
    moving.set(move.slot, move.goal);
    loads.add(draft.owner(move.slot), -1);
    loads.add(move.goal, 1);
    begin(draft, move);
  }
}

/** The leader and followers of a slot when its move is over. */
type Goal = Pick<SlotOwner, "leader" | "followers">;

interface Move {
  readonly slot: number;
  readonly goal: Goal;
}

/** The slots that nodes will lead and follow when all moves are over. */
class Loads {
  readonly #leads = new Map<NodeId, number>();
  readonly #follows = new Map<NodeId, number>();

  /** Decides the goals of the slots with a surplus copy, and writes them into `goals`. */
  constructor(draft: SlotDraft, goals: Map<number, Goal>) {
    for (const [slot, owner] of draft.slots.entries()) {
      if (isMoving(draft, slot)) goals.set(slot, asItIs(draft, slot));
      this.add(goals.get(slot) ?? owner, 1);
    }
    // Each slot in turn gets the best goal, given the goals decided so far. The second pass sees all of them.
    for (let pass = 0; pass < 2; pass++) {
      for (const [slot, goal] of goals) {
        this.add(goal, -1);
        goals.set(slot, this.#best(draft, slot));
        this.add(goals.get(slot) ?? goal, 1);
      }
    }
  }

  leads(node: NodeId): number {
    return this.#leads.get(node) ?? 0;
  }

  follows(node: NodeId): number {
    return this.#follows.get(node) ?? 0;
  }

  add({ leader, followers }: Goal, by: 1 | -1): void {
    this.#leads.set(leader, this.leads(leader) + by);
    for (const node of followers) this.#follows.set(node, this.follows(node) + by);
  }

  // A node with a load of n adds 2n + 1 to the sum of squares by taking one more. Of equals the present leader stays,
  // and the followers that were there first.
  #best(draft: SlotDraft, slot: number): Goal {
    const { leader } = draft.owner(slot);
    const copies = draft.copies(slot);
    const wanted = draft.copiesWanted(slot);
    const options = [leader, ...copies].map((next) => {
      const others = [...copies, leader].filter((node) => node !== next);
      const rest = next === leader ? copies : others;
      const followers = rest.toSorted((a, b) => this.follows(a) - this.follows(b)).slice(0, wanted);
      return { leader: next, followers };
    });
    const best = lowest(options, (option) => [
      this.leads(option.leader),
      option.followers.reduce((sum, node) => sum + this.follows(node), 0),
    ]);
    return best ?? asItIs(draft, slot);
  }
}

/** Abandons the move. */
function asItIs(draft: SlotDraft, slot: number): Goal {
  return { leader: draft.owner(slot).leader, followers: draft.copies(slot).slice(0, draft.copiesWanted(slot)) };
}

function isMoving(draft: SlotDraft, slot: number): boolean {
  return draft.isUsable(draft.owner(slot).leader) && draft.copies(slot).length > draft.copiesWanted(slot);
}

function goOn(draft: SlotDraft, slot: number, { goal, mayLead }: { goal: Goal; mayLead: boolean }): void {
  const { leader } = draft.owner(slot);
  if (goal.leader !== leader) {
    if (mayLead && mayTakeOver(draft, slot, goal.leader)) draft.setLeader(slot, goal.leader, "move: leads");
    return;
  }
  if (!draft.isServing(slot) || !goal.followers.every((node) => draft.isInSync(slot, node))) return;
  for (const node of draft.copies(slot)) {
    if (!goal.followers.includes(node)) draft.dropFollower(slot, node, "move: replaced");
  }
}

/** The copy is whole, and no service of the slot is held: a hold stays with its leader, even a silent one. */
function mayTakeOver(draft: SlotDraft, slot: number, node: NodeId): boolean {
  return !draft.isHeld(slot) && draft.isInSync(slot, node);
}

/** The slot's leader answers, and its copies are whole, except silent ones, which are not waited for. */
function isWhole(draft: SlotDraft, slot: number): boolean {
  if (!draft.isServing(slot) && !isLeaderSilent(draft, slot)) return false;
  const { facts } = draft.input;
  return draft.owner(slot).followers.every((node) => draft.isInSync(slot, node) || facts.isSilent(node));
}

function isLeaderSilent(draft: SlotDraft, slot: number): boolean {
  return draft.input.facts.isSilent(draft.owner(slot).leader);
}

function isBalanceable(draft: SlotDraft, slot: number): boolean {
  const { leader, followers } = draft.owner(slot);
  return draft.isUsable(leader) && followers.every((node) => draft.isUsable(node));
}

// From a node that leads most to one that leads least. A follower in sync can take over without a new copy, and does so
// unless that would only move the imbalance to the followers.
function nextLead(draft: SlotDraft, loads: Loads, isFree: (slot: number) => boolean): Move | undefined {
  const most = Math.max(...draft.usable.map((node) => loads.leads(node)));
  for (const node of draft.usable.toSorted((a, b) => loads.leads(a) - loads.leads(b))) {
    const gapOf = (slot: number): number => loads.leads(draft.owner(slot).leader) - loads.leads(node);
    if (most - loads.leads(node) < 2) return undefined;
    const slots = slotsWhere(draft, (slot) => {
      if (gapOf(slot) < 2 || !isFree(slot)) return false;
      return !draft.owner(slot).followers.includes(node) || mayTakeOver(draft, slot, node);
    });
    const slot = lowest(slots, (each) => {
      const { leader, followers } = draft.owner(each);
      if (!followers.includes(node)) return [-gapOf(each), 1];
      return [-gapOf(each), loads.follows(leader) < loads.follows(node) ? 0 : 2];
    });
    if (slot !== undefined) return { slot, goal: goalWithLeader(draft, slot, node) };
  }
  return undefined;
}

function goalWithLeader(draft: SlotDraft, slot: number, node: NodeId): Goal {
  const { leader, followers } = draft.owner(slot);
  if (!followers.includes(node)) return { leader: node, followers };
  return { leader: node, followers: followers.map((follower) => (follower === node ? leader : follower)) };
}

// From a node that follows most to one that follows least. If the latter already leads all these slots, it changes
// places with the follower, provided that the leads stay as even as they are.
function nextFollower(draft: SlotDraft, loads: Loads, isFree: (slot: number) => boolean): Move | undefined {
  const most = Math.max(...draft.usable.map((node) => loads.follows(node)));
  for (const node of draft.usable.toSorted((a, b) => loads.follows(a) - loads.follows(b))) {
    const gapOf = (other: NodeId): number => loads.follows(other) - loads.follows(node);
    if (most - loads.follows(node) < 2) return undefined;
    let best: { slot: number; from: NodeId } | undefined;
    for (const slot of slotsWhere(draft, isFree)) {
      const { leader, followers } = draft.owner(slot);
      const from = lowest(followers, (follower) => [-gapOf(follower)]);
      if (from === undefined || gapOf(from) < 2 || followers.includes(node)) continue;
      if (leader === node && !(loads.leads(from) < loads.leads(node) && mayTakeOver(draft, slot, from))) continue;
      const isBetter = best === undefined || gapOf(from) > gapOf(best.from);
      // A move of the follower alone disturbs less.
      if (isBetter || (best !== undefined && draft.owner(best.slot).leader === node && leader !== node)) {
        best = { slot, from };
      }
    }
    if (best !== undefined) return { slot: best.slot, goal: goalWithFollower(draft, node, best) };
  }
  return undefined;
}

function goalWithFollower(draft: SlotDraft, node: NodeId, { slot, from }: { slot: number; from: NodeId }): Goal {
  const { leader, followers } = draft.owner(slot);
  const replaced = followers.map((follower) => (follower === from ? node : follower));
  return { leader: leader === node ? from : leader, followers: replaced };
}

function begin(draft: SlotDraft, { slot, goal }: Move): void {
  const { leader, followers } = draft.owner(slot);
  const added = [goal.leader, ...goal.followers].find((node) => node !== leader && !followers.includes(node));
  if (added !== undefined) draft.addFollower(slot, added, "move begins");
  else draft.setLeader(slot, goal.leader, "move: leads");
}

function slotsWhere(draft: SlotDraft, isWanted: (slot: number) => boolean): number[] {
  return [...draft.slots.keys()].filter(isWanted);
}
