// Questions about the gateways' records between a node without the store and a meta node, as JSON. Revisions are
// decimal texts and values are in base64. Fields have short names, since thousands go over a link in a second; a reader
// ignores fields that it does not know.

import { fail } from "../../base/errors.ts";
import type {
  Change,
  ChangesPage,
  Commit,
  CommitOutcome,
  Compacted,
  Condition,
  Operation,
  RangePage,
  RangeQuery,
  StoredRecord,
} from "../../records/records.ts";
import type { ChangesQuestion } from "./recordsSource.ts";

/** The outcome of one commit of several: a refusal names the place of its condition; an error is that commit's own. */
export type TellableOutcome = CommitOutcome | { readonly kind: "failed"; readonly error: TellableError };

/** A RegistryError between nodes. */
export interface TellableError {
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
}

type RecordRow = readonly [key: string, value: string, revision: string, created: string];
type ChangeRow = RecordRow | readonly [key: string, value: null, revision: string];

export function writeRange({ from, to, limit, at }: RangeQuery): string {
  return JSON.stringify({ from, to, limit, at: at?.toString() });
}

/** Throws FIELD_INVALID for anything but a question; so do the readers below. */
export function readRange(text: string): RangeQuery {
  const fields = objectIn(text);
  const limit = fields["limit"];
  const at = fields["at"];
  return {
    from: textOf(fields["from"]),
    to: textOf(fields["to"]),
    ...(limit !== undefined && { limit: numberOf(limit) }),
    ...(at !== undefined && { at: revisionOf(at) }),
  };
}

export function writeRangePage(page: RangePage | Compacted): string {
  if (page.kind === "compacted") return writeCompacted(page);
  const { revision, isLast, records } = page;
  return JSON.stringify({ revision: revision.toString(), isLast, records: records.map(rowOf) });
}

export function readRangePage(text: string): RangePage | Compacted {
  const fields = objectIn(text);
  const compacted = compactedIn(fields);
  if (compacted !== undefined) return compacted;
  const records = listOf(fields["records"]).map(recordIn);
  return { kind: "page", revision: revisionOf(fields["revision"]), isLast: fields["isLast"] === true, records };
}

export function writeQuestion({ range, after, waitMs }: ChangesQuestion): string {
  return JSON.stringify({ ...range, after: after.toString(), waitMs });
}

export function readQuestion(text: string): ChangesQuestion {
  const fields = objectIn(text);
  const range = { from: textOf(fields["from"]), to: textOf(fields["to"]) };
  return { range, after: revisionOf(fields["after"]), waitMs: numberOf(fields["waitMs"]) };
}

export function writeChanges(page: ChangesPage | Compacted): string {
  if (page.kind === "compacted") return writeCompacted(page);
  const { revision, isLast, changes } = page;
  const rows = changes.map(
    (change): ChangeRow =>
      change.kind === "put" ? rowOf(change.record) : [change.key, null, change.revision.toString()],
  );
  return JSON.stringify({ revision: revision.toString(), isLast, changes: rows });
}

export function readChanges(text: string): ChangesPage | Compacted {
  const fields = objectIn(text);
  const compacted = compactedIn(fields);
  if (compacted !== undefined) return compacted;
  const changes = listOf(fields["changes"]).map(changeIn);
  return { kind: "changes", revision: revisionOf(fields["revision"]), isLast: fields["isLast"] === true, changes };
}

/** Conditions are those of a gateway: revisions of keys. */
export function writeCommits(commits: readonly Commit[]): string {
  const rows = commits.map(({ conditions, operations }) => ({
    if: conditions.flatMap((each) => (each.kind === "revision" ? [[each.key, each.revision.toString()]] : [])),
    do: operations.map((each) => [each.key, each.kind === "put" ? base64Of(each.value) : null]),
  }));
  return JSON.stringify({ commits: rows });
}

export function readCommits(text: string): readonly Commit[] {
  return listOf(objectIn(text)["commits"]).map((row) => {
    const fields = fieldsOf(row);
    const conditions = listOf(fields["if"]).map((each): Condition => {
      const [key, revision] = listOf(each);
      return { kind: "revision", key: textOf(key), revision: revisionOf(revision) };
    });
    const operations = listOf(fields["do"]).map((each): Operation => {
      const [key, value] = listOf(each);
      if (value === null) return { kind: "delete", key: textOf(key) };
      return { kind: "put", key: textOf(key), value: bytesOf(value) };
    });
    return { conditions, operations };
  });
}

/** The outcomes of these commits, in order. */
export function writeOutcomes(commits: readonly Commit[], outcomes: readonly TellableOutcome[]): string {
  const rows = outcomes.map((outcome, at) => {
    if (outcome.kind === "committed") return { revision: outcome.revision.toString() };
    if (outcome.kind === "failed") return { error: outcome.error };
    return { unmet: commits[at]?.conditions.indexOf(outcome.condition) };
  });
  return JSON.stringify({ outcomes: rows });
}

export function readOutcomes(commits: readonly Commit[], text: string): readonly TellableOutcome[] {
  const rows = listOf(objectIn(text)["outcomes"]);
  if (rows.length !== commits.length) throw invalid(`${rows.length} outcomes of ${commits.length} commits`);
  return rows.map((row, at): TellableOutcome => {
    const { revision, unmet, error } = fieldsOf(row);
    if (revision !== undefined) return { kind: "committed", revision: revisionOf(revision) };
    if (error !== undefined) return { kind: "failed", error: errorOf(error) };
    const condition = commits[at]?.conditions[numberOf(unmet)];
    if (condition === undefined) throw invalid(unmet);
    return { kind: "refused", condition };
  });
}

function writeCompacted({ oldest }: Compacted): string {
  return JSON.stringify({ oldest: oldest.toString() });
}

function compactedIn({ oldest }: Readonly<Record<string, unknown>>): Compacted | undefined {
  return oldest === undefined ? undefined : { kind: "compacted", oldest: revisionOf(oldest) };
}

function rowOf({ key, value, revision, createdRevision }: StoredRecord): RecordRow {
  return [key, base64Of(value), revision.toString(), createdRevision.toString()];
}

function recordIn(row: unknown): StoredRecord {
  const [key, value, revision, created] = listOf(row);
  const revisions = { revision: revisionOf(revision), createdRevision: revisionOf(created) };
  return { key: textOf(key), value: bytesOf(value), ...revisions };
}

function changeIn(row: unknown): Change {
  const [key, value, revision] = listOf(row);
  if (value === null) return { kind: "deleted", key: textOf(key), revision: revisionOf(revision) };
  return { kind: "put", record: recordIn(row) };
}

function errorOf(value: unknown): TellableError {
  const { code, message, retry } = fieldsOf(value);
  return { code: textOf(code), message: textOf(message), retry: retry === true };
}

function base64Of(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
}

function bytesOf(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(textOf(value), "base64"));
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(text.slice(0, 100));
    throw error;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(value);
  return value as Readonly<Record<string, unknown>>;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(value);
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw invalid(value);
  return value;
}

function numberOf(value: unknown): number {
  if (typeof value !== "number") throw invalid(value);
  return value;
}

function revisionOf(value: unknown): bigint {
  if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) throw invalid(value);
  return BigInt(value);
}

function invalid(value: unknown) {
  return fail("FIELD_INVALID", { field: "records", value: String(value), expected: "a question or answer of records" });
}
