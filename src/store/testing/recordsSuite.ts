// The behaviour of records in every backend. Each backend's test file runs this suite on its own databases.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  CONDITIONS_MAX,
  KEY_BYTES_MAX,
  OPERATIONS_MAX,
  RANGE_BYTES_MAX,
  RANGE_RECORDS_MAX,
} from "../../records/bounds.ts";
import { keyAfter, keyAlone, keysWith } from "../../records/keys.ts";
import { readAll } from "../../records/readAll.ts";
import type { Records } from "../../records/records.ts";
import { historyTests } from "./historyTests.ts";
import { recordsLeaseTests } from "./recordsLeaseTests.ts";
import { recordsOracleTest } from "./recordsOracleTest.ts";
import {
  A,
  bytes,
  commitOf,
  committed,
  contentOf,
  isUnavailable,
  LONG_MS,
  lead,
  leads,
  type NewDatabase,
  put,
  refusedAs,
  remove,
  revisionOf,
  unchanged,
} from "./testRecords.ts";

/** Registers the suite; `newDatabase` gives a fresh database for each test. */
export function recordsSuite(name: string, newDatabase: NewDatabase): void {
  const opened = () => newDatabase().open();
  describe(`${name}: keys and values`, () => keyTests(opened));
  describe(`${name}: commits`, () => commitTests(opened));
  describe(`${name}: pages`, () => pageTests(opened));
  describe(`${name}: history`, () => historyTests(newDatabase));
  describe(`${name}: the lease`, () => recordsLeaseTests(newDatabase));
  recordsOracleTest(name, newDatabase);
  test(`${name}: what was written is there when the store is opened again`, async () => {
    const database = newDatabase();
    const records = await database.open();
    await committed(records, put("a", "1"));
    const revision = await committed(records, put("b", "2"));
    await records.close();
    const reopened = await database.open();
    const page = await reopened.range(keysWith(""));
    assert.ok(page.kind === "page");
    assert.deepEqual([page.records.length, page.revision >= revision], [2, true]);
    assert.ok((await committed(reopened, put("c"))) > revision, "revisions continue");
    await reopened.close();
  });
  test(`${name}: close may be called twice, and a closed store says that it is`, async () => {
    const records = await opened();
    await records.close();
    await records.close();
    for (const call of [
      () => records.range(keysWith("")),
      () => records.commit(commitOf([put("a")])),
      () => records.changes(keysWith(""), 0n),
      () => records.compact(0n),
      () => records.acquireLease(A, LONG_MS),
      () => records.releaseLease(1n),
    ]) {
      await assert.rejects(async () => call(), isUnavailable);
    }
  });
}

function keyTests(opened: () => Promise<Records>): void {
  // In this order by bytes of UTF-8; JavaScript's own order has the last two the other way round.
  const KEYS = [" ", "a", "a b", "a'\"\\", "a/", "a/b", "a0", "b", "\u00e9", "\u4e2d\u6587", "\uff5e", "\u{1f490}"];

  test("keys are ordered by their bytes, and come back as they were", async () => {
    const records = await opened();
    for (const key of [...KEYS].reverse()) await committed(records, put(key));
    assert.deepEqual(
      (await contentOf(records)).map(([key]) => key),
      KEYS,
    );
    await records.close();
  });

  test("a range has the keys with a prefix, or one key, or those between two", async () => {
    const records = await opened();
    await records.commit(commitOf(KEYS.map((key) => put(key))));
    const keysOf = async ({ from, to }: { from: string; to: string }) =>
      (await contentOf(records, from, to)).map(([key]) => key);
    assert.deepEqual(await keysOf(keysWith("a/")), ["a/", "a/b"]);
    assert.deepEqual(await keysOf(keysWith("\u00e9")), ["\u00e9"]);
    assert.deepEqual(await keysOf(keysWith("\u{1f490}")), ["\u{1f490}"]);
    assert.deepEqual(await keysOf(keysWith("zz")), []);
    assert.deepEqual(await keysOf(keyAlone("a")), ["a"]);
    assert.deepEqual(await keysOf({ from: "a/b", to: "b" }), ["a/b", "a0"]);
    assert.deepEqual(await keysOf({ from: keyAfter("b"), to: "" }), KEYS.slice(8));
    assert.deepEqual(await keysOf({ from: "b", to: "a" }), []);
    await records.close();
  });

  test("the longest key and its neighbour are two keys", async () => {
    const records = await opened();
    const long = (end: string) => "k".repeat(KEY_BYTES_MAX - 1) + end;
    await records.commit(commitOf([put(long("1"), "one"), put(long("2"), "two")]));
    assert.deepEqual(await contentOf(records), [
      [long("1"), "one"],
      [long("2"), "two"],
    ]);
    await records.close();
  });

  test("every byte of a value comes back, a megabyte of them too, and none of none", async () => {
    const records = await opened();
    const all = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    await records.commit(
      commitOf([
        { kind: "put", key: "all", value: all },
        { kind: "put", key: "none", value: new Uint8Array(0) },
      ]),
    );
    const page = await records.range(keysWith(""));
    assert.ok(page.kind === "page");
    const [first, second] = page.records;
    assert.equal(Buffer.compare(first?.value ?? new Uint8Array(0), all), 0);
    assert.equal(second?.value.length, 0);
    await records.close();
  });

  test("what was read does not change the store, nor does a change of what was written", async () => {
    const records = await opened();
    const value = bytes("before");
    await records.commit(commitOf([{ kind: "put", key: "a", value }]));
    value.fill(0);
    const page = await records.range(keysWith(""));
    assert.ok(page.kind === "page");
    page.records[0]?.value.fill(1);
    assert.deepEqual(await contentOf(records), [["a", "before"]]);
    await records.close();
  });

  for (const [what, key] of [
    ["empty", ""],
    ["longer than it may be", "k".repeat(KEY_BYTES_MAX + 1)],
    ["longer in bytes than it may be", "\u4e2d".repeat(KEY_BYTES_MAX / 3 + 1)],
    ["with NUL", "a\0b"],
    ["with a lone surrogate", "a\ud800"],
  ] as const) {
    test(`a key that is ${what} is refused, wherever it is`, async () => {
      const records = await opened();
      const invalid = refusedAs("RECORD_INVALID");
      await assert.rejects(async () => records.commit(commitOf([put(key)])), invalid);
      await assert.rejects(async () => records.commit(commitOf([remove(key)])), invalid);
      await assert.rejects(async () => records.commit(commitOf([put("a")], [unchanged(key, 0n)])), invalid);
      if (key !== "") await assert.rejects(async () => records.range({ from: key, to: "" }), invalid);
      assert.deepEqual(await contentOf(records), []);
      await records.close();
    });
  }
}

function commitTests(opened: () => Promise<Records>): void {
  test("a record says the revisions that created it and that wrote it", async () => {
    const records = await opened();
    const first = await committed(records, put("a", "1"));
    const second = await committed(records, put("a", "2"), put("b", "2"));
    const page = await records.range(keysWith(""));
    assert.ok(page.kind === "page");
    assert.deepEqual(
      page.records.map(({ key, revision, createdRevision }) => [key, revision, createdRevision]),
      [
        ["a", second, first],
        ["b", second, second],
      ],
    );
    assert.equal(page.revision, second);
    assert.ok(second > first && first > 0n);
    await committed(records, remove("a"));
    const again = await committed(records, put("a", "3"));
    const last = await records.range(keyAlone("a"));
    assert.ok(last.kind === "page");
    assert.equal(last.records[0]?.createdRevision, again);
    await records.close();
  });

  test("a commit is made if every key has the revision that it expects, and else says which one has not", async () => {
    const records = await opened();
    const one = await committed(records, put("a", "1"));
    const conditions = [unchanged("a", one), unchanged("b", 0n)];
    const two = revisionOf(await records.commit(commitOf([put("b", "2")], conditions)));
    const late = await records.commit(commitOf([put("a", "late"), put("c", "late")], conditions));
    assert.deepEqual(late, { kind: "refused", condition: unchanged("b", 0n) });
    const early = await records.commit(commitOf([put("a", "late")], [unchanged("a", two), unchanged("b", 0n)]));
    assert.deepEqual(early, { kind: "refused", condition: unchanged("a", two) }, "the first one that does not hold");
    assert.deepEqual(await contentOf(records), [
      ["a", "1"],
      ["b", "2"],
    ]);
    await records.close();
  });

  test("a key that was deleted has revision 0 again, and its old revision is not met any more", async () => {
    const records = await opened();
    const revision = await committed(records, put("a", "1"));
    revisionOf(await records.commit(commitOf([remove("a")], [unchanged("a", revision)])));
    const old = await records.commit(commitOf([put("a", "2")], [unchanged("a", revision)]));
    assert.equal(old.kind, "refused");
    revisionOf(await records.commit(commitOf([put("a", "3")], [unchanged("a", 0n)])));
    await records.close();
  });

  test("of many who change the same revision one is told that it did", async () => {
    const records = await opened();
    const revision = await committed(records, put("a", "0"));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => records.commit(commitOf([put("a", `${at}`)], [unchanged("a", revision)]))),
    );
    const winners = outcomes.flatMap(({ kind }, at) => (kind === "committed" ? [`${at}`] : []));
    assert.equal(winners.length, 1);
    assert.deepEqual(await contentOf(records), [["a", winners[0] ?? ""]]);
    await records.close();
  });

  test("commits that wait together have revisions and outcomes of their own", async () => {
    const records = await opened();
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, at) =>
        records.commit(commitOf([put(`key ${at % 100}`, `${at}`)], at % 3 === 0 ? [unchanged("missing", 7n)] : [])),
      ),
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      outcomes.map((_, at) => (at % 3 === 0 ? "refused" : "committed")),
    );
    const revisions = outcomes.flatMap((outcome) => (outcome.kind === "committed" ? [outcome.revision] : []));
    assert.equal(new Set(revisions).size, revisions.length);
    const last = new Map<string, readonly [bigint, string]>();
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.kind === "refused") continue;
      const key = `key ${at % 100}`;
      if ((last.get(key)?.[0] ?? 0n) < outcome.revision) last.set(key, [outcome.revision, `${at}`]);
    }
    for (const [key, value] of await contentOf(records)) assert.equal(value, last.get(key)?.[1]);
    await records.close();
  });

  test("a commit that changes nothing has the newest revision, and makes none", async () => {
    const records = await opened();
    const revision = await committed(records, put("a"));
    const outcomes = [
      await records.commit(commitOf([])),
      await records.commit(commitOf([remove("missing")])),
      await records.commit(commitOf([], [unchanged("a", revision)])),
    ];
    for (const outcome of outcomes) assert.deepEqual(outcome, { kind: "committed", revision });
    assert.equal((await records.commit(commitOf([], [unchanged("a", 0n)]))).kind, "refused");
    const page = await records.changes(keysWith(""), revision);
    assert.ok(page.kind === "changes");
    assert.deepEqual(page.changes, []);
    await records.close();
  });

  test("a commit may have as many parts as it may, and not one more", async () => {
    const records = await opened();
    const operations = Array.from({ length: OPERATIONS_MAX }, (_, at) => put(`k${at}`));
    const conditions = operations.map(({ key }) => unchanged(key, 0n)).slice(0, CONDITIONS_MAX);
    revisionOf(await records.commit(commitOf(operations, conditions)));
    assert.equal((await records.commit(commitOf(operations, conditions))).kind, "refused");
    const page = await records.range({ ...keysWith("k"), limit: 1 });
    const revision = page.kind === "page" ? page.revision : 0n;
    const present = operations.slice(0, CONDITIONS_MAX).map(({ key }) => unchanged(key, revision));
    const removals = operations.map(({ key }) => remove(key));
    revisionOf(await records.commit(commitOf(removals, present)));
    assert.deepEqual(await readAll(records, keysWith("k"), 1).then(({ records: left }) => left), []);
    const tooLarge = refusedAs("RECORD_TOO_LARGE");
    await assert.rejects(async () => records.commit(commitOf([...operations, put("more")])), tooLarge);
    const more = [...conditions, unchanged("more", 0n)];
    await assert.rejects(async () => records.commit(commitOf([], more)), tooLarge);
    const twice = [put("a"), remove("a")];
    await assert.rejects(async () => records.commit(commitOf(twice)), refusedAs("RECORD_INVALID", "two operations"));
    await records.close();
  });

  test("a leader's commit needs its lease and its revisions, and says which is missing", async () => {
    const records = await opened();
    const { epoch } = await lead(records);
    const make = (lease: bigint, revision: bigint) =>
      records.commit(commitOf([put("a")], [leads(lease), unchanged("a", revision)]));
    assert.deepEqual(await make(epoch + 1n, 5n), { kind: "refused", condition: leads(epoch + 1n) });
    assert.deepEqual(await make(epoch, 5n), { kind: "refused", condition: unchanged("a", 5n) });
    revisionOf(await make(epoch, 0n));
    await records.close();
  });
}

function pageTests(opened: () => Promise<Records>): void {
  test("a range is read page by page, as of one revision, whatever is written meanwhile", async () => {
    const records = await opened();
    const keys = Array.from({ length: 10 }, (_, at) => `k${at}`);
    await records.commit(commitOf(keys.map((key) => put(key, "old"))));
    const first = await records.range({ ...keysWith("k"), limit: 4 });
    assert.ok(first.kind === "page" && !first.isLast);
    await records.commit(commitOf([put("k1", "new"), put("k5", "new"), remove("k6"), put("k55", "new")]));
    const from = keyAfter(first.records.at(-1)?.key ?? "");
    const second = await records.range({ ...keysWith("k"), from, limit: 6, at: first.revision });
    assert.ok(second.kind === "page" && second.isLast);
    assert.equal(second.revision, first.revision);
    const all = [...first.records, ...second.records];
    assert.deepEqual(
      all.map(({ key, value }) => [key, Buffer.from(value).toString()]),
      keys.map((key) => [key, "old"]),
    );
    await records.close();
  });

  test("a page that is exactly full is the last one if nothing follows", async () => {
    const records = await opened();
    await records.commit(commitOf([put("a"), put("b")]));
    const page = await records.range({ ...keysWith(""), limit: 2 });
    assert.ok(page.kind === "page");
    assert.deepEqual([page.records.length, page.isLast], [2, true]);
    await records.close();
  });

  test("a page ends when it has many bytes, and all pages together have every record", async () => {
    const records = await opened();
    const value = "v".repeat(1024 * 1024);
    const count = RANGE_BYTES_MAX / value.length + 3;
    for (let at = 0; at < count; at++) await committed(records, put(`k${at}`, value));
    const page = await records.range(keysWith(""));
    assert.ok(page.kind === "page" && !page.isLast && page.records.length < count);
    assert.equal((await readAll(records, keysWith(""), 100)).records.length, count);
    await assert.rejects(() => readAll(records, keysWith(""), count - 1), isUnavailable);
    await records.close();
  });

  test("a store without records has an empty last page", async () => {
    const records = await opened();
    const page = await records.range(keysWith(""));
    assert.ok(page.kind === "page");
    assert.deepEqual([page.records, page.isLast], [[], true]);
    await records.close();
  });

  test("a limit that is none is refused, and so is a revision that is not there yet", async () => {
    const records = await opened();
    const revision = await committed(records, put("a"));
    for (const limit of [0, -1, 1.5, RANGE_RECORDS_MAX + 1]) {
      await assert.rejects(async () => records.range({ ...keysWith(""), limit }), refusedAs("RECORD_INVALID"));
    }
    await assert.rejects(async () => records.range({ ...keysWith(""), at: revision + 1_000n }), isUnavailable);
    await assert.rejects(async () => records.changes(keysWith(""), revision + 1_000n), isUnavailable);
    await records.close();
  });
}
