// A slot that this node leads, in one of two phases. It gathers until every session of the cluster has reported what it
// holds in the slot: publications are taken, and no list is sent, since it could be incomplete. Then it serves. A
// session that returns after a long absence with something that is not here makes it gather again, so that what comes
// back is shown together and not one by one.

import type { InventoryEntry } from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import type { SlotContents } from "./slotContents.ts";

/** The phase of a led slot; for a gathering one the time at which it began. */
type Phase = { readonly kind: "gathering"; readonly sinceMs: number } | { readonly kind: "serving" };

const SERVING: Phase = { kind: "serving" };

export class LedSlot {
  readonly duty = "lead";
  readonly leaderEpoch: bigint;
  readonly contents: SlotContents;
  /** Sessions that have sent anything of theirs here since the lead began; what they had here before is incomplete. */
  readonly spoke = new Set<NodeId>();
  /** Registrations that sessions have and that are still to come, by session, as `registId\nserviceKey`. */
  readonly wanted = new Map<NodeId, Set<string>>();
  /** Registrations that sessions have too, and that lost only by their time to another session's, by session. */
  readonly claims = new Map<NodeId, readonly InventoryEntry[]>();
  /** Sessions whose digest was found to differ, and has not agreed since; for takeovers and for all else. */
  readonly diverged = new Map<NodeId, "takeover" | "digest">();
  /** Nodes that hear every change. */
  readonly followers = new Set<NodeId>();
  /** Sessions whose registrations of this slot are all here. */
  readonly #heard = new Set<NodeId>();
  /** Those of them whose link has stood since: their messages are current. */
  readonly #upToDate = new Set<NodeId>();
  /** Sessions that have a registration which is not here yet, and were not heard before. */
  readonly #awaited = new Set<NodeId>();
  #phase: Phase;

  /** The lead begins at `nowMs`. */
  constructor(leaderEpoch: bigint, contents: SlotContents, nowMs: number) {
    this.leaderEpoch = leaderEpoch;
    this.contents = contents;
    this.#phase = { kind: "gathering", sinceMs: nowMs };
  }

  /** Lists are sent. */
  get isServing(): boolean {
    return this.#phase.kind === "serving";
  }

  /** All registrations of the session are here. */
  markHeard(session: NodeId): void {
    this.#heard.add(session);
    this.#upToDate.add(session);
    this.spoke.add(session);
    this.#awaited.delete(session);
  }

  hasHeard(session: NodeId): boolean {
    return this.#heard.has(session);
  }

  /** The session has been heard, and its link has stood since. */
  isUpToDate(session: NodeId): boolean {
    return this.#upToDate.has(session);
  }

  /** The session's link is gone: what it says next may be old. */
  unlinked(session: NodeId): void {
    this.#upToDate.delete(session);
  }

  /** A session that was not heard before has something that is not here. Returns whether the slot ceases to serve. */
  waitFor(session: NodeId, nowMs: number): boolean {
    this.#awaited.add(session);
    if (!this.isServing) return false;
    this.#phase = { kind: "gathering", sinceMs: nowMs };
    return true;
  }

  /** The session is not waited for any more. */
  stopWaitingFor(session: NodeId): void {
    this.#awaited.delete(session);
  }

  /** Sessions that are waited for because they have something that is not here. */
  awaited(): Iterable<NodeId> {
    return this.#awaited;
  }

  /** The session is gone for good. */
  forget(session: NodeId): void {
    this.#heard.delete(session);
    this.claims.delete(session);
    this.wanted.delete(session);
  }

  /**
   * Serves if these sessions have all been heard, or were waited for longer than `waitMs`, and at least until
   * `overdueMs`. Returns whether it begins.
   */
  serveIfHeard(
    sessions: ReadonlySet<NodeId>,
    { nowMs, waitMs, overdueMs }: { nowMs: number; waitMs: number; overdueMs: number },
  ): boolean {
    if (this.#phase.kind === "serving") return false;
    const isOverdue = nowMs >= Math.max(this.#phase.sinceMs + waitMs, overdueMs);
    if (!isOverdue && (this.#awaited.size > 0 || ![...sessions].every((session) => this.#heard.has(session)))) {
      return false;
    }
    this.#phase = SERVING;
    this.#awaited.clear();
    return true;
  }
}
