import assert from "node:assert/strict";
import { test } from "node:test";
import type { Commit, CommitOutcome } from "../records/records.ts";
import { GROUP_BYTES_MAX, GROUP_COMMITS_MAX, GROUP_OPERATIONS_MAX, GroupCommit } from "./groupCommit.ts";
import { commitOf, put, refusedAs } from "./testing/testRecords.ts";

/** A database that writes when it is told to. */
function slowDatabase() {
  const groups: { readonly commits: readonly Commit[]; answer(): void; fail(error: Error): void }[] = [];
  let revision = 0n;
  let begun: () => void = () => undefined;
  const write = (commits: readonly Commit[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<CommitOutcome[]>();
    const answer = () => resolve(commits.map(() => ({ kind: "committed", revision: ++revision })));
    groups.push({ commits, answer, fail: reject });
    begun();
    return promise;
  };
  const group = async (at: number) => {
    while (groups.length <= at) await new Promise<void>((resolve) => (begun = resolve));
    return groups[at] as (typeof groups)[number];
  };
  return { commits: new GroupCommit(write), group, count: () => groups.length };
}

test("commits of one turn, and those that arrive while it is written, are two transactions", async () => {
  const { commits, group, count } = slowDatabase();
  const first = [1, 2, 3].map((at) => commits.commit(commitOf([put(`a${at}`)])));
  const one = await group(0);
  assert.equal(one.commits.length, 3);
  const second = [1, 2].map((at) => commits.commit(commitOf([put(`b${at}`)])));
  one.answer();
  assert.deepEqual(
    (await Promise.all(first)).map((outcome) => outcome.kind === "committed" && outcome.revision),
    [1n, 2n, 3n],
  );
  const two = await group(1);
  assert.equal(two.commits.length, 2);
  two.answer();
  await Promise.all(second);
  assert.equal(count(), 2);
});

test("a transaction has a bounded number of commits, and of bytes", async () => {
  const { commits, group } = slowDatabase();
  const half = "v".repeat(GROUP_BYTES_MAX / 2);
  const all = [
    ...Array.from({ length: GROUP_COMMITS_MAX + 1 }, (_, at) => commits.commit(commitOf([put(`k${at}`, "v")]))),
    ...["x", "y", "z"].map((key) => commits.commit(commitOf([put(key, half)]))),
    commits.commit(commitOf([put("large", half + half + half)])),
  ];
  const sizes: number[] = [];
  for (const at of [0, 1, 2, 3]) {
    const each = await group(at);
    sizes.push(each.commits.length);
    each.answer();
  }
  await Promise.all(all);
  assert.deepEqual(sizes, [GROUP_COMMITS_MAX, 2, 2, 1]);
});

test("a transaction has a bounded number of operations", async () => {
  const { commits, group } = slowDatabase();
  const operations = Array.from({ length: 1_000 }, (_, at) => put(`k${at}`));
  const all = Array.from({ length: 25 }, () => commits.commit(commitOf(operations)));
  const sizes: number[] = [];
  for (const at of [0, 1, 2]) {
    const each = await group(at);
    sizes.push(each.commits.length);
    each.answer();
  }
  await Promise.all(all);
  const whole = GROUP_OPERATIONS_MAX / 1_000;
  assert.deepEqual(sizes, [whole, whole, 25 - 2 * whole]);
});

test("commits of a failed transaction, and those that waited for it, are refused; the next is written", async () => {
  const { commits, group } = slowDatabase();
  const failed = [1, 2].map((at) => commits.commit(commitOf([put(`a${at}`)])));
  const one = await group(0);
  failed.push(commits.commit(commitOf([put("a3")])));
  one.fail(new Error("the disk is full"));
  for (const each of failed) await assert.rejects(each, /disk is full/);
  const next = commits.commit(commitOf([put("b")]));
  (await group(1)).answer();
  assert.equal((await next).kind, "committed");
});

test("more commits than may wait are refused, and those that wait are written", async () => {
  const { commits, group } = slowDatabase();
  const all = Array.from({ length: 10_000 }, (_, at) => commits.commit(commitOf([put(`k${at}`)])));
  await assert.rejects(commits.commit(commitOf([put("more")])), refusedAs("STORE_UNAVAILABLE", "too many commits"));
  for (let at = 0; at < 10_000 / GROUP_COMMITS_MAX; at++) (await group(at)).answer();
  await Promise.all(all);
});

test("what is changed after the call is not written", async () => {
  const { commits, group } = slowDatabase();
  const value = Uint8Array.of(1);
  const made = commits.commit(commitOf([{ kind: "put", key: "a", value }]));
  value.fill(2);
  const { commits: written, answer } = await group(0);
  assert.deepEqual(written[0]?.operations, [{ kind: "put", key: "a", value: Uint8Array.of(1) }]);
  answer();
  await made;
});
