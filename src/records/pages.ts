// Cuts pages out of what a store finds. A backend reads its rows one by one and stops when the page is full.

import { fail, type RegistryError } from "../base/errors.ts";
import { CHANGES_MAX, RANGE_BYTES_MAX } from "./bounds.ts";
import type { Change, ChangesPage, RangePage, StoredRecord } from "./records.ts";

/** The page that begins with these records, which are in order. */
export function rangePage(
  found: Iterable<StoredRecord>,
  { limit, revision }: { readonly limit: number; readonly revision: bigint },
): RangePage {
  const records: StoredRecord[] = [];
  let bytes = 0;
  for (const record of found) {
    if (records.length === limit || bytes > RANGE_BYTES_MAX) return { kind: "page", revision, records, isLast: false };
    records.push(record);
    bytes += record.value.length;
  }
  return { kind: "page", revision, records, isLast: true };
}

/** The page that begins with these changes, which are in order, and all that there are up to the revision `newest`. */
export function changesPage(found: Iterable<Change>, newest: bigint): ChangesPage {
  const changes: Change[] = [];
  let told = 0n;
  let bytes = 0;
  for (const change of found) {
    const isNextCommit = changes.length > 0 && revisionOf(change) !== told;
    if (isNextCommit && (changes.length >= CHANGES_MAX || bytes > RANGE_BYTES_MAX)) {
      return { kind: "changes", changes, revision: told, isLast: false };
    }
    changes.push(change);
    told = revisionOf(change);
    if (change.kind === "put") bytes += change.record.value.length;
  }
  return { kind: "changes", changes, revision: newest, isLast: true };
}

/** The revision of the commit that made a change. */
export function revisionOf(change: Change): bigint {
  return change.kind === "put" ? change.record.revision : change.revision;
}

/** The error for a question about a revision that the store has not reached. */
export function behind(asked: bigint, revision: bigint): RegistryError {
  return fail("STORE_UNAVAILABLE", { reason: "the store is behind what was asked for", asked, revision });
}
