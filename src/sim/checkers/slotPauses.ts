// While operators pause the arrangement of slots, a table changes no slot whose leader and followers all live and stay.
// A pause counts for the meta node that has saved it from its answer to the operator on, and for later leaders from the
// beginning of their leads, since they read it. One that the store has lost is no longer judged.

import { type NodeId, nodeNameOf } from "../../model/ids.ts";
import type { SlotOwner } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

// A node whose last link was closed for this long may be taken for gone; before that it has sent a heartbeat.
const NEWS_MS = 900;
// An arrangement that an operator has asked for is made within this, or at a later leader never.
const ASKED_MS = 10_000;

/** A pause that the store has. */
interface Pause {
  readonly leaseEpoch: bigint;
  /** The time at which its operator was told that it is in force. */
  knownMs: number;
}

export class SlotPauseChecker implements Checker {
  readonly #evidence: Evidence;
  #pause: Pause | undefined;
  #arrangeAskedMs = Number.NEGATIVE_INFINITY;
  #hasBlocks = false;
  /** The time of the last heartbeat of each data node that stays, at each meta node. */
  readonly #heardMs = new Map<string, number>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "reported": {
        const { role, isLeaving } = fact.message;
        if (role === "data")
          this.#heardMs.set(`${fact.to} ${fact.from.id}`, isLeaving ? Number.NEGATIVE_INFINITY : nowMs);
        return undefined;
      }
      case "slotsPaused":
        if (fact.isPaused && this.#pause !== undefined) this.#pause.knownMs = Math.min(this.#pause.knownMs, nowMs);
        return undefined;
      case "arrangeAsked":
        this.#arrangeAskedMs = nowMs;
        return undefined;
      case "failedOver":
        this.#pause = undefined;
        return undefined;
      case "saved":
        return this.#saved(fact);
      default:
        return undefined;
    }
  }

  #saved(fact: Fact & { kind: "saved" }): Finding | undefined {
    const { what, leaseEpoch, askedMs, table, before } = fact;
    this.#hasBlocks ||= what === "blocked nodes";
    if (what === "slot pause") this.#pause ??= { leaseEpoch, knownMs: Number.POSITIVE_INFINITY };
    if (what === "end of the slot pause") this.#pause = undefined;
    if (table === undefined || before === undefined || this.#pause === undefined || this.#hasBlocks) return undefined;
    const isKnown = leaseEpoch > this.#pause.leaseEpoch || askedMs > this.#pause.knownMs;
    if (!isKnown || askedMs <= this.#arrangeAskedMs + ASKED_MS || this.#evidence.nodes.isForgotten(before)) {
      return undefined;
    }
    for (const [slot, owner] of before.slots.entries()) {
      const now = table.slots[slot];
      if (now === undefined || textOf(now) === textOf(owner) || this.#hasReason(owner, fact)) continue;
      const text = `table ${table.epoch} gives slot ${slot} of ${textOf(owner)} to ${textOf(now)} in a pause`;
      return { rule: "slots: how the table changes", service: undefined, text };
    }
    return undefined;
  }

  /** One of its nodes may be gone or leave, as the meta node knows it. */
  #hasReason({ leader, followers }: SlotOwner, { by, askedMs }: Fact & { kind: "saved" }): boolean {
    return [leader, ...followers].some((node) => {
      const heardMs = this.#heardMs.get(`${by} ${node}`) ?? Number.NEGATIVE_INFINITY;
      return heardMs < askedMs - NEWS_MS || this.#hasRival(node);
    });
  }

  /** Another process has its name: one of the two is not a member. */
  #hasRival(node: NodeId): boolean {
    const runs = this.#evidence.nodes.living("data");
    return runs.some(({ id }) => id !== node && nodeNameOf(id) === nodeNameOf(node));
  }
}

function textOf({ leader, followers }: SlotOwner): string {
  return [leader, ...[...followers].sort()].join(" ");
}
