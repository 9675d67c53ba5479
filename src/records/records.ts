// The one durable store as the roles see it: ordered keys with values, and one revision that grows with every change.
// It has the form of etcd's store, so that etcd is one of its backends. Everything that must outlive the processes is a
// record. docs/internals/records.md says how keys are named and how a role keeps a set of them.
//
// - A key is text of 1 to KEY_BYTES_MAX bytes of UTF-8, without NUL and lone surrogates. These bytes order the keys.
// - A value is bytes that the store does not look into.
// - A commit checks its conditions and makes its operations all at once, or none of them. Each commit that changes
//   something has a revision of its own, above all before it. Revisions may have gaps.
// - The history of changes is kept for a while, so that followers get every change in order, and so that pages are read
//   as of one revision. Older history is compacted; a follower that comes too late hears that, and reads anew.
// - One lease says which meta node leads. The database's clock counts it, and a commit can demand it.
//
// A method that can't say what has happened throws STORE_UNAVAILABLE: the database failed, or did not answer in time. A
// commit may have been made then, or may still be made within a few seconds. The caller finds out by reading.

import type { Cancel } from "../base/ports.ts";
import type { NodeId } from "../model/ids.ts";

/** One entry as stored. */
export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
  /** The revision of the commit that wrote this value. */
  readonly revision: bigint;
  /** The revision of the commit that wrote the key when it was not there. */
  readonly createdRevision: bigint;
}

/** Keys from `from` on, up to and without `to`; an empty `to` has no end. See `keysWith` and `keyAlone`. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

/** A question for records. */
export interface RangeQuery extends KeyRange {
  /** The most records of the answer, 1 to RANGE_RECORDS_MAX, which is the default. */
  readonly limit?: number;
  /** The revision as of which to read; the newest by default. */
  readonly at?: bigint;
}

/** Records in the order of their keys. */
export interface RangePage {
  readonly kind: "page";
  /** The revision as of which this is true. Pass it as `at` to read the next page of the same state. */
  readonly revision: bigint;
  readonly records: readonly StoredRecord[];
  /** False if there are more; the next page begins after the last key of this one (`keyAfter`). */
  readonly isLast: boolean;
}

/** The history back to the named revision is gone. */
export interface Compacted {
  readonly kind: "compacted";
  /** The oldest revision as of which can be read, and after which changes are known. */
  readonly oldest: bigint;
}

/** A demand of a commit. */
export type Condition =
  /** The key was last written by this revision; 0: it is not there. */
  | { readonly kind: "revision"; readonly key: string; readonly revision: bigint }
  /** The lease in force has this epoch, was given to this object's process, and is not over by the database's clock. */
  | { readonly kind: "leads"; readonly epoch: bigint };

/** A change of one key. */
export type Operation =
  | { readonly kind: "put"; readonly key: string; readonly value: Uint8Array }
  /** Deleting a key that is not there changes nothing, and is no error. */
  | { readonly kind: "delete"; readonly key: string };

/** Changes that are made together, if all conditions hold. No two operations have the same key. */
export interface Commit {
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
}

/** The certain outcomes of a commit; the uncertain one is an error. */
export type CommitOutcome =
  /** `revision`: of the changes; if the commit changed nothing, the newest revision when it was made. */
  | { readonly kind: "committed"; readonly revision: bigint }
  /** Nothing was changed: `condition` is the first one that did not hold. */
  | { readonly kind: "refused"; readonly condition: Condition };

/** One change of the history. */
export type Change =
  | { readonly kind: "put"; readonly record: StoredRecord }
  | { readonly kind: "deleted"; readonly key: string; readonly revision: bigint };

/** Changes in the order of revisions; those of one commit are in one page, in the order of keys. */
export interface ChangesPage {
  readonly kind: "changes";
  readonly changes: readonly Change[];
  /** Everything up to this revision has been told; ask again after it. */
  readonly revision: bigint;
  /** False if more changes are there already. */
  readonly isLast: boolean;
}

/** The listener of a watch. Calls come one at a time and in order; none after the watch was cancelled. */
export interface Watcher {
  /** The next changes in the range, none left out; all up to `revision` have been told then. Never called with none. */
  changed(changes: readonly Change[], revision: bigint): void;
  /** There are no more changes in the range up to this revision. Other records have changed by then. */
  reached?(revision: bigint): void;
  /** The history that is missing is gone: read the range, and watch anew from that revision. Nothing follows. */
  compacted(oldest: bigint): void;
}

/** The lead of a meta node. The epoch grows with every change of leader, and fences the previous leader. */
export interface LeaderLease {
  readonly epoch: bigint;
  readonly holder: NodeId;
  /** The HTTP address of the holder, `host:port`, to which the other meta nodes send operators. */
  readonly address: string;
  /** By the database's clock, at the time of the answer; 0 or less if it is over. */
  readonly remainingMs: number;
}

/** A node that wants to lead. */
export interface LeaseCandidate {
  readonly holder: NodeId;
  readonly address: string;
}

/** The lease of leadership. */
export interface LeaseStore {
  /**
   * Takes the lead if it is free, or renews it if `candidate.holder` has it: the answer's holder is then the candidate,
   * with `leaseMs` remaining. Otherwise the answer names the holder. Taking it raises the epoch by one or more, even
   * for the same holder after its lease has ended. Only the database's own clock counts.
   */
  acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease>;

  /** Releases the lead at once, if `epoch` still is the lease in force. */
  releaseLease(epoch: bigint): Promise<void>;
}

/**
 * The store, for one process. Every later call, from any process, sees a change that was returned or acknowledged.
 * After a fail-over to a copy that lacks such changes every call throws STORE_UNAVAILABLE until this process has asked
 * for the lease: the lead is then given anew, and the revision continues above all that this process has seen.
 */
export interface Records extends LeaseStore {
  /** Where it is, for messages: a file, or a server; no passwords. */
  readonly place: Readonly<Record<string, string>>;

  /** Reads a page of records. A page ends early once its values exceed RANGE_BYTES_MAX, and has one record at least. */
  range(query: RangeQuery): Promise<RangePage | Compacted>;

  /**
   * Makes a commit. Durable when the promise resolves. Throws RECORD_INVALID or RECORD_TOO_LARGE, for a commit beyond
   * the bounds of ./bounds.ts or of the database; nothing was changed then.
   */
  commit(commit: Commit): Promise<CommitOutcome>;

  /**
   * Reads the changes in the range after a revision, CHANGES_MAX at most if no single commit has more, and no more than
   * RANGE_BYTES_MAX of values if no single commit has more.
   */
  changes(range: KeyRange, after: bigint): Promise<ChangesPage | Compacted>;

  /**
   * Tells every change in the range after a revision, until it is cancelled. Changes are told within milliseconds while
   * all is well; a lost notification or an outage of the database delays them, and loses none.
   */
  watch(range: KeyRange, after: bigint, watcher: Watcher): Cancel;

  /**
   * Forgets the history before a revision, which is the present one at most. Stores do so by themselves
   * (HISTORY_REVISIONS_MAX); an earlier revision than the oldest changes nothing.
   */
  compact(oldest: bigint): Promise<void>;

  /** Ends watches and releases the database. May be called twice. */
  close(): Promise<void>;
}
