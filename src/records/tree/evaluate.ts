// Decides a transaction: on what a draft shows, and into it. The order of the checks is ZooKeeper's, since it decides
// which error a client is told.

import { assert } from "../../base/assert.ts";
import { type AuthId, allows, keptAcl, OPEN_ACL, PERMISSION } from "./acl.ts";
import type { Draft } from "./draft.ts";
import { childPath, isPath, parentOf, pathAndAncestors } from "./paths.ts";
import {
  ANY_VERSION,
  type Author,
  type StepResult,
  type Transaction,
  type TreeFault,
  type TreeStep,
} from "./transactions.ts";
import { SYSTEM_PATHS } from "./tree.ts";
import { EVENT } from "./treeRecords.ts";
import { type Lifetime, type NodeState, nextVersion, PERSISTENT, sequenceOf, statOf, type Znode } from "./znode.ts";

/** The things that decisions need beside the tree. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Whether there is room for one more znode, or as many more bytes, at this path. */
  readonly hasRoom: (path: string, grown: { readonly nodes: number; readonly bytes: number }) => boolean;
}

/** A decision; zxids of its own commit are places. */
export type Decision =
  | { readonly kind: "done"; readonly results: readonly StepResult[]; readonly isWhole: boolean }
  | { readonly kind: "refused"; readonly fault: TreeFault; readonly at: number };

/** The most ephemerals that one commit deletes: each takes two of its hundred conditions, its own and its parent's. */
const ENDED_AT_ONCE = 45;

const DONE: Decision = { kind: "done", results: [], isWhole: true };

/** Decides. Whatever a refused transaction has written must be undone; what it has looked at counts. */
export function evaluate(draft: Draft, txn: Transaction, surroundings: Surroundings): Decision {
  switch (txn.kind) {
    case "step":
      return steps(draft, [txn.step], { author: txn.author, ...surroundings });
    case "multi":
      return steps(draft, txn.steps, { author: txn.author, ...surroundings });
    case "beginSession":
      return beginSession(draft, txn);
    case "moveSession":
      return moveSession(draft, txn);
    case "adoptSession":
      return adoptSession(draft, txn);
    case "endSession":
      return endSession(draft, txn);
    case "mirror":
      return mirror(draft, txn, surroundings);
    case "prune":
      return prune(draft, txn.path, surroundings.nowMs);
  }
}

interface StepContext extends Surroundings {
  readonly author: Author;
}

function refused(fault: TreeFault, at = 0): Decision {
  return { kind: "refused", fault, at };
}

function steps(draft: Draft, all: readonly TreeStep[], context: StepContext): Decision {
  const { session, node } = context.author;
  const state = draft.session(session);
  if (state === undefined || state.isEnding) return refused("sessionExpired");
  if (state.judge !== node) return refused("sessionMoved");
  const results: StepResult[] = [];
  for (const [at, step] of all.entries()) {
    const result = stepOf(draft, step, context);
    if (typeof result === "string") return refused(result, at);
    results.push(result);
  }
  return { kind: "done", results, isWhole: true };
}

function stepOf(draft: Draft, step: TreeStep, context: StepContext): StepResult | TreeFault {
  switch (step.kind) {
    case "create":
      return create(draft, step, context);
    case "delete":
      return remove(draft, step, context.author.ids);
    case "setData":
      return setData(draft, step, context);
    case "setAcl":
      return setAcl(draft, step, context.author.ids);
    case "check":
      return check(draft, step, context.author.ids);
  }
}

type Step<Kind extends TreeStep["kind"]> = TreeStep & { readonly kind: Kind };

function create(draft: Draft, step: Step<"create">, { author, nowMs, hasRoom }: StepContext): StepResult | TreeFault {
  const slash = step.path.lastIndexOf("/");
  if (slash < 0 || step.path.includes("\0")) return "badArguments";
  const acl = keptAcl(step.acl, author.ids);
  if (acl === undefined) return "invalidAcl";
  const parentPath = parentOf(step.path);
  if (!isPath(parentPath)) return "badArguments";
  const parent = draft.node(parentPath);
  if (parent === undefined) return "noNode";
  if (!allows(parent.znode.acl, PERMISSION.create, author.ids)) return "noAuth";
  if (step.isSequential) draft.offspring(parent);
  const path = step.isSequential ? `${step.path}${sequenceOf(parent.creates)}` : step.path;
  if (!isPath(path)) return "badArguments";
  if (draft.node(path) !== undefined) return "nodeExists";
  if (parent.znode.lifetime.kind === "ephemeral") return "noChildrenForEphemerals";
  const { data } = step;
  if (!hasRoom(path, { nodes: 1, bytes: path.length + (data?.length ?? 0) })) return "quotaExceeded";
  const lifetime: Lifetime =
    step.lifetime.kind === "ephemeral" ? { kind: "ephemeral", session: author.session } : step.lifetime;
  const { zxid } = draft;
  const times = { czxid: zxid, mzxid: zxid, createdMs: nowMs, modifiedMs: nowMs };
  draft.put(path, { ...times, version: 0, aclVersion: 0, lifetime, acl, data });
  draft.happened({ kind: EVENT.created, path, acl });
  return resultOf(draft, path);
}

function remove(draft: Draft, { path, version }: Step<"delete">, ids: readonly AuthId[]): StepResult | TreeFault {
  if (!isPath(path) || isSystemPath(path)) return "badArguments";
  const parent = draft.node(parentOf(path));
  const node = draft.node(path);
  if (node === undefined) return "noNode";
  if (parent !== undefined && !allows(parent.znode.acl, PERMISSION.delete, ids)) return "noAuth";
  if (version !== ANY_VERSION && version !== node.znode.version) return "badVersion";
  draft.offspring(node);
  if (node.children > 0) return "notEmpty";
  deleteLeaf(draft, node);
  return { path, stat: undefined };
}

function setData(draft: Draft, step: Step<"setData">, { author, nowMs, hasRoom }: StepContext): StepResult | TreeFault {
  const { path, version, data } = step;
  if (!isPath(path)) return "badArguments";
  const node = draft.node(path);
  if (node === undefined) return "noNode";
  const { znode } = node;
  if (!allows(znode.acl, PERMISSION.write, author.ids)) return "noAuth";
  if (version !== ANY_VERSION && version !== znode.version) return "badVersion";
  const bytes = (data?.length ?? 0) - (znode.data?.length ?? 0);
  if (bytes > 0 && !hasRoom(path, { nodes: 0, bytes })) return "quotaExceeded";
  const times = { mzxid: draft.zxid, modifiedMs: nowMs };
  // The answer tells of its children.
  draft.offspring(node);
  draft.put(path, { ...znode, ...times, version: nextVersion(znode.version), data });
  draft.happened({ kind: EVENT.dataChanged, path, acl: znode.acl });
  return resultOf(draft, path);
}

function setAcl(draft: Draft, step: Step<"setAcl">, ids: readonly AuthId[]): StepResult | TreeFault {
  const { path, version } = step;
  if (!isPath(path)) return "badArguments";
  const acl = keptAcl(step.acl, ids);
  if (acl === undefined) return "invalidAcl";
  const node = draft.node(path);
  if (node === undefined) return "noNode";
  const { znode } = node;
  if (!allows(znode.acl, PERMISSION.admin, ids)) return "noAuth";
  if (version !== ANY_VERSION && version !== znode.aclVersion) return "badVersion";
  draft.offspring(node);
  draft.put(path, { ...znode, acl, aclVersion: nextVersion(znode.aclVersion) });
  return resultOf(draft, path);
}

function check(draft: Draft, { path, version }: Step<"check">, ids: readonly AuthId[]): StepResult | TreeFault {
  if (!isPath(path)) return "badArguments";
  const node = draft.node(path);
  if (node === undefined) return "noNode";
  if (!allows(node.znode.acl, PERMISSION.read, ids)) return "noAuth";
  if (version !== ANY_VERSION && version !== node.znode.version) return "badVersion";
  return { path, stat: undefined };
}

function resultOf(draft: Draft, path: string): StepResult {
  const node = draft.node(path);
  assert(node !== undefined, "what was written is there");
  return { path, stat: statOf(node) };
}

function isSystemPath(path: string): boolean {
  return SYSTEM_PATHS.some((each) => each === path);
}

function beginSession(draft: Draft, txn: Transaction & { kind: "beginSession" }): Decision {
  const { session: id, timeoutMs, judge } = txn;
  // Another node has taken the same number: the caller takes another one.
  if (draft.session(id) !== undefined) return refused("nodeExists");
  draft.putSession({ id, timeoutMs, judge, isAdopted: false, isEnding: false });
  return DONE;
}

function moveSession(draft: Draft, txn: Transaction & { kind: "moveSession" }): Decision {
  const state = draft.session(txn.session);
  if (state === undefined || state.isEnding) return refused("sessionExpired");
  draft.putSession({ ...state, judge: txn.judge, timeoutMs: txn.timeoutMs, isAdopted: false });
  return DONE;
}

function adoptSession(draft: Draft, txn: Transaction & { kind: "adoptSession" }): Decision {
  const state = draft.session(txn.session);
  if (state === undefined) return refused("sessionExpired");
  if (state.judge !== txn.from) return refused("sessionMoved");
  draft.putSession({ ...state, judge: txn.judge, isAdopted: txn.isAdopted });
  return DONE;
}

function endSession(draft: Draft, { session: id, judge }: Transaction & { kind: "endSession" }): Decision {
  const state = draft.session(id);
  if (state === undefined) return refused("sessionExpired");
  if (state.judge !== judge) return refused("sessionMoved");
  const paths = draft.ephemerals(id, ENDED_AT_ONCE + 1);
  for (const path of paths.slice(0, ENDED_AT_ONCE)) {
    const node = draft.node(path);
    if (node !== undefined) deleteLeaf(draft, node);
  }
  const isWhole = paths.length <= ENDED_AT_ONCE;
  if (isWhole) draft.deleteSession(id);
  else draft.putSession({ ...state, isEnding: true });
  return { kind: "done", results: [], isWhole };
}

function mirror(draft: Draft, txn: Transaction & { kind: "mirror" }, surroundings: Surroundings): Decision {
  if (!isPath(txn.path)) return refused("badArguments");
  if (txn.children.some(({ data }) => data !== undefined)) {
    // From the root on.
    for (const path of [...pathAndAncestors(txn.path)].reverse()) {
      const lifetime = draft.node(path)?.znode.lifetime;
      // A client's own: it has no children, or its session could not end.
      if (lifetime?.kind === "ephemeral") return DONE;
      if (lifetime === undefined) putOwn(draft, path, { lifetime: PERSISTENT, data: undefined }, surroundings);
    }
  }
  // There was no room for it.
  if (draft.node(txn.path) === undefined) return DONE;
  for (const { name, data } of txn.children) {
    const path = childPath(txn.path, name);
    const known = isPath(path) ? draft.node(path) : undefined;
    const isOurs = known?.znode.lifetime.kind === "mirrored";
    if (!isPath(path) || (known !== undefined && !isOurs)) continue;
    if (data !== undefined) putOwn(draft, path, { lifetime: { kind: "mirrored" }, data }, surroundings);
    else if (known !== undefined) {
      draft.offspring(known);
      if (known.children > 0) continue;
      deleteLeaf(draft, known);
    }
  }
  return DONE;
}

function putOwn(
  draft: Draft,
  path: string,
  { lifetime, data }: Pick<Znode, "lifetime" | "data">,
  { nowMs, hasRoom }: Surroundings,
): void {
  const known = draft.node(path);
  if (!hasRoom(path, { nodes: 1, bytes: path.length + (data?.length ?? 0) })) return;
  const { zxid } = draft;
  const own = { mzxid: zxid, modifiedMs: nowMs, lifetime, data };
  const born = { czxid: zxid, createdMs: nowMs, version: 0, aclVersion: 0, acl: OPEN_ACL };
  const changed = known && { ...known.znode, version: nextVersion(known.znode.version) };
  const znode = { ...(changed ?? born), ...own };
  draft.put(path, znode);
  draft.happened({ kind: known === undefined ? EVENT.created : EVENT.dataChanged, path, acl: znode.acl });
}

function prune(draft: Draft, path: string, nowMs: number): Decision {
  const node = draft.node(path);
  if (node === undefined) return refused("noNode");
  draft.offspring(node);
  if (!isOver(node, nowMs)) return refused("notEmpty");
  deleteLeaf(draft, node);
  return DONE;
}

/** Deletes a znode without children. */
function deleteLeaf(draft: Draft, { path, znode }: NodeState): void {
  draft.delete(path);
  draft.happened({ kind: EVENT.deleted, path, acl: znode.acl });
}

/** Whether a container has lost its last child, or the time to live of a znode without children is over. */
export function isOver({ znode, children, creates }: NodeState & { readonly znode: Znode }, nowMs: number): boolean {
  const { lifetime, modifiedMs } = znode;
  if (children > 0) return false;
  if (lifetime.kind === "container") return creates !== 0;
  return lifetime.kind === "ttl" && nowMs - modifiedMs > lifetime.ttlMs;
}
