// A node's own copy of the tree, as of one revision: znodes by path, and sessions. Commits of the store are applied to
// it in order, whole; what they did is told to the listener, for watches. It decides nothing: ./evaluate.ts does.

import { assert, defined } from "../../base/assert.ts";
import type { Change, StoredRecord } from "../records.ts";
import { OPEN_ACL } from "./acl.ts";
import { nameOf, parentOf, ROOT } from "./paths.ts";
import {
  type CommitTxns,
  decodeRecord,
  isLongPath,
  kidsKey,
  nodeKey,
  readKey,
  type SessionState,
  type TreeEvent,
  type TreeRecord,
} from "./treeRecords.ts";
import { type NodeState, type Offspring, PERSISTENT, resolved, type SessionId, type Znode, zxidAt } from "./znode.ts";

/** A znode with the revisions of its two records; 0: there is none. */
export interface KeptNode extends NodeState {
  readonly nodeRevision: bigint;
  readonly kidsRevision: bigint;
}

/** A session with the revision of its record. */
export interface KeptSession extends SessionState {
  readonly revision: bigint;
}

/** The side that follows the tree. Calls come within `apply`, when the whole commit is in the tree. */
export interface TreeListener {
  /** One transaction did this, in this order. */
  happened(events: readonly TreeEvent[], zxid: number): void;
  /** A commit is in the tree. */
  committed(commit: CommitTxns, revision: bigint): void;
  /** A session is there, has another judge, or has ended (undefined). */
  sessionChanged(id: SessionId, session: KeptSession | undefined): void;
}

/** The questions that a state of the tree answers. */
export interface TreeView {
  /** The last commit to the tree that the state has together with all before it; 0 before the first one. */
  readonly wholeRevision: bigint;
  node(path: string): KeptNode | undefined;
  session(id: SessionId): KeptSession | undefined;
  /** The paths of a session's ephemeral znodes, in no order. */
  ephemerals(id: SessionId): Iterable<string>;
}

/** Znodes that are always there, with no record as long as they are as they began. */
export const SYSTEM_PATHS = [ROOT, "/zookeeper", "/zookeeper/config", "/zookeeper/quota"] as const;
const SYSTEM_ZNODE: Znode = {
  ...{ czxid: 0, mzxid: 0, createdMs: 0, modifiedMs: 0, version: 0, aclVersion: 0 },
  lifetime: PERSISTENT,
  acl: OPEN_ACL,
  data: new Uint8Array(0),
};

class TreeNode implements KeptNode {
  readonly path: string;
  /** Undefined: it is the root. */
  readonly parent: TreeNode | undefined;
  /** Undefined: only its children, or its second record, have been read so far. */
  kept: Znode | undefined;
  creates = 0;
  /** 0: no child was created; then it is the node's own. */
  pzxidOwn = 0;
  nodeRevision = 0n;
  kidsRevision = 0n;
  readonly names = new Set<string>();
  /** The znodes at and below it, and the bytes of their data. */
  nodesWithin = 0;
  bytesWithin = 0;
  /** The names in a form that a protocol keeps; dropped when they change. */
  encodedNames: Uint8Array | undefined;

  constructor(path: string, parent: TreeNode | undefined) {
    this.path = path;
    this.parent = parent;
  }

  get znode(): Znode {
    assert(this.kept !== undefined, "only znodes that are there are asked");
    return this.kept;
  }

  get pzxid(): number {
    return this.pzxidOwn === 0 ? this.znode.czxid : this.pzxidOwn;
  }

  get children(): number {
    return this.names.size;
  }
}

export class Tree implements TreeView {
  readonly #listener: TreeListener;
  #nodes = new Map<string, TreeNode>();
  #sessions = new Map<SessionId, KeptSession>();
  #ephemerals = new Map<SessionId, Set<string>>();
  /** The paths of keys that have a digest instead. */
  readonly #longPaths = new Map<string, string>();
  #bytes = 0;
  #revision = 0n;
  #lastZxid = 0;

  constructor(listener: TreeListener) {
    this.#listener = listener;
    this.#begin();
  }

  /** The revision of the last commit to the tree that is here; 0 before the first one. */
  get revision(): bigint {
    return this.#revision;
  }

  get wholeRevision(): bigint {
    return this.#revision;
  }

  /** The last transaction that is here. */
  get lastZxid(): number {
    return this.#lastZxid;
  }

  /** The number of znodes. */
  get size(): number {
    return this.#nodes.size;
  }

  /** The bytes of all data and paths. */
  get bytes(): number {
    return this.#bytes;
  }

  node(path: string): KeptNode | undefined {
    const node = this.#nodes.get(path);
    return node?.kept === undefined ? undefined : node;
  }

  session(id: SessionId): KeptSession | undefined {
    return this.#sessions.get(id);
  }

  ephemerals(id: SessionId): Iterable<string> {
    return this.#ephemerals.get(id) ?? [];
  }

  /** All sessions, in no order. */
  sessions(): Iterable<KeptSession> {
    return this.#sessions.values();
  }

  /** All sessions with ephemeral znodes, and these. */
  ephemeralsBySession(): Iterable<readonly [SessionId, ReadonlySet<string>]> {
    return this.#ephemerals;
  }

  /** The number of znodes at and below a path, and the bytes of their data. */
  within(path: string): { readonly nodes: number; readonly bytes: number } {
    const node = this.#nodes.get(path);
    return { nodes: node?.nodesWithin ?? 0, bytes: node?.bytesWithin ?? 0 };
  }

  /** The names of a znode's children, in no order; none of a znode that is not there. */
  names(path: string): ReadonlySet<string> {
    return this.#nodes.get(path)?.names ?? NO_NAMES;
  }

  /** The names as `encode` writes them: once for each state of the children, whatever the number of readers. */
  encodedNames(path: string, encode: (names: readonly string[]) => Uint8Array): Uint8Array {
    const node = this.#nodes.get(path);
    if (node === undefined) return encode([]);
    node.encodedNames ??= encode([...node.names]);
    return node.encodedNames;
  }

  /** All znodes, in no order. */
  *all(): Generator<KeptNode> {
    for (const node of this.#nodes.values()) if (node.kept !== undefined) yield node;
  }

  /**
   * Begins anew with all records of TREE_RANGE, as of one revision. The listener hears nothing. Throws STORE_DAMAGED;
   * the tree is as it was then.
   */
  load(records: readonly StoredRecord[]): void {
    const all = records.map(({ key, value, revision }) => ({ read: decodeRecord(key, value), revision }));
    this.#begin();
    for (const { read, revision } of all) this.#put(read, revision);
  }

  /**
   * Applies changes in order: whole commits, all after those that are here. Throws STORE_DAMAGED; nothing of the commit
   * is in the tree then.
   */
  apply(changes: readonly Change[]): void {
    for (let at = 0; at < changes.length; ) {
      const revision = revisionOf(changes[at]);
      let end = at + 1;
      while (end < changes.length && revisionOf(changes[end]) === revision) end++;
      this.#applyCommit(changes.slice(at, end), revision);
      at = end;
    }
  }

  #begin(): void {
    this.#nodes = new Map();
    this.#sessions = new Map();
    this.#ephemerals = new Map();
    this.#longPaths.clear();
    this.#bytes = 0;
    this.#revision = 0n;
    this.#lastZxid = 0;
    for (const path of SYSTEM_PATHS) {
      const node = this.#held(path);
      node.kept = SYSTEM_ZNODE;
      this.#count(node, 1, 0);
      node.parent?.names.add(nameOf(path));
    }
  }

  #applyCommit(changes: readonly Change[], revision: bigint): void {
    const sessions: SessionId[] = [];
    let commit: CommitTxns | undefined;
    const all = changes.flatMap((each) =>
      each.kind === "put" ? [decodeRecord(each.record.key, each.record.value)] : [],
    );
    // Deletions first: a znode that was deleted and created again within one commit has only its last state here.
    for (const change of changes) if (change.kind === "deleted") this.#delete(change.key, sessions);
    for (const read of all) {
      this.#put(read, revision);
      if (read?.kind === "session") sessions.push(read.session.id);
      if (read?.kind === "txns") commit = read.commit;
    }
    if (commit !== undefined) this.#tell(commit, revision);
    for (const id of sessions) this.#listener.sessionChanged(id, this.#sessions.get(id));
  }

  #tell(commit: CommitTxns, revision: bigint): void {
    for (const [place, events] of commit.txns.entries()) {
      if (events.length > 0) this.#listener.happened(events, zxidAt(revision, place));
    }
    this.#listener.committed(commit, revision);
  }

  #put(read: TreeRecord | undefined, revision: bigint): void {
    switch (read?.kind) {
      case "node":
        this.#putNode(read.path, read.znode, revision);
        break;
      case "kids":
        this.#putKids(read.path, read.offspring, revision);
        break;
      case "session":
        this.#sessions.set(read.session.id, { ...read.session, revision });
        break;
      case "txns":
        this.#revision = revision;
        this.#lastZxid = zxidAt(revision, Math.max(0, read.commit.txns.length - 1));
        break;
      case undefined:
        break;
    }
  }

  #putNode(path: string, znode: Znode, revision: bigint): void {
    const node = this.#held(path);
    this.#dropOwner(node);
    const grown = (znode.data?.length ?? 0) - (node.kept?.data?.length ?? 0);
    this.#bytes += grown + (node.kept === undefined ? path.length : 0);
    this.#count(node, node.kept === undefined ? 1 : 0, grown);
    const { czxid, mzxid } = znode;
    node.kept = { ...znode, czxid: resolved(czxid, revision), mzxid: resolved(mzxid, revision) };
    node.nodeRevision = revision;
    this.#setName(node, true);
    if (znode.lifetime.kind !== "ephemeral") return;
    const { session } = znode.lifetime;
    const own = this.#ephemerals.get(session) ?? new Set();
    this.#ephemerals.set(session, own.add(path));
  }

  #putKids(path: string, { creates, pzxid }: Offspring, revision: bigint): void {
    const node = this.#held(path);
    node.creates = creates;
    node.pzxidOwn = resolved(pzxid, revision);
    node.kidsRevision = revision;
  }

  #delete(key: string, sessions: SessionId[]): void {
    const named = readKey(key);
    if (named.kind === "session") {
      this.#sessions.delete(named.id);
      sessions.push(named.id);
    }
    if (named.kind !== "node" && named.kind !== "kids") return;
    const path = named.path ?? this.#longPaths.get(key);
    const node = path === undefined ? undefined : this.#nodes.get(path);
    if (node === undefined) return;
    if (named.kind === "kids") {
      node.creates = 0;
      node.pzxidOwn = 0;
      node.kidsRevision = 0n;
    } else this.#deleteNode(node);
  }

  #deleteNode(node: TreeNode): void {
    if (node.kept === undefined) return;
    this.#dropOwner(node);
    const bytes = node.kept.data?.length ?? 0;
    this.#bytes -= node.path.length + bytes;
    node.kept = undefined;
    node.nodeRevision = 0n;
    this.#setName(node, false);
    this.#count(node, -1, -bytes);
    this.#forgetIfUnused(node);
  }

  #count(node: TreeNode, nodes: number, bytes: number): void {
    if (nodes === 0 && bytes === 0) return;
    for (let at: TreeNode | undefined = node; at !== undefined; at = at.parent) {
      at.nodesWithin += nodes;
      at.bytesWithin += bytes;
    }
  }

  /** The znode of a path, or a place for it and for those above: the records of a commit come in the order of keys. */
  #held(path: string): TreeNode {
    const missing: string[] = [];
    let at = path;
    let node = this.#nodes.get(at);
    while (node === undefined) {
      missing.push(at);
      if (at === ROOT) break;
      at = parentOf(at);
      node = this.#nodes.get(at);
    }
    for (const place of missing.reverse()) {
      node = new TreeNode(place, node);
      this.#nodes.set(place, node);
      if (!isLongPath(place)) continue;
      this.#longPaths.set(nodeKey(place), place);
      this.#longPaths.set(kidsKey(place), place);
    }
    return defined(node, "a path that is missing was added");
  }

  #setName({ path, parent }: TreeNode, isThere: boolean): void {
    if (parent === undefined) return;
    const had = parent.names.size;
    if (isThere) parent.names.add(nameOf(path));
    else parent.names.delete(nameOf(path));
    if (parent.names.size !== had) parent.encodedNames = undefined;
  }

  /** Forgets the places at and above a path with no znode at or below them. */
  #forgetIfUnused(node: TreeNode): void {
    for (let at: TreeNode | undefined = node; at !== undefined && at.nodesWithin === 0; at = at.parent) {
      this.#nodes.delete(at.path);
      if (!isLongPath(at.path)) continue;
      this.#longPaths.delete(nodeKey(at.path));
      this.#longPaths.delete(kidsKey(at.path));
    }
  }

  #dropOwner({ path, kept }: TreeNode): void {
    if (kept?.lifetime.kind !== "ephemeral") return;
    const { session } = kept.lifetime;
    const own = this.#ephemerals.get(session);
    own?.delete(path);
    if (own?.size === 0) this.#ephemerals.delete(session);
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();

function revisionOf(change: Change | undefined): bigint {
  if (change === undefined) return 0n;
  return change.kind === "put" ? change.record.revision : change.revision;
}
