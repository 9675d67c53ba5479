// The bounds of keys, values, commits and pages. Each of them holds in every backend; etcd refuses larger requests than
// its own --max-request-bytes (1.5 MiB by default) on top.

import { fail } from "../base/errors.ts";
import type { Commit, KeyRange, RangeQuery } from "./records.ts";

/** PostgreSQL's index entries end at 2,704 bytes. Names that may be longer are keyed by their digest. */
export const KEY_BYTES_MAX = 2_048;

/** A configuration value has 64 MiB at most, and as text in ASCII a few times that. */
export const VALUE_BYTES_MAX = 256 * 1024 * 1024;

/** Of one commit; etcd's limit is 128. */
export const CONDITIONS_MAX = 100;
/** Of one commit: some ten milliseconds of the database. etcd takes them as transactions within one. */
export const OPERATIONS_MAX = 1_000;

/** Of one page of `range`. */
export const RANGE_RECORDS_MAX = 1_000;

/** Once the values of a page exceed this, the page ends. */
export const RANGE_BYTES_MAX = 4 * 1024 * 1024;

/** Of one page of `changes`, apart from the rest of its last commit. */
export const CHANGES_MAX = 1_000;

/** A store keeps this many revisions of history, and up to a quarter more: minutes of the busiest cluster. */
export const HISTORY_REVISIONS_MAX = 10_000;

/** A history with more bytes of values is compacted to half of that, however few revisions it has. */
export const HISTORY_BYTES_MAX = 64 * 1024 * 1024;

// A quarter more than is kept, so that compaction is rare.
const REVISIONS_MAX = BigInt(HISTORY_REVISIONS_MAX + HISTORY_REVISIONS_MAX / 4);

/** The oldest revision to keep, of a history that goes back to `oldest`. */
export function oldestToKeep(revision: bigint, oldest: bigint): bigint {
  return revision - oldest > REVISIONS_MAX ? revision - BigInt(HISTORY_REVISIONS_MAX) : oldest;
}

// With the u flag a pair is one character, so only a lone half matches.
const UNFIT = /[\0\p{Surrogate}]/u;
// In UTF-8 a UTF-16 unit takes three bytes at most.
const UNIT_BYTES_MAX = 3;

const ENCODER = new TextEncoder();

/** Checks a key. Throws RECORD_INVALID. */
export function checkKey(key: string): void {
  if (key === "") throw fail("RECORD_INVALID", { reason: "an empty key" });
  if (key.length > KEY_BYTES_MAX || (key.length * UNIT_BYTES_MAX > KEY_BYTES_MAX && bytesOf(key) > KEY_BYTES_MAX)) {
    throw fail("RECORD_INVALID", { reason: "a key that is too long", keyBytesMax: KEY_BYTES_MAX, key });
  }
  if (UNFIT.test(key)) throw fail("RECORD_INVALID", { reason: "a key with NUL or a lone surrogate", key });
}

/** Checks a commit. Throws RECORD_INVALID or RECORD_TOO_LARGE. */
export function checkCommit({ conditions, operations }: Commit): void {
  if (conditions.length > CONDITIONS_MAX || operations.length > OPERATIONS_MAX) {
    const sizes = { conditions: conditions.length, operations: operations.length };
    throw fail("RECORD_TOO_LARGE", { ...sizes, conditionsMax: CONDITIONS_MAX, operationsMax: OPERATIONS_MAX });
  }
  for (const condition of conditions) if (condition.kind === "revision") checkKey(condition.key);
  const keys = new Set<string>();
  for (const operation of operations) {
    const { key } = operation;
    checkKey(key);
    if (keys.has(key)) throw fail("RECORD_INVALID", { reason: "two operations on one key", key });
    keys.add(key);
    if (operation.kind === "put" && operation.value.length > VALUE_BYTES_MAX) {
      const valueBytes = operation.value.length;
      throw fail("RECORD_TOO_LARGE", { key, valueBytes, valueBytesMax: VALUE_BYTES_MAX });
    }
  }
}

/** The limit of a page; throws RECORD_INVALID for one that is none, and for a range that is none. */
export function checkedLimit({ limit = RANGE_RECORDS_MAX, ...range }: RangeQuery): number {
  checkRange(range);
  if (!Number.isInteger(limit) || limit < 1 || limit > RANGE_RECORDS_MAX) {
    throw fail("RECORD_INVALID", { reason: "a limit out of bounds", limit, limitMax: RANGE_RECORDS_MAX });
  }
  return limit;
}

/** The ends of a range are keys or the places right after them. Throws RECORD_INVALID. */
export function checkRange({ from, to }: KeyRange): void {
  for (const end of [from, to]) {
    const key = end.endsWith("\0") ? end.slice(0, -1) : end;
    if (key !== "") checkKey(key);
  }
}

/** The bytes of the values that a commit writes. */
export function commitBytes({ operations }: Commit): number {
  let bytes = 0;
  for (const operation of operations) if (operation.kind === "put") bytes += operation.value.length;
  return bytes;
}

function bytesOf(key: string): number {
  return ENCODER.encode(key).length;
}
