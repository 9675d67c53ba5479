// A znode: one entry of the tree, with what ZooKeeper tells of it.
//
// A zxid numbers a transaction: the revision of its commit, times ZXIDS_PER_REVISION, and its place among the
// transactions of that commit. A commit's revision is known only when it has been made, so what a commit writes names
// its own transactions by their place alone, a number below ZXIDS_PER_REVISION.

import { assert } from "../../base/assert.ts";
import type { Acl } from "./acl.ts";

/** The most transactions of one commit, and a little more. */
export const ZXIDS_PER_REVISION = 128;

/** A session's id: above 0, and a safe number. */
export type SessionId = number;

/** How long a znode is kept. */
export type Lifetime =
  | { readonly kind: "persistent" }
  /** Until its session ends. */
  | { readonly kind: "ephemeral"; readonly session: SessionId }
  /** Until its last child is gone. */
  | { readonly kind: "container" }
  /** Until it has had no child, and was not written, for so long. */
  | { readonly kind: "ttl"; readonly ttlMs: number }
  /** As long as another protocol has the instance that it shows. */
  | { readonly kind: "mirrored" };

export const PERSISTENT = { kind: "persistent" } as const satisfies Lifetime;

/** The part of a znode that its own record keeps. */
export interface Znode {
  readonly czxid: number;
  readonly mzxid: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Of the data, and of the list of rights; Java ints. */
  readonly version: number;
  readonly aclVersion: number;
  readonly lifetime: Lifetime;
  readonly acl: readonly Acl[];
  /** Undefined: null. */
  readonly data: Uint8Array | undefined;
}

/** The content of a znode's second record: it is written when a child comes or goes. */
export interface Offspring {
  /** The number of children that were ever created; a Java int. It numbers sequential children. */
  readonly creates: number;
  /** The last transaction that created or deleted a child. */
  readonly pzxid: number;
}

/** A znode with its children's part. */
export interface NodeState extends Offspring {
  readonly path: string;
  readonly znode: Znode;
  readonly children: number;
}

/** As ZooKeeper tells it. */
export interface Stat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly version: number;
  readonly childVersion: number;
  readonly aclVersion: number;
  /** The session of an ephemeral znode; 0 for any other. */
  readonly ephemeralOwner: SessionId;
  readonly dataLength: number;
  readonly children: number;
  readonly pzxid: number;
}

/** The stat of a znode. */
export function statOf({ znode, creates, pzxid, children }: NodeState): Stat {
  const { czxid, mzxid, createdMs, modifiedMs, version, aclVersion, lifetime, data } = znode;
  return {
    ...{ czxid, mzxid, createdMs, modifiedMs, version, aclVersion, children, pzxid },
    // Creates and deletes of children.
    childVersion: (2 * creates - children) | 0,
    ephemeralOwner: lifetime.kind === "ephemeral" ? lifetime.session : 0,
    dataLength: data?.length ?? 0,
  };
}

/** The zxid of the transaction at this place of a commit. */
export function zxidAt(revision: bigint, place: number): number {
  const zxid = Number(revision) * ZXIDS_PER_REVISION + place;
  assert(Number.isSafeInteger(zxid), "revisions stay below 2^46");
  return zxid;
}

/** A zxid as a commit of this revision wrote it. */
export function resolved(zxid: number, revision: bigint): number {
  return zxid < ZXIDS_PER_REVISION ? zxidAt(revision, zxid) : zxid;
}

/** A stat as a commit of this revision made it. */
export function resolvedStat(stat: Stat, revision: bigint): Stat {
  const { czxid, mzxid, pzxid } = stat;
  return {
    ...stat,
    czxid: resolved(czxid, revision),
    mzxid: resolved(mzxid, revision),
    pzxid: resolved(pzxid, revision),
  };
}

/** The version after this one: never -1, which means any. */
export function nextVersion(version: number): number {
  const next = (version + 1) | 0;
  return next === -1 ? 0 : next;
}

/** The number of a sequential child, as Java formats `%010d`. */
export function sequenceOf(creates: number): string {
  return creates < 0 ? `-${String(-creates).padStart(9, "0")}` : String(creates).padStart(10, "0");
}
