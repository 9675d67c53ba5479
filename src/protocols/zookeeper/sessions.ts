// Which sessions have ended. The node that a client is connected to judges its session: it hears the client, and no
// heartbeat leaves it. The session's record names the judge, and each change of judge is a commit, after which the new
// one gives a full timeout. So at most one node can end a session, and that one has not heard its client for a timeout.
//
// A client that comes to another node makes that one the judge. When a node is gone, the others take over its sessions,
// each of them one node; if that one does not, the next. A judge that is alive after all, and has the client, takes the
// session back.
//
// A node that does not reach the store can't know that others have taken over its sessions. It cuts their clients off
// after two thirds of their timeout: so a client is told that it is cut off before its session can have ended
// elsewhere.

import type { NodeId } from "../../model/ids.ts";
import type { Transaction } from "../../records/tree/transactions.ts";
import type { KeptSession, Tree } from "../../records/tree/tree.ts";
import type { Written } from "../../records/tree/treeWriter.ts";
import type { SessionId } from "../../records/tree/znode.ts";

/** A connection that has a session. */
export interface Attached {
  /** `ip:port` of the client. */
  readonly remoteAddress: string;
  /** The session goes on elsewhere, has ended, or can't be judged: the connection ends. */
  cutOff(reason: "moved" | "ended" | "store away"): void;
}

export interface SessionsParts {
  readonly self: NodeId;
  readonly tree: Pick<Tree, "session" | "sessions">;
  readonly submit: (txn: Transaction, done: (written: Written) => void) => void;
  /** The nodes with the role session; empty as long as this node does not know. */
  readonly members: () => ReadonlySet<NodeId>;
  readonly nowMs: () => number;
}

/** A node counts as gone when it has been no member for so long. */
const GONE_MS = 1_000;
/** A node that does not take a session over by then may not reach the store, or not serve ZooKeeper's clients. */
const TURN_MS = 5_000;
const SECOND_MS = 1_000;

export class Sessions {
  readonly #parts: SessionsParts;
  readonly #attached = new Map<SessionId, Attached>();
  /** The sessions that this node judges, and when it last heard of their clients. */
  readonly #heardMs = new Map<SessionId, number>();
  /** Those whose end, or change of judge, is under way. */
  readonly #underWay = new Set<SessionId>();
  /** Judges that are no members, and since when. */
  readonly #goneMs = new Map<NodeId, number>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  /** The number of sessions that this node judges. */
  get judged(): number {
    return this.#heardMs.size;
  }

  /** Whether this node judges a session. */
  judges(id: SessionId): boolean {
    return this.#heardMs.has(id);
  }

  /** Whether its end, or a change of its judge, is under way: it may be gone in a moment. */
  isChanging(id: SessionId): boolean {
    return this.#underWay.has(id);
  }

  /** The address of a session's client, if it is connected here. */
  addressOf(id: SessionId): string | undefined {
    return this.#attached.get(id)?.remoteAddress;
  }

  /** The client was heard of. */
  heard(id: SessionId, nowMs: number): void {
    if (this.#heardMs.has(id)) this.#heardMs.set(id, nowMs);
  }

  /** A connection has the session; the one before ends. */
  attach(id: SessionId, connection: Attached, nowMs: number): void {
    const before = this.#attached.get(id);
    this.#attached.set(id, connection);
    if (before !== undefined && before !== connection) before.cutOff("moved");
    this.heard(id, nowMs);
  }

  /** The connection has ended; its session goes on. */
  detach(id: SessionId, connection: Attached): void {
    if (this.#attached.get(id) === connection) this.#attached.delete(id);
  }

  /** A session of the tree has changed. Call it from the tree's listener. */
  changed(id: SessionId, session: KeptSession | undefined): void {
    const { self } = this.#parts;
    const attached = this.#attached.get(id);
    if (session === undefined || session.judge !== self) this.#heardMs.delete(id);
    else if (!this.#heardMs.has(id)) this.#heardMs.set(id, this.#parts.nowMs());
    if (session === undefined) attached?.cutOff("ended");
    else if (session.judge !== self && attached !== undefined) {
      if (session.isAdopted) this.#adopt(session, false);
      else attached.cutOff("moved");
    }
  }

  /** This process stood still for `awayMs`: what clients sent meanwhile may still be unread. */
  resumed(awayMs: number): void {
    for (const [id, heardMs] of this.#heardMs) this.#heardMs.set(id, heardMs + awayMs);
  }

  /** Ends sessions, and takes over those of nodes that are gone. `contactMs`: when the store was last reached. */
  check(nowMs: number, contactMs: number): void {
    for (const [id, heardMs] of this.#heardMs) this.#judge(id, nowMs - heardMs);
    const cutOffMs = nowMs - contactMs;
    for (const [id, connection] of [...this.#attached]) {
      const timeoutMs = this.#parts.tree.session(id)?.timeoutMs ?? 0;
      if (cutOffMs > (timeoutMs * 2) / 3) connection.cutOff("store away");
    }
    if (nowMs - this.#lookedMs < SECOND_MS) return;
    this.#lookedMs = nowMs;
    this.#takeOver(nowMs);
  }

  /** Ends a session that this node judges, with all of its ephemeral znodes. */
  end(id: SessionId, done: (written: Written) => void): void {
    this.#underWay.add(id);
    this.#parts.submit({ kind: "endSession", session: id, judge: this.#parts.self }, (written) => {
      if (written.kind === "done" && !written.isWhole) return this.end(id, done);
      this.#underWay.delete(id);
      done(written);
    });
  }

  #judge(id: SessionId, silentMs: number): void {
    const session = this.#parts.tree.session(id);
    if (session === undefined || this.#underWay.has(id)) return;
    // The end of a session that has begun is brought to its end by the next judge.
    if (silentMs > session.timeoutMs || (session.isEnding && silentMs > SECOND_MS)) this.end(id, () => undefined);
  }

  #takeOver(nowMs: number): void {
    const { self, members: asked, tree } = this.#parts;
    const members = asked();
    if (!members.has(self)) return;
    for (const node of this.#goneMs.keys()) if (members.has(node)) this.#goneMs.delete(node);
    const order = [...members].sort();
    for (const session of tree.sessions()) {
      const { judge, id } = session;
      if (members.has(judge) || this.#underWay.has(id)) continue;
      const sinceMs = this.#goneMs.get(judge) ?? nowMs;
      this.#goneMs.set(judge, sinceMs);
      const goneMs = nowMs - sinceMs;
      const turn = Math.floor(goneMs / TURN_MS);
      if (goneMs >= GONE_MS && order[(id + turn) % order.length] === self) this.#adopt(session, true);
    }
  }

  #adopt({ id, judge: from }: KeptSession, isAdopted: boolean): void {
    this.#underWay.add(id);
    const txn = { kind: "adoptSession", session: id, judge: this.#parts.self, from, isAdopted } as const;
    this.#parts.submit(txn, () => void this.#underWay.delete(id));
  }
}
