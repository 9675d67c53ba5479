// The common part of the suites for records: databases to open a store on, and values to write.

import assert from "node:assert/strict";
import { type ErrorCode, RegistryError } from "../../base/errors.ts";
import { nodeId } from "../../model/ids.ts";
import type { Commit, CommitOutcome, Condition, LeaderLease, Operation, Records } from "../../records/records.ts";

/** A database on which stores are opened, closed, and opened again. */
export interface TestDatabase {
  open(): Promise<Records>;
  /** Lets the clock go on that counts its lease. */
  pass(ms: number): Promise<void>;
  /** Several may be open at a time, as for several meta nodes. */
  readonly isShared: boolean;
  /** A time for a lease that ends while a test waits, and the time to wait; SHORT_MS and OVER_MS by default. */
  readonly shortMs?: number;
  readonly overMs?: number;
  /** Makes a copy, and returns the fail-over to it; only where a test can do that. */
  copy?(): Promise<() => Promise<void>>;
}

export type NewDatabase = () => TestDatabase;

export const A = { holder: nodeId("meta-1.aaaaaaaa"), address: "10.0.0.1:9615" };
export const B = { holder: nodeId("meta-2.bbbbbbbb"), address: "[2001:db8::2]:9615" };

/** A lease that no test outlives, and one that ends while a test waits. */
export const LONG_MS = 60_000;
export const SHORT_MS = 300;
export const OVER_MS = SHORT_MS + 20;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

export const bytes = (text: string): Uint8Array => ENCODER.encode(text);
export const textOf = (value: Uint8Array): string => DECODER.decode(value);

export const put = (key: string, value = key): Operation => ({ kind: "put", key, value: bytes(value) });
export const remove = (key: string): Operation => ({ kind: "delete", key });
export const unchanged = (key: string, revision: bigint): Condition => ({ kind: "revision", key, revision });
export const leads = (epoch: bigint): Condition => ({ kind: "leads", epoch });
export const commitOf = (operations: readonly Operation[], conditions: readonly Condition[] = []): Commit => ({
  conditions,
  operations,
});

/** Makes a commit that must be made, and returns its revision. */
export async function committed(records: Records, ...operations: readonly Operation[]): Promise<bigint> {
  return revisionOf(await records.commit(commitOf(operations)));
}

export function revisionOf(outcome: CommitOutcome): bigint {
  assert.equal(outcome.kind, "committed");
  assert.ok(outcome.kind === "committed");
  return outcome.revision;
}

/** Keys and values in a range, as text. */
export async function contentOf(records: Records, from = "", to = ""): Promise<readonly (readonly [string, string])[]> {
  const page = await records.range({ from, to });
  assert.ok(page.kind === "page" && page.isLast);
  return page.records.map(({ key, value }) => [key, textOf(value)]);
}

export function lead(records: Records): Promise<LeaderLease> {
  return records.acquireLease(A, LONG_MS);
}

/** Checks an error's code, and that its message holds all of these parts. */
export function refusedAs(code: ErrorCode, ...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} names ${part}`);
    return true;
  };
}

export const isUnavailable = refusedAs("STORE_UNAVAILABLE");
