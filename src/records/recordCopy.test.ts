// A copy on the records in memory, which tests may hold up, fail and compact.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, type RegistryError } from "../base/errors.ts";
import { MemoryDatabase, openMemoryRecords } from "../store/memory/memoryRecords.ts";
import { committed, contentOf, put, refusedAs, remove, textOf } from "../store/testing/testRecords.ts";
import { keysWith } from "./keys.ts";
import { type CopyChange, RecordCopy } from "./recordCopy.ts";
import type { Records } from "./records.ts";

const RANGE = keysWith("gateways/p/");
const name = (key: string) => `gateways/p/${key}`;

interface Scene {
  readonly database: MemoryDatabase;
  readonly records: Records;
  readonly copy: RecordCopy;
  readonly told: string[];
  readonly unread: RegistryError[];
  /** While it is set, the store fails. */
  readonly trouble: { isAway: boolean };
}

async function scene(): Promise<Scene> {
  const database = new MemoryDatabase();
  const records = await openMemoryRecords(database);
  const trouble = { isAway: false };
  const away = () => Promise.reject(fail("STORE_UNAVAILABLE", { reason: "away" }));
  const unread: RegistryError[] = [];
  const copy = new RecordCopy({
    records: {
      range: (query) => (trouble.isAway ? away() : records.range(query)),
      commit: (commit) => (trouble.isAway ? away() : records.commit(commit)),
      changes: (range, after) => (trouble.isAway ? away() : records.changes(range, after)),
      watch: (...watched) => records.watch(...watched),
    },
    prefix: "gateways/p/",
    recordsMax: 10,
    unread: (error) => void unread.push(error),
    failed: (error) => {
      throw error;
    },
  });
  const told: string[] = [];
  copy.listen((changes) => void told.push(changes.map(wordsOf).join(" ")));
  return { database, records, copy, told, unread, trouble };
}

function wordsOf({ key, before, after }: CopyChange): string {
  const words = (record: typeof before) => (record === undefined ? "-" : textOf(record.value));
  return `${key.slice(11)}:${words(before)}>${words(after)}`;
}

const contentOfCopy = (copy: RecordCopy) =>
  [...copy.range(RANGE)].map(({ key, value }) => [key, textOf(value)] as const);

test("a copy has what was there, hears of changes in order, and knows its revision", async () => {
  const { records, copy, told } = await scene();
  await committed(records, put(name("b"), "1"), put("gateways/q/other", "1"));
  assert.equal(copy.isRead, false);
  await copy.begin();
  assert.equal(copy.isRead, true);
  const revision = await committed(records, put(name("a"), "2"), put(name("b"), "3"), put("gateways/q/x"));
  await copy.whenReached(revision);
  await copy.whenReached(await committed(records, remove(name("b"))));
  assert.deepEqual(told, ["b:->1", "a:->2 b:1>3", "b:3>-"]);
  assert.deepEqual(contentOfCopy(copy), await contentOf(records, RANGE.from, RANGE.to));
  assert.equal(copy.revision, revision + 1n);
  assert.deepEqual([copy.size, copy.bytes], [1, 1]);
  assert.equal(copy.get(name("a"))?.createdRevision, revision);
  assert.equal(copy.get(name("b")), undefined);
  copy.close();
});

test("a commit resolves when the copy has it, or what it was refused for", async () => {
  const { records, copy } = await scene();
  await copy.begin();
  const isNew = { kind: "revision", key: name("a"), revision: 0n } as const;
  const made = await copy.commit({ conditions: [isNew], operations: [put(name("a"), "mine")] });
  assert.equal(made.kind, "committed");
  assert.equal(textOf(copy.get(name("a"))?.value ?? new Uint8Array()), "mine");
  const theirs = await committed(records, put(name("b"), "theirs"));
  const isNewB = { ...isNew, key: name("b") };
  const refused = await copy.commit({ conditions: [isNewB], operations: [put(name("b"), "mine")] });
  assert.deepEqual(refused, { kind: "refused", condition: isNewB });
  assert.equal(copy.get(name("b"))?.revision, theirs);
  const nothing = await copy.commit({ conditions: [], operations: [remove(name("c"))] });
  assert.deepEqual(nothing, { kind: "committed", revision: theirs });
  copy.close();
});

test("those who wait for a revision are told in the order of revisions, and refused when the copy ends", async () => {
  const { records, copy } = await scene();
  await copy.begin();
  const order: number[] = [];
  const waits = [3, 1, 2, 1].map((revision) => copy.whenReached(BigInt(revision)).then(() => order.push(revision)));
  const late = copy.whenReached(9n);
  for (let count = 0; count < 3; count++) await committed(records, put(name("a"), String(count)));
  await Promise.all(waits);
  assert.deepEqual(order, [1, 1, 2, 3]);
  copy.close();
  await assert.rejects(late, refusedAs("STORE_UNAVAILABLE", "stops"));
  await assert.rejects(copy.whenReached(10n), refusedAs("STORE_UNAVAILABLE"));
});

test("while the store is away the copy stays as it is, and is read when the store is back", async () => {
  const { records, copy, unread, trouble } = await scene();
  trouble.isAway = true;
  await committed(records, put(name("a"), "1"));
  await copy.begin();
  copy.check(1_000);
  copy.check(1_500);
  await assert.rejects(copy.catchUp(), refusedAs("STORE_UNAVAILABLE", "away"));
  assert.equal(unread.length, 1, "it complains once");
  assert.equal(copy.isRead, false);
  trouble.isAway = false;
  copy.check(1_999);
  assert.equal(copy.isRead, false);
  copy.check(2_500);
  await copy.whenReached(1n);
  trouble.isAway = true;
  await assert.rejects(copy.catchUp(), refusedAs("STORE_UNAVAILABLE", "away"));
  await assert.rejects(copy.commit({ conditions: [], operations: [] }), refusedAs("STORE_UNAVAILABLE"));
  assert.deepEqual(contentOfCopy(copy), [[name("a"), "1"]]);
  copy.close();
});

test("after compaction everything is read again, and the difference is told as changes", async () => {
  const { database, records, copy, told } = await scene();
  await committed(records, put(name("a"), "1"), put(name("b"), "1"), put(name("c"), "1"));
  await copy.begin();
  told.length = 0;
  // The watch sees none of these before the history is gone.
  const { table } = database;
  table.commit({ conditions: [], operations: [put(name("a"), "2"), remove(name("b"))] }, () => false);
  table.commit({ conditions: [], operations: [put(name("d"), "1")] }, () => false);
  await records.compact(table.revision);
  assert.equal(await copy.catchUp(), 3n);
  assert.equal(told.length, 1);
  assert.deepEqual(told[0]?.split(" ").sort(), ["a:1>2", "b:1>-", "d:->1"]);
  assert.deepEqual(contentOfCopy(copy), await contentOf(records, RANGE.from, RANGE.to));
  await copy.whenReached(await committed(records, put(name("e"), "1")));
  assert.equal(told.at(-1), "e:->1", "it watches from there");
  copy.close();
});

test("a range with more records than can be read is not read", async () => {
  const { records, copy, unread } = await scene();
  for (let count = 0; count <= 10; count++) await committed(records, put(name(String(count))));
  await copy.begin();
  assert.equal(copy.isRead, false);
  assert.match(unread[0]?.message ?? "", /more records than can be read/);
  copy.close();
});
