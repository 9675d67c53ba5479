// The changes of the past: read as of earlier revisions, followed, watched, and compacted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CHANGES_MAX, HISTORY_REVISIONS_MAX } from "../../records/bounds.ts";
import { keyAlone, keysWith } from "../../records/keys.ts";
import type { Change, Records } from "../../records/records.ts";
import { commitOf, committed, isUnavailable, type NewDatabase, put, remove, textOf } from "./testRecords.ts";

const EVERYTHING = keysWith("");

/** A change in words: `a=1`, or `a-` for a deletion. */
function wordsOf(changes: readonly Change[]): string[] {
  return changes.map((change) =>
    change.kind === "put" ? `${change.record.key}=${textOf(change.record.value)}` : `${change.key}-`,
  );
}

/** A watch that keeps what it is told, and can wait for it. */
function watching(records: Records, after: bigint, range = EVERYTHING) {
  const told: string[] = [];
  const ends: bigint[] = [];
  let reached = after;
  let check: () => void = () => undefined;
  const cancel = records.watch(range, after, {
    changed(changes, revision) {
      told.push(...wordsOf(changes));
      reached = revision;
      check();
    },
    compacted(oldest) {
      ends.push(oldest);
      check();
    },
  });
  const until = (isSo: () => boolean) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    check = () => {
      if (isSo()) resolve();
    };
    check();
    return promise;
  };
  return { told, ends, cancel, until, reached: () => reached };
}

export function historyTests(newDatabase: NewDatabase): void {
  test("a range is read as of any revision of the history", async () => {
    const records = await newDatabase().open();
    const one = await committed(records, put("a", "1"));
    const two = await committed(records, put("a", "2"), put("b", "2"));
    const three = await committed(records, remove("a"));
    await committed(records, put("a", "4"));
    const at = async (revision: bigint) => {
      const page = await records.range({ ...EVERYTHING, at: revision });
      assert.ok(page.kind === "page");
      assert.equal(page.revision, revision);
      return page.records.map(({ key, value }) => `${key}=${textOf(value)}`);
    };
    assert.deepEqual(await at(one), ["a=1"]);
    assert.deepEqual(await at(two), ["a=2", "b=2"]);
    assert.deepEqual(await at(three), ["b=2"]);
    await records.close();
  });

  test("changes come in the order of revisions, those of one commit in the order of keys", async () => {
    const records = await newDatabase().open();
    const start = await committed(records, put("z", "0"));
    await committed(records, put("c", "1"), put("a", "1"));
    const two = await committed(records, remove("a"), put("b", "2"));
    await committed(records, put("a", "3"), remove("missing"));
    const page = await records.changes(EVERYTHING, start);
    assert.ok(page.kind === "changes" && page.isLast);
    assert.deepEqual(wordsOf(page.changes), ["a=1", "c=1", "a-", "b=2", "a=3"]);
    const later = await records.changes(keyAlone("a"), two);
    assert.ok(later.kind === "changes");
    assert.deepEqual(wordsOf(later.changes), ["a=3"]);
    const deleted = page.changes[2];
    assert.ok(deleted?.kind === "deleted");
    assert.equal(deleted.revision, two);
    const rewritten = page.changes[4];
    assert.ok(rewritten?.kind === "put");
    assert.equal(rewritten.record.createdRevision, rewritten.record.revision);
    await records.close();
  });

  test("changes come in pages that cut no commit, and together are all", async () => {
    const records = await newDatabase().open();
    const start = await committed(records, put("start"));
    const commits = Math.ceil((CHANGES_MAX * 2.5) / 90);
    const operations = Array.from({ length: 90 }, (_, at) => put(`k${at}`, "v"));
    await Promise.all(Array.from({ length: commits }, () => records.commit(commitOf(operations))));
    let after = start;
    let count = 0;
    let pages = 0;
    for (let isLast = false; !isLast; pages++) {
      const page = await records.changes(EVERYTHING, after);
      assert.ok(page.kind === "changes");
      assert.equal(page.changes.length % 90, 0, "whole commits");
      assert.ok(page.revision > after || page.isLast);
      count += page.changes.length;
      after = page.revision;
      isLast = page.isLast;
    }
    assert.deepEqual([count, pages > 1], [commits * 90, true]);
    await records.close();
  });

  test("a watch tells everything after its revision, and goes on", async () => {
    const database = newDatabase();
    const records = await database.open();
    const start = await committed(records, put("a", "before"));
    await committed(records, put("a", "1"));
    const watch = watching(records, start);
    await watch.until(() => watch.told.length === 1);
    await committed(records, put("b", "2"), remove("a"));
    await watch.until(() => watch.told.length === 3);
    const revision = await committed(records, put("c", "3"));
    await watch.until(() => watch.told.length === 4);
    assert.deepEqual(watch.told, ["a=1", "a-", "b=2", "c=3"]);
    assert.ok(watch.reached() >= revision);
    watch.cancel();
    await committed(records, put("d", "4"));
    await records.changes(EVERYTHING, revision);
    assert.equal(watch.told.length, 4, "a cancelled watch tells nothing");
    watch.cancel();
    await records.close();
  });

  test("a watch of a range is told of nothing outside it", async () => {
    const records = await newDatabase().open();
    const start = await committed(records, put("a/1"));
    const watch = watching(records, start, keysWith("a/"));
    await committed(records, put("b/1", "no"));
    await committed(records, put("a/2", "yes"));
    await watch.until(() => watch.told.length > 0);
    assert.deepEqual(watch.told, ["a/2=yes"]);
    watch.cancel();
    await records.close();
  });

  test("two stores on one database: what one commits the other is told, and reads at once", async () => {
    const database = newDatabase();
    if (!database.isShared) return;
    const [one, other] = [await database.open(), await database.open()];
    const start = await committed(one, put("a", "0"));
    const watch = watching(other, start);
    for (let at = 1; at <= 50; at++) {
      await committed(one, put("a", `${at}`));
      const page = await other.range(keyAlone("a"));
      assert.ok(page.kind === "page");
      assert.equal(textOf(page.records[0]?.value ?? new Uint8Array(0)), `${at}`);
    }
    await watch.until(() => watch.told.length === 50);
    assert.deepEqual(
      watch.told,
      Array.from({ length: 50 }, (_, at) => `a=${at + 1}`),
    );
    await Promise.all([one.close(), other.close()]);
  });

  test("compacted history can't be read, and a watch that needs it ends with the oldest revision", async () => {
    const records = await newDatabase().open();
    const one = await committed(records, put("a", "1"), put("b", "1"));
    await committed(records, put("a", "2"));
    const three = await committed(records, remove("b"));
    const four = await committed(records, put("a", "4"));
    await records.compact(three);
    for (const answer of [await records.range({ ...EVERYTHING, at: one }), await records.changes(EVERYTHING, one)]) {
      assert.deepEqual(answer, { kind: "compacted", oldest: three });
    }
    const kept = await records.range({ ...EVERYTHING, at: three });
    assert.ok(kept.kind === "page");
    assert.deepEqual(
      kept.records.map(({ key, value }) => `${key}=${textOf(value)}`),
      ["a=2"],
    );
    const late = watching(records, one);
    await late.until(() => late.ends.length === 1);
    assert.deepEqual([late.told, late.ends], [[], [three]]);
    const page = await records.changes(EVERYTHING, three);
    assert.ok(page.kind === "changes");
    assert.deepEqual([wordsOf(page.changes), page.revision], [["a=4"], four]);
    await records.close();
  });

  test("compacting again, or back, or up to the present loses nothing of the present", async () => {
    const records = await newDatabase().open();
    await committed(records, put("a", "1"), put("b", "1"));
    const revision = await committed(records, put("a", "2"));
    await records.compact(revision);
    await records.compact(revision);
    await records.compact(revision - 1n);
    await records.compact(0n);
    const page = await records.range({ ...EVERYTHING, at: revision });
    assert.ok(page.kind === "page");
    assert.deepEqual(
      page.records.map(({ key, value }) => `${key}=${textOf(value)}`),
      ["a=2", "b=1"],
    );
    await records.close();
  });

  test("the history of very many changes is bounded by itself", async () => {
    const records = await newDatabase().open();
    const start = await committed(records, put("k", "start"));
    const count = HISTORY_REVISIONS_MAX + HISTORY_REVISIONS_MAX / 4 + 200;
    for (let at = 0; at < count; at += 500) {
      await Promise.all(
        Array.from({ length: Math.min(500, count - at) }, (_, step) =>
          committed(records, put(`k${step % 7}`, `${at}`)),
        ),
      );
    }
    const answer = await records.changes(EVERYTHING, start);
    assert.equal(answer.kind, "compacted");
    const newest = await records.range(keyAlone("k"));
    assert.ok(newest.kind === "page" && newest.records.length === 1);
    const oldest = answer.kind === "compacted" ? answer.oldest : 0n;
    assert.ok(newest.revision - oldest >= BigInt(HISTORY_REVISIONS_MAX), "as much as is promised is kept");
    await records.close();
  });

  test("after a fail-over to an older copy nothing is used until the lead is asked for", async () => {
    const database = newDatabase();
    const copy = await database.copy?.();
    if (copy === undefined) return;
    const records = await database.open();
    const { epoch } = await records.acquireLease({ holder: "m.a" as never, address: "m:1" }, 60_000);
    const revision = await committed(records, put("a", "lost"));
    const watch = watching(records, 0n);
    await watch.until(() => watch.told.length === 1);
    await copy();
    await assert.rejects(async () => records.range(EVERYTHING), isUnavailable);
    await assert.rejects(async () => records.commit(commitOf([put("a", "x")])), isUnavailable);
    await assert.rejects(async () => records.changes(EVERYTHING, 0n), isUnavailable);
    const lease = await records.acquireLease({ holder: "m.a" as never, address: "m:1" }, 60_000);
    assert.ok(lease.epoch > epoch, "a lead of its own, so that the leader loads everything again");
    const page = await records.range(EVERYTHING);
    assert.ok(page.kind === "page");
    assert.deepEqual([page.records, page.revision > revision], [[], true]);
    assert.equal((await records.changes(EVERYTHING, revision)).kind, "compacted");
    assert.ok((await committed(records, put("a", "again"))) > revision);
    watch.cancel();
    await records.close();
  });
}
