// Followers while the world runs. A follower that reports a slot as whole has a link to that slot's leader, or it would
// not hear changes. A node that follows many slots of one leader copies a few at a time, or the data under way would
// fill the memory of both.

import type { LeaderToFollower } from "../../cluster/messages/replication.ts";
import type { NodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";

const COPIES_PER_LEADER_MAX = 4;

interface Follower {
  table: SlotTable | undefined;
  readonly links: Set<NodeId>;
  /** Its open requests by leader: the leader epochs by slot. */
  readonly asked: Map<NodeId, Map<number, bigint>>;
}

export class Copies implements Checker {
  readonly #followers = new Map<NodeId, Follower>();

  see(fact: Fact): Finding | undefined {
    switch (fact.kind) {
      case "learned":
        if (fact.role === "data" && fact.message.kind === "slotTable") this.#learned(fact.node, fact.message.table);
        return undefined;
      case "followerLink": {
        const { links, asked } = this.#follower(fact.follower);
        if (fact.isUp) links.add(fact.leader);
        else links.delete(fact.leader);
        asked.delete(fact.leader);
        return undefined;
      }
      case "followed":
        return this.#asked(fact);
      case "replicated":
        this.#answered(fact.from, fact.to, fact.message);
        return undefined;
      case "heartbeat":
        return this.#claimed(fact);
      default:
        return undefined;
    }
  }

  /** A slot that the table gives to another node is not waited for any more. */
  #learned(node: NodeId, table: SlotTable): void {
    const follower = this.#follower(node);
    if (follower.table !== undefined && follower.table.epoch >= table.epoch) return;
    follower.table = table;
    for (const asked of follower.asked.values()) {
      for (const [slot, epoch] of asked) {
        const owner = table.slots[slot];
        if (owner?.leaderEpoch !== epoch || !owner.followers.includes(node)) asked.delete(slot);
      }
    }
  }

  #asked({ from, to, message: { slot, leaderEpoch } }: Fact & { kind: "followed" }): Finding | undefined {
    const { asked } = this.#follower(from);
    const ofLeader = asked.get(to) ?? new Map<number, bigint>();
    asked.set(to, ofLeader.set(slot, leaderEpoch));
    if (ofLeader.size <= COPIES_PER_LEADER_MAX) return undefined;
    const text = `${from} copies ${ofLeader.size} slots of ${to} at once`;
    return { rule: "8 everything is bounded", service: undefined, text };
  }

  #answered(from: NodeId, to: NodeId, message: LeaderToFollower): void {
    const isOver = message.kind === "notLeader" || (message.kind === "replica" && message.isLast);
    const asked = this.#follower(to).asked.get(from);
    if (isOver && asked?.get(message.slot) === message.leaderEpoch) asked.delete(message.slot);
  }

  #claimed({ from, message: { slots, tableEpoch } }: Fact & { kind: "heartbeat" }): Finding | undefined {
    if (slots === undefined || slots.inSync.length === 0) return undefined;
    const { table, links } = this.#follower(from);
    if (table?.epoch !== tableEpoch) return undefined;
    for (const slot of slots.inSync) {
      const leader = table.slots[slot]?.leader;
      if (leader === undefined || links.has(leader)) continue;
      const text = `${from} says that it holds slot ${slot} as ${leader} does, and has no link to that one`;
      return { rule: "followers hold what their leaders hold", service: undefined, text };
    }
    return undefined;
  }

  #follower(node: NodeId): Follower {
    const known = this.#followers.get(node);
    if (known !== undefined) return known;
    const follower: Follower = { table: undefined, links: new Set(), asked: new Map() };
    this.#followers.set(node, follower);
    return follower;
  }
}
