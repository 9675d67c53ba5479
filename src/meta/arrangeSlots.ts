// Decides which data node leads each slot and which nodes follow it. It is a pure function: the table in force, the
// living nodes and their reports give the next table, with every change that can be made now. A change that must wait,
// for a copy to be made or a leader to be complete, shows in the table itself the next time. Nothing is remembered
// between two calls, so another meta node continues where this one ended.
//
// Steps come in the order of their urgency: gone leaders are replaced, leaving leaders hand over, missing copies are
// made, and only then slots move for the sake of balance (balanceSlots.ts). A change touches only the slots that it
// concerns, for every change costs: a new leader has to hear all sessions, a new follower has to copy.
//
// While operators pause the arrangement, slots change hands only where a leader is gone or a node leaves: none moves
// for balance, and no copy is made in the place of one that is gone. A slot without a leader would be an outage for as
// long as the pause lasts, since a data node that restarts is another run and has no slots. A node that leaves waits
// until others have all of its slots.

import { type NodeId, nodeNameOf } from "../model/ids.ts";
import { balanceSlots } from "./balanceSlots.ts";
import { type ArrangeInput, type Arrangement, lowest, SlotDraft } from "./slotDraft.ts";

/** The next table and the reasons for its changes; undefined if the one in force is right for now. */
export function arrangeSlots(input: ArrangeInput): Arrangement | undefined {
  // No node could be given anything: leaders that return find their slots.
  if (![...input.nodes.values()].some(({ isHeard }) => isHeard)) return undefined;
  if (input.table === undefined) return firstTable(input);
  const draft = new SlotDraft(input, input.table.slots);
  const isPaused = input.isPaused === true;
  // In a pause a follower that was cut off finds its copies when it is back.
  if (!isPaused) dropGoneFollowers(draft);
  replaceGoneLeaders(draft);
  handOver(draft);
  fillFollowers(draft, (slot) => !isPaused || hasLeaving(draft, slot));
  dropLeavingFollowers(draft);
  if (!isPaused) balanceSlots(draft);
  return draft.result();
}

// Leaders in turn; the followers of a node's slots are spread over all other nodes, so that these share its work when
// it dies.
function firstTable(input: ArrangeInput): Arrangement {
  const { epoch, slotCount, slotReplicas } = input;
  const draft = new SlotDraft(input, []);
  const heard = [...input.nodes.keys()].filter((node) => input.nodes.get(node)?.isHeard === true).sort();
  const nodes = draft.usable.length > 0 ? draft.usable : heard;
  const at = (index: number): NodeId => nodes[index % nodes.length] as NodeId;
  const slots = Array.from({ length: slotCount }, (_, slot) => {
    const round = Math.floor(slot / nodes.length);
    const followers: NodeId[] = [];
    for (let copy = 0; copy < Math.min(slotReplicas, nodes.length) - 1; copy++) {
      followers.push(at(slot + 1 + ((round + copy) % (nodes.length - 1))));
    }
    return { leader: at(slot), leaderEpoch: epoch, followers };
  });
  const changes = slots.map(({ leader: node }, slot) => {
    return { slot, node, change: "leads", reason: "first table" } as const;
  });
  return { table: { epoch, slots }, changes };
}

function dropGoneFollowers(draft: SlotDraft): void {
  for (const [slot, { followers }] of draft.slots.entries()) {
    for (const node of followers) if (!draft.isAlive(node)) draft.dropFollower(slot, node, "follower is gone");
  }
}

// A follower in sync has everything that the leader had taken. A follower not in sync has at least a part of it, and
// the one that was in sync last has most: followers cease to be in sync when they notice that their leader is dead. The
// living sessions have the rest. A leaving node with a copy goes before a node without one: it stays until it has
// handed over, and only copies have the publications of sessions that died.
//
// If no node is left with a copy, a node that led or followed the slot in an earlier run comes first: its disk knows
// the number of publishers of each service, and the versions that clients have seen.
//
// No node is kept from a slot that has no leader because members don't know its address yet: they will in a moment.
function replaceGoneLeaders(draft: SlotDraft): void {
  const { nodes, facts } = draft.input;
  const heard = [...nodes.keys()].filter((node) => nodes.get(node)?.isHeard === true).sort();
  for (const [slot, { leader, followers }] of draft.slots.entries()) {
    if (draft.isAlive(leader)) continue;
    const isLeaving = (node: NodeId): number => (draft.isUsable(node) ? 0 : 1);
    const isUnlisted = (node: NodeId): number => (draft.isListed(node) ? 0 : 1);
    const isEmpty = (node: NodeId): number => (facts.inSyncMs(slot, node) > 0 ? 0 : 1);
    const candidates = followers.filter((node) => nodes.get(node)?.isHeard === true);
    const inSync = candidates.filter((node) => facts.isInSync(slot, node));
    const next =
      lowest(inSync, (node) => [isLeaving(node), isUnlisted(node), draft.leads(node)]) ??
      lowest(candidates, (node) => {
        return [isEmpty(node), isLeaving(node), -facts.inSyncMs(slot, node), draft.leads(node)];
      }) ??
      lowest(heard, (node) => [
        isLeaving(node),
        strangeness(draft, slot, node),
        isUnlisted(node),
        draft.leads(node),
        draft.follows(node),
      ]);
    if (next !== undefined) draft.setLeader(slot, next, "leader is gone");
  }
}

/** 0 for a later run of the slot's leader, 1 for one of a follower, 2 for a node whose disk knows nothing of it. */
function strangeness({ input }: SlotDraft, slot: number, node: NodeId): number {
  const owner = input.table?.slots[slot];
  const isRunOf = (other: NodeId): boolean => nodeNameOf(other) === nodeNameOf(node);
  if (owner === undefined) return 2;
  if (isRunOf(owner.leader)) return 0;
  return owner.followers.some(isRunOf) ? 1 : 2;
}

// A leaving leader goes on until another node has everything, and every member can reach that one. All its slots that
// can move do so at once: its process waits. A slot with services held since a restart stays with it: the hold ends
// within restart-hold-ms, by the publishers or by the time. If the process goes before that, the slot has a gone
// leader, and the follower that leads next keeps holding.
function handOver(draft: SlotDraft): void {
  for (const [slot, { leader }] of draft.slots.entries()) {
    if (draft.input.nodes.get(leader)?.isLeaving !== true || draft.isHeld(slot)) continue;
    const inSync = draft.copies(slot).filter((node) => {
      return draft.isUsable(node) && draft.isListed(node) && draft.isInSync(slot, node);
    });
    const next = lowest(inSync, (node) => [draft.leads(node)]);
    if (next !== undefined) draft.setLeader(slot, next, "leader leaves");
  }
}

// Missing copies are made at once, however many: until they are there, one more death loses data that sessions must
// repeat. The new follower is the node that follows least, and of equals the one that follows the same leader least.
function fillFollowers(draft: SlotDraft, isFilled: (slot: number) => boolean): void {
  const pairs = new Map<NodeId, Map<NodeId, number>>();
  const pairsOf = (leader: NodeId) => {
    const known = pairs.get(leader) ?? countFollowers(draft, leader);
    pairs.set(leader, known);
    return known;
  };
  let budget = draft.input.slotMovesMax - draft.movesUnderWay();
  for (let slot = 0; slot < draft.slots.length; slot++) {
    if (!isFilled(slot)) continue;
    const { leader } = draft.owner(slot);
    for (let missing = copiesMissing(draft, slot); missing > 0; missing--) {
      const isMove = draft.copies(slot).length >= draft.input.slotReplicas - 1;
      if (isMove && budget-- <= 0) break;
      const { followers } = draft.owner(slot);
      const candidates = draft.usable.filter((node) => node !== leader && !followers.includes(node));
      const next = lowest(candidates, (node) => [draft.follows(node), pairsOf(leader).get(node) ?? 0]);
      if (next === undefined) break;
      draft.addFollower(slot, next, "follower is missing");
      pairsOf(leader).set(next, (pairsOf(leader).get(next) ?? 0) + 1);
    }
  }
}

function hasLeaving(draft: SlotDraft, slot: number): boolean {
  const { leader, followers } = draft.owner(slot);
  return [leader, ...followers].some((node) => draft.input.nodes.get(node)?.isLeaving === true);
}

function copiesMissing(draft: SlotDraft, slot: number): number {
  const { leader } = draft.owner(slot);
  const isLeaving = draft.input.nodes.get(leader)?.isLeaving === true;
  // Even without any copies, a leaving leader needs a node to hand over to.
  const wanted = Math.max(draft.copiesWanted(slot), isLeaving ? 1 : 0);
  return wanted - draft.copies(slot).length;
}

function countFollowers(draft: SlotDraft, leader: NodeId): Map<NodeId, number> {
  const counts = new Map<NodeId, number>();
  for (const owner of draft.slots) {
    if (owner.leader !== leader) continue;
    for (const node of owner.followers) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return counts;
}

// A leaving follower stays until the remaining copies are whole, and the leader is complete.
function dropLeavingFollowers(draft: SlotDraft): void {
  for (const [slot, { followers, leader }] of draft.slots.entries()) {
    if (!draft.isUsable(leader) || !draft.isServing(slot)) continue;
    const whole = draft.copies(slot).filter((node) => draft.isInSync(slot, node));
    if (whole.length < draft.copiesWanted(slot)) continue;
    for (const node of followers) {
      if (draft.input.nodes.get(node)?.isLeaving === true) draft.dropFollower(slot, node, "follower leaves");
    }
  }
}
