// A commit in the making: transactions are decided one after the other, each on what those before it would leave, and
// every record that a decision has looked at becomes a condition. So the commit is made only if all of its
// transactions would still be decided the same way, those that were refused as well.
//
// A transaction that looks at more records than a commit may have conditions is a commit of its own, on the condition
// that no other commit to the tree was made, since each of them writes the record of the transactions.

import { assert } from "../../base/assert.ts";
import { CONDITIONS_MAX, OPERATIONS_MAX } from "../bounds.ts";
import type { Commit, Condition, Operation } from "../records.ts";
import { parentOf, ROOT } from "./paths.ts";
import type { KeptNode, KeptSession, TreeView } from "./tree.ts";
import {
  type CommitTxns,
  encodeKids,
  encodeNode,
  encodeSession,
  encodeTxns,
  kidsKey,
  nodeKey,
  type SessionState,
  sessionKey,
  type TreeEvent,
  TXNS_KEY,
} from "./treeRecords.ts";
import { type NodeState, type Offspring, resolved, type SessionId, type Znode, ZXIDS_PER_REVISION } from "./znode.ts";

// One operation is that of the transactions' own record.
const KEYS_MAX = OPERATIONS_MAX - 1;
/** The bytes of all values of one commit, unless a single transaction has more. */
const COMMIT_BYTES_MAX = 1024 * 1024;
/** The most transactions of a commit. */
const TXNS_MAX = ZXIDS_PER_REVISION - 1;

/** A state that a draft wrote; null: it is not there any more. */
interface Written<State> {
  readonly state: State | null;
}

interface WrittenNode extends Written<KeptNode> {
  /** Its first record is written, or its second one. */
  readonly node: boolean;
  readonly kids: boolean;
}

/** The states that were written on top of a view. */
class Layer implements TreeView {
  below: TreeView;
  nodes = new Map<string, WrittenNode>();
  sessions = new Map<SessionId, Written<KeptSession>>();

  constructor(below: TreeView) {
    this.below = below;
  }

  get wholeRevision(): bigint {
    return this.below.wholeRevision;
  }

  node(path: string): KeptNode | undefined {
    const written = this.nodes.get(path);
    return written === undefined ? this.below.node(path) : (written.state ?? undefined);
  }

  session(id: SessionId): KeptSession | undefined {
    const written = this.sessions.get(id);
    return written === undefined ? this.below.session(id) : (written.state ?? undefined);
  }

  *ephemerals(id: SessionId): Generator<string> {
    for (const path of this.below.ephemerals(id)) if (!this.nodes.has(path)) yield path;
    for (const [path, { state }] of this.nodes) {
      const lifetime = state?.znode.lifetime;
      if (lifetime?.kind === "ephemeral" && lifetime.session === id) yield path;
    }
  }

  /** Takes what another layer has written on this one. */
  merge(upper: Layer): void {
    for (const [path, written] of upper.nodes) {
      const before = this.nodes.get(path);
      this.nodes.set(path, {
        state: written.state,
        node: written.node || before?.node === true,
        kids: written.kids || before?.kids === true,
      });
    }
    for (const [id, written] of upper.sessions) this.sessions.set(id, written);
  }

  clear(): void {
    this.nodes = new Map();
    this.sessions = new Map();
  }
}

/** The states that a commit has made, for drafts that begin before the tree has them. */
export class Made implements TreeView {
  readonly revision: bigint;
  readonly #layer: Layer;

  /** Use `Draft.made`. */
  constructor(layer: Layer, revision: bigint) {
    this.revision = revision;
    this.#layer = layer;
    for (const [path, written] of layer.nodes) {
      if (written.state !== null)
        layer.nodes.set(path, { ...written, state: nodeAt(written.state, written, revision) });
    }
    for (const [id, { state }] of layer.sessions) {
      if (state !== null) layer.sessions.set(id, { state: { ...state, revision } });
    }
  }

  /** Commits of other nodes may come before this one that are not below yet. */
  get wholeRevision(): bigint {
    return this.#layer.wholeRevision;
  }

  /** The view below has all that the view below it had before, and may have more. */
  rebase(below: TreeView): void {
    this.#layer.below = below;
  }

  node(path: string): KeptNode | undefined {
    return this.#layer.node(path);
  }

  session(id: SessionId): KeptSession | undefined {
    return this.#layer.session(id);
  }

  ephemerals(id: SessionId): Iterable<string> {
    return this.#layer.ephemerals(id);
  }
}

/** The tree's own znodes go on to change. */
function copied({ path, znode, creates, pzxid, children, nodeRevision, kidsRevision }: KeptNode): KeptNode {
  return { path, znode, creates, pzxid, children, nodeRevision, kidsRevision };
}

function nodeAt(state: KeptNode, written: WrittenNode, revision: bigint): KeptNode {
  const { znode, pzxid } = state;
  return {
    ...state,
    znode: { ...znode, czxid: resolved(znode.czxid, revision), mzxid: resolved(znode.mzxid, revision) },
    pzxid: resolved(pzxid, revision),
    nodeRevision: written.node ? revision : state.nodeRevision,
    kidsRevision: written.kids ? revision : state.kidsRevision,
  };
}

/** The verdict on a transaction that was drafted. */
export type Fit =
  | "taken"
  /** It belongs into the next commit. */
  | "full"
  /** No commit is large enough for it. */
  | "tooLarge";

export class Draft {
  readonly #batch: Layer;
  /** The states that the present transaction has written. */
  readonly #txn: Layer;
  readonly #conditions = new Map<string, bigint>();
  #looked = new Map<string, bigint>();
  #events: TreeEvent[] = [];
  #bytes = 0;
  #txnBytes = 0;
  readonly #txns: TreeEvent[][] = [];

  constructor(below: TreeView) {
    this.#batch = new Layer(below);
    this.#txn = new Layer(this.#batch);
  }

  /** The zxid of the present transaction, as a commit writes it. */
  get zxid(): number {
    return this.#txns.length;
  }

  /** Whether a commit of it would change something. */
  get changesSomething(): boolean {
    return this.#txns.length > 0;
  }

  /** Whether it is a transaction that demands that no other commit is made before it. */
  get isLarge(): boolean {
    return this.#conditions.size > CONDITIONS_MAX;
  }

  /** Looks at a znode. */
  node(path: string): NodeState | undefined {
    const node = this.#txn.node(path);
    this.#look(nodeKey(path), node?.nodeRevision ?? 0n);
    return node;
  }

  /** Looks at whether a znode has children, and at their numbers. */
  offspring(node: NodeState): void {
    this.#look(kidsKey(node.path), this.#txn.node(node.path)?.kidsRevision ?? 0n);
  }

  session(id: SessionId): SessionState | undefined {
    const session = this.#txn.session(id);
    this.#look(sessionKey(id), session?.revision ?? 0n);
    return session;
  }

  /** The paths of a session's ephemeral znodes: some of them, if there are more than `max`. */
  ephemerals(id: SessionId, max: number): string[] {
    const paths: string[] = [];
    for (const path of this.#txn.ephemerals(id)) {
      if (paths.length === max) break;
      paths.push(path);
    }
    return paths;
  }

  /** Writes a znode that is there, or creates it. */
  put(path: string, znode: Znode): void {
    const before = this.#txn.node(path);
    const none = { path, creates: 0, pzxid: this.zxid, children: 0, nodeRevision: 0n, kidsRevision: 0n };
    this.#write(path, { ...(before === undefined ? none : copied(before)), znode }, "node");
    this.#txnBytes += znode.data?.length ?? 0;
    if (before === undefined) this.#born(path, 1);
  }

  /** Deletes a znode without children. */
  delete(path: string): void {
    const before = this.#txn.node(path);
    assert(before !== undefined && before.children === 0, "only a leaf is deleted");
    this.offspring(before);
    if (before.creates !== 0) this.#write(path, null, "kids");
    this.#write(path, null, "node");
    this.#born(path, -1);
  }

  putSession(session: SessionState): void {
    this.#look(sessionKey(session.id), this.#txn.session(session.id)?.revision ?? 0n);
    this.#txn.sessions.set(session.id, { state: { ...session, revision: 0n } });
  }

  deleteSession(id: SessionId): void {
    this.#look(sessionKey(id), this.#txn.session(id)?.revision ?? 0n);
    this.#txn.sessions.set(id, { state: null });
  }

  happened(event: TreeEvent): void {
    this.#events.push(event);
  }

  /** Forgets what the present transaction has written: it is refused, because of what it has looked at. */
  undo(): void {
    this.#txn.clear();
    this.#events = [];
    this.#txnBytes = 0;
  }

  /** Ends the present transaction, which is part of the commit if it fits. */
  end(): Fit {
    const fit = this.#fit();
    if (fit === "taken") {
      for (const [key, revision] of this.#looked) this.#conditions.set(key, revision);
      if (this.#txn.nodes.size + this.#txn.sessions.size > 0) this.#txns.push(this.#events);
      this.#bytes += this.#txnBytes;
      this.#batch.merge(this.#txn);
    }
    this.undo();
    this.#looked = new Map();
    return fit;
  }

  /** The commit. `maker` and `number` are unique to it. */
  commit({ maker, number }: Pick<CommitTxns, "maker" | "number">): Commit {
    const conditions: Condition[] = [];
    const demanded = this.isLarge ? [[TXNS_KEY, this.#batch.wholeRevision] as const] : this.#conditions;
    for (const [key, revision] of demanded) conditions.push({ kind: "revision", key, revision });
    const operations: Operation[] = [];
    for (const [path, written] of this.#batch.nodes) operations.push(...this.#nodeOperations(path, written));
    for (const [id, { state }] of this.#batch.sessions) {
      const key = sessionKey(id);
      operations.push(state === null ? { kind: "delete", key } : { kind: "put", key, value: encodeSession(state) });
    }
    if (this.changesSomething) {
      const value = encodeTxns({ maker, number, txns: this.#txns });
      operations.push({ kind: "put", key: TXNS_KEY, value });
    }
    return { conditions, operations };
  }

  /** The states that the commit has made. The draft is over. */
  made(revision: bigint): Made {
    return new Made(this.#batch, revision);
  }

  #nodeOperations(path: string, { state, node, kids }: WrittenNode): Operation[] {
    const operations: Operation[] = [];
    if (node) {
      const key = nodeKey(path);
      operations.push(
        state === null ? { kind: "delete", key } : { kind: "put", key, value: encodeNode(path, state.znode) },
      );
    }
    if (kids) {
      const key = kidsKey(path);
      operations.push(
        state === null || state.creates === 0
          ? { kind: "delete", key }
          : { kind: "put", key, value: encodeKids(path, state) },
      );
    }
    return operations;
  }

  #fit(): Fit {
    const keys = this.#operations(this.#txn);
    const conditions = [...this.#looked.keys()].filter((key) => !this.#conditions.has(key)).length;
    const isFirst = this.#conditions.size === 0;
    const isRoom =
      (isFirst || this.#conditions.size + conditions <= CONDITIONS_MAX) &&
      this.#operations(this.#batch) + keys <= KEYS_MAX &&
      this.#txns.length < TXNS_MAX &&
      (isFirst || this.#bytes + this.#txnBytes <= COMMIT_BYTES_MAX);
    if (isRoom) return "taken";
    return isFirst ? "tooLarge" : "full";
  }

  #operations(layer: Layer): number {
    let count = layer.sessions.size;
    for (const { node, kids } of layer.nodes.values()) count += (node ? 1 : 0) + (kids ? 1 : 0);
    return count;
  }

  /** Counts a child that came or went. */
  #born(path: string, difference: 1 | -1): void {
    if (path === ROOT) return;
    const parent = this.#txn.node(parentOf(path));
    assert(parent !== undefined, "a child has a parent");
    this.offspring(parent);
    const creates = difference === 1 ? (parent.creates + 1) | 0 : parent.creates;
    const offspring: Offspring = { creates, pzxid: this.zxid };
    this.#write(parent.path, { ...copied(parent), ...offspring, children: parent.children + difference }, "kids");
  }

  #write(path: string, state: KeptNode | null, record: "node" | "kids"): void {
    // A record that is written is a condition: of two commits that write it only one is made.
    const before = this.#txn.node(path);
    this.#look(nodeKey(path), before?.nodeRevision ?? 0n);
    if (record === "kids") this.#look(kidsKey(path), before?.kidsRevision ?? 0n);
    const known = this.#txn.nodes.get(path);
    this.#txn.nodes.set(path, {
      state,
      node: known?.node === true || record === "node",
      kids: known?.kids === true || record === "kids",
    });
  }

  /** The first look counts: later ones see what this commit itself writes. */
  #look(key: string, revision: bigint): void {
    if (!this.#looked.has(key) && !this.#conditions.has(key)) this.#looked.set(key, revision);
  }
}
