// One meta node leads at a time: the store gives each lease epoch to one process, and carries out only that process's
// writes. A stored table follows from the one before by the rules of design. Epochs grow, and no node is named twice
// for a slot. If a leader is gone, a follower that holds the slot takes over, if there is one. A living leader that
// holds a service since a restart keeps the slot.

import type { Heartbeat } from "../../cluster/messages/membership.ts";
import { type NodeId, nodeNameOf } from "../../model/ids.ts";
import type { SlotOwner, SlotTable } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

// Older reports about a node may be outdated.
const NEWS_MS = 2_500;
// If the store takes longer than this, the meta node's knowledge at its decision is not checked.
const SLOW_MS = 100;
// A node that has stepped down leaves the lead to others for three seconds, by its own clock.
const STEPPED_DOWN_MS = 2_900;
// A run that is silent for this long gives its name up to one that is heard.
const RUN_SILENT_MS = 3_000;

interface Report {
  readonly report: Heartbeat;
  readonly atMs: number;
}

interface Change {
  readonly by: NodeId;
  readonly table: SlotTable;
  readonly before: SlotTable | undefined;
  /** The time at which the store was asked to save it. */
  readonly askedMs: number;
  readonly nowMs: number;
}

export class LeadChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #holders = new Map<bigint, NodeId>();
  // The last report of each data node that has arrived at each meta node, and the last one from before that time.
  readonly #reports = new Map<string, Report & { readonly earlier: Report | undefined }>();
  // The run of a data node's name that each meta node uses, and those that had fallen silent when another one came.
  readonly #runs = new Map<string, NodeId>();
  readonly #replaced = new Set<string>();
  /** The last time at which an operator wanted another node than this one to lead. */
  readonly #steppedDown = new Map<NodeId, number>();
  #hasBlocks = false;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "leads": {
        const holder = this.#holders.get(fact.leaseEpoch);
        this.#holders.set(fact.leaseEpoch, fact.node);
        if (holder === undefined || holder === fact.node) return undefined;
        return lead(`${fact.node} leads under lease ${fact.leaseEpoch}, which ${holder} had`);
      }
      case "failedOver":
        // The copy does not know of the last leases, and gives their epochs again.
        this.#holders.clear();
        return undefined;
      case "steppedDown":
        this.#steppedDown.set(fact.node, nowMs);
        return undefined;
      case "resigned":
        return fact.keepsLead ? lead(`${fact.node} has stopped and keeps its lease`) : undefined;
      case "reported":
        if (fact.message.role === "data") {
          this.#noteRun(fact.to, fact.from.id, nowMs);
          const key = `${fact.to} ${fact.from.id}`;
          const last = this.#reports.get(key);
          const earlier = last?.atMs === nowMs ? last.earlier : last;
          this.#reports.set(key, { report: fact.message, atMs: nowMs, earlier });
        }
        return undefined;
      case "saved":
        return this.#saved(fact, nowMs);
      default:
        return undefined;
    }
  }

  /** Of two processes with one name a later one has it once the first is silent; the first is told to go for good. */
  #noteRun(meta: NodeId, run: NodeId, nowMs: number): void {
    const name = `${meta} ${nodeNameOf(run)}`;
    const known = this.#runs.get(name);
    if (known === run || this.#replaced.has(`${meta} ${run}`)) return;
    const heardMs = this.#reports.get(`${meta} ${known}`)?.atMs ?? Number.NEGATIVE_INFINITY;
    if (known !== undefined && nowMs - heardMs < RUN_SILENT_MS) return;
    if (known !== undefined) this.#replaced.add(`${meta} ${known}`);
    this.#runs.set(name, run);
  }

  /** The meta node uses another process with this name, which it heard first and which lives. */
  #isRival(meta: NodeId, node: NodeId): boolean {
    const used = this.#runs.get(`${meta} ${nodeNameOf(node)}`);
    return used !== undefined && used !== node && this.#lives(used);
  }

  #lives(node: NodeId): boolean {
    return this.#evidence.nodes.run("data", node)?.stopMs === Number.POSITIVE_INFINITY;
  }

  #saved(
    { by, what, leaseEpoch, table, before, askedMs }: Fact & { kind: "saved" },
    nowMs: number,
  ): Finding | undefined {
    const holder = this.#holders.get(leaseEpoch);
    if (holder !== undefined && holder !== by) {
      return lead(`${by} has saved the ${what} under lease ${leaseEpoch}, which ${holder} has`);
    }
    const waitsMs = askedMs - (this.#steppedDown.get(by) ?? Number.NEGATIVE_INFINITY);
    if (waitsMs > 0 && waitsMs < STEPPED_DOWN_MS) {
      return lead(`${by} has saved the ${what} ${waitsMs} ms after it stepped down`);
    }
    // A node that an operator has blocked leaves as well, without reporting it.
    this.#hasBlocks ||= what === "blocked nodes";
    if (table === undefined) return undefined;
    if (before !== undefined && table.epoch <= before.epoch) {
      return slots(`table ${table.epoch} replaces table ${before.epoch}`);
    }
    const moves = this.#moves(table, { by, askedMs });
    const { slotMovesMax } = this.#evidence.plan.meta;
    // A meta node may know a node that wants to stop only from before that, and take each copy in its place for one too
    // many. It must not begin further moves then.
    const movesBefore = before === undefined ? 0 : this.#moves(before, { by, askedMs });
    if (moves > Math.max(slotMovesMax, movesBefore) && !this.#hasBlocks)
      return slots(`table ${table.epoch} has ${moves} moves under way, of ${slotMovesMax}`);
    for (const [slot, owner] of table.slots.entries()) {
      const isSlow = nowMs > askedMs + SLOW_MS;
      const change = { by, table, before: isSlow ? undefined : before, askedMs, nowMs };
      const text = this.#ownerFault(owner, table) ?? this.#changeFault(slot, change);
      if (text !== undefined) return slots(`table ${table.epoch}, slot ${slot}: ${text}`);
    }
    return undefined;
  }

  /**
   * Slots with a surplus copy: one of them is to be replaced. Copies at leaving nodes don't count, nor those at nodes
   * that are gone, which stay in the table while operators pause the arrangement.
   */
  #moves({ slots: all }: SlotTable, { by, askedMs }: Pick<Change, "by" | "askedMs">): number {
    const { slotReplicas } = this.#evidence.plan.meta;
    const stays = (node: NodeId): boolean => {
      const known = this.#reports.get(`${by} ${node}`);
      return known !== undefined && known.atMs >= askedMs - NEWS_MS && !known.report.isLeaving;
    };
    return all.filter(({ followers }) => followers.filter(stays).length > slotReplicas - 1).length;
  }

  #ownerFault({ leader, leaderEpoch, followers }: SlotOwner, table: SlotTable): string | undefined {
    if (followers.includes(leader)) return `${leader} leads and follows`;
    if (new Set(followers).size < followers.length) return `${followers.join(" ")} follow`;
    return leaderEpoch > table.epoch ? `leader epoch ${leaderEpoch} is to come` : undefined;
  }

  #changeFault(slot: number, { by, table, before, askedMs, nowMs }: Change): string | undefined {
    const [owner, now] = [before?.slots[slot], table.slots[slot]];
    if (owner === undefined || now === undefined || before === undefined) return undefined;
    if (owner.leader === now.leader && owner.leaderEpoch === now.leaderEpoch) return undefined;
    if (now.leaderEpoch <= owner.leaderEpoch)
      return `${now.leader} leads under ${now.leaderEpoch} after ${owner.leaderEpoch}`;
    if (now.followers.includes(owner.leader) && this.#isHeld(slot, owner, { by, askedMs })) {
      return `${now.leader} leads, though ${owner.leader} lives and holds something of it back`;
    }
    const { nodes } = this.#evidence;
    const wasInSync = (node: NodeId, known: Report | undefined): boolean =>
      known !== undefined && nodes.isCopy(known.report, node, { slot, table: before });
    const leading = this.#reports.get(`${by} ${now.leader}`);
    if (owner.leader === now.leader || wasInSync(now.leader, leading)) return undefined;
    // A report of the millisecond in which the store was asked may have come after the decision.
    if (leading !== undefined && leading.atMs >= askedMs && wasInSync(now.leader, leading.earlier)) return undefined;
    // If a store has lost the last table, the meta node has to remember it.
    if (nodes.isForgotten(before)) return undefined;
    const isAlive = (node: NodeId) =>
      this.#lives(node) && !this.#replaced.has(`${by} ${node}`) && !this.#isRival(by, node);
    const isBetter = (node: NodeId): boolean => {
      const known = this.#reports.get(`${by} ${node}`);
      if (known === undefined || known.atMs < nowMs - NEWS_MS || known.atMs >= askedMs) return false;
      return wasInSync(node, known) && isAlive(node);
    };
    const better = owner.followers.find(isBetter);
    return better === undefined ? undefined : `${now.leader} leads, though ${better} has all that was there`;
  }

  /** The slot's leader had reported, before the table was made, that it holds a service of it. */
  #isHeld(slot: number, { leader, leaderEpoch }: SlotOwner, { by, askedMs }: Pick<Change, "by" | "askedMs">): boolean {
    const known = this.#reports.get(`${by} ${leader}`);
    if (known === undefined || known.atMs >= askedMs || known.report.tableEpoch < leaderEpoch) return false;
    return known.report.slots?.held.includes(slot) === true;
  }
}

function lead(text: string): Finding {
  return { rule: "lead: one meta leader at a time", service: undefined, text };
}

function slots(text: string): Finding {
  return { rule: "slots: how the table changes", service: undefined, text };
}
