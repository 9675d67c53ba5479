// Entries of the audit trail as records, newest first. They have keys of their own, so any node with the store writes
// them, and none is ever changed; the leading meta node removes those that are too many or too old. Changes and
// refusals are kept apart: a stranger's refused requests push out no change.

import {
  type AuditEntry,
  type AuditOutcome,
  type AuditPage,
  type AuditQuery,
  readAuditEntry,
} from "../../admin/auditEntry.ts";
import { utf8String } from "../../base/text.ts";
import { keyAfter, keysWith } from "../../records/keys.ts";
import type { KeyRange, Operation, RangePage, Records, StoredRecord } from "../../records/records.ts";

/** The entries that are kept, of each outcome. */
export interface AuditLimits {
  readonly entriesMax: number;
  readonly ageMsMax: number;
}

type Store = Pick<Records, "range" | "commit">;

const PREFIX = "audit/";
// The last millisecond that a Date has, of 16 digits. Keys count down from it, so that the newest come first.
const LAST_MS = 8_640_000_000_000_000;
const DIGITS = 16;
// A commit may have a hundred operations.
const AT_ONCE_MAX = 90;
// A question that matches few entries ends here, and goes on with its next page.
const READ_AT_ONCE_MAX = 5_000;

/** Stores entries. Rejects with STORE_UNAVAILABLE; some may be stored then, and are not stored twice. */
export async function storeEntries(
  store: Store,
  entries: readonly (readonly [id: string, entry: AuditEntry])[],
): Promise<void> {
  for (let at = 0; at < entries.length; at += AT_ONCE_MAX) {
    const some = entries.slice(at, at + AT_ONCE_MAX);
    const operations = some.map(([id, entry]): Operation => {
      const key = `${prefixOf(entry.outcome)}${timeKey(entry.atMs)}-${id}`;
      return { kind: "put", key, value: new TextEncoder().encode(JSON.stringify(entry)) };
    });
    await store.commit({ conditions: [], operations });
  }
}

/** A page of entries, newest first. Rejects with STORE_UNAVAILABLE. */
export async function listEntries(store: Store, query: AuditQuery): Promise<AuditPage> {
  const { outcome, untilMs, limit, after } = query;
  const { from, to } = keysWith(prefixOf(outcome));
  const first = untilMs === undefined ? from : from + timeKey(untilMs);
  let place = after === "" ? first : from + keyAfter(after);
  const entries: AuditEntry[] = [];
  for (let read = 0; read < READ_AT_ONCE_MAX; ) {
    const page = await pageOf(store, { from: place, to });
    for (const record of page.records) {
      const entry = entryOf(record);
      if (entry !== undefined && entry.atMs < (query.sinceMs ?? 0)) return { entries, next: undefined };
      if (entry !== undefined && matches(entry, query)) entries.push(entry);
      place = keyAfter(record.key);
      if (entries.length >= limit) return { entries, next: record.key.slice(from.length) };
    }
    if (page.isLast) return { entries, next: undefined };
    read += page.records.length;
  }
  return { entries, next: place.slice(from.length, -1) };
}

/** Removes entries beyond the limits. Rejects with STORE_UNAVAILABLE. */
export async function pruneEntries(
  store: Store,
  { entriesMax, ageMsMax }: AuditLimits,
  nowMs: number,
): Promise<number> {
  let removed = 0;
  for (const outcome of ["made", "refused"] as const) {
    const { from, to } = keysWith(prefixOf(outcome));
    const tooOld = from + timeKey(Math.max(0, nowMs - ageMsMax - 1));
    let kept = 0;
    let place = from;
    for (let isLast = false; !isLast; ) {
      const page = await pageOf(store, { from: place, to });
      const keys = page.records.map(({ key }) => key);
      const gone = keys.filter((key, at) => kept + at >= entriesMax || key > tooOld);
      kept += keys.length - gone.length;
      for (let at = 0; at < gone.length; at += AT_ONCE_MAX) {
        const some = gone.slice(at, at + AT_ONCE_MAX);
        await store.commit({ conditions: [], operations: some.map((key) => ({ kind: "delete", key })) });
      }
      removed += gone.length;
      const last = keys.at(-1);
      isLast = page.isLast || last === undefined;
      if (last !== undefined) place = keyAfter(last);
    }
  }
  return removed;
}

function matches({ by, operation, atMs }: AuditEntry, wanted: AuditQuery): boolean {
  return (
    (wanted.by === undefined || wanted.by === by) &&
    (wanted.operation === undefined || wanted.operation === operation) &&
    (wanted.untilMs === undefined || atMs < wanted.untilMs)
  );
}

async function pageOf(store: Store, range: KeyRange): Promise<RangePage> {
  const page = await store.range(range);
  // Without a revision, the newest state is read, which is always there.
  return page.kind === "page" ? page : { kind: "page", revision: page.oldest, records: [], isLast: true };
}

/** Undefined for a record that this release does not understand. */
function entryOf({ value }: StoredRecord): AuditEntry | undefined {
  try {
    return readAuditEntry(JSON.parse(utf8String(value, 0, value.length) ?? ""));
  } catch {
    return undefined;
  }
}

function prefixOf(outcome: AuditOutcome): string {
  return `${PREFIX}${outcome}/`;
}

function timeKey(ms: number): string {
  return String(LAST_MS - Math.floor(ms)).padStart(DIGITS, "0");
}
