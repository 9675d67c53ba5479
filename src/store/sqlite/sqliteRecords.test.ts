import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { HISTORY_BYTES_MAX } from "../../records/bounds.ts";
import { keyAlone, keysWith } from "../../records/keys.ts";
import { readAll } from "../../records/readAll.ts";
import { recordsSuite } from "../testing/recordsSuite.ts";
import { committed, isUnavailable, put, refusedAs, textOf } from "../testing/testRecords.ts";
import { VirtualTime } from "../testing/virtualTime.ts";
import { openSqliteStore } from "./sqliteStore.ts";

const root = mkdtempSync(join(tmpdir(), "roster-records-"));
after(() => rmSync(root, { recursive: true, force: true }));
let dirs = 0;

function newDir(): string {
  dirs += 1;
  return join(root, `data-${dirs}`);
}

const recordsIn = async (dataDir: string, time = new VirtualTime()) => (await openSqliteStore(dataDir, time)).records;

recordsSuite("records in SQLite", () => {
  const dataDir = newDir();
  const time = new VirtualTime();
  return { open: () => recordsIn(dataDir, time), pass: time.pass, isShared: false };
});

test("a history of large values is compacted by its bytes", async () => {
  const records = await recordsIn(newDir());
  const first = await committed(records, put("a", "first"));
  const value = "v".repeat(4 * 1024 * 1024);
  for (let at = 0; at <= HISTORY_BYTES_MAX / value.length + 1; at++)
    await committed(records, put("a", `${at}${value}`));
  const answer = await records.changes(keysWith(""), first);
  assert.equal(answer.kind, "compacted");
  const page = await records.range(keyAlone("a"));
  assert.ok(page.kind === "page");
  await records.close();
});

test("a transaction that fails changes nothing, and says so to each of its commits", async () => {
  const dataDir = newDir();
  const records = await recordsIn(dataDir);
  await committed(records, put("a", "1"));
  edit(
    dataDir,
    "CREATE TRIGGER full BEFORE INSERT ON record_version WHEN new.key = 'c' BEGIN SELECT raise(ABORT, 'disk full'); END",
  );
  const all = await Promise.allSettled([put("a", "2"), put("b"), put("c")].map((each) => committed(records, each)));
  for (const each of all)
    assert.ok(each.status === "rejected" && refusedAs("STORE_UNAVAILABLE", "disk full")(each.reason));
  edit(dataDir, "DROP TRIGGER full");
  const { records: found } = await readAll(records, keysWith(""), 10);
  assert.deepEqual(
    found.map(({ value }) => textOf(value)),
    ["1"],
  );
  await committed(records, put("c"));
  await records.close();
});

test("rows that are no records any more are an error that names the table", async () => {
  for (const [sql, reason] of [
    ["UPDATE record_version SET revision = -1", "revision is negative"],
    ["UPDATE record_version SET value = NULL", "the value of a is not bytes"],
    ["DELETE FROM record_head", "record_head has no row"],
    ["UPDATE record_head SET revision = -1", "table record_head, row 1: revision is negative"],
  ] as const) {
    const dataDir = newDir();
    const records = await recordsIn(dataDir);
    await committed(records, put("a"));
    edit(dataDir, sql);
    await assert.rejects(records.range(keysWith("")), refusedAs("STORE_DAMAGED", reason));
    await records.close();
  }
});

test("a store that is closed while commits wait writes them or refuses them", async () => {
  const dataDir = newDir();
  const records = await recordsIn(dataDir);
  const waiting = committed(records, put("a"));
  await records.close();
  await assert.rejects(waiting, isUnavailable);
});

// The promise of a store: what it acknowledged is there, however its process ends.
test("kill -9 in the middle of 10,000 commits loses no acknowledged one", async () => {
  const dataDir = newDir();
  const child = writer(dataDir, 10_000);
  const acknowledged = new Map<string, bigint>();
  const lines = createInterface({ input: child.stdout ?? assert.fail("it has an output") });
  for await (const line of lines) {
    const [key = "", revision = ""] = line.split(" ");
    acknowledged.set(key, BigInt(revision));
    if (acknowledged.size === 4_000) child.kill("SIGKILL");
  }
  assert.ok(acknowledged.size >= 4_000 && acknowledged.size < 10_000, `${acknowledged.size} were acknowledged`);
  const records = await recordsIn(dataDir);
  const { records: found } = await readAll(records, keysWith("k"), 10_000);
  const stored = new Map(found.map(({ key, revision }) => [key, revision]));
  for (const [key, revision] of acknowledged) assert.equal(stored.get(key), revision, `${key} was acknowledged`);
  await records.close();
});

function edit(dataDir: string, sql: string): void {
  const database = new DatabaseSync(join(dataDir, "roster.db"));
  database.exec(sql);
  database.close();
}

/** A process that makes so many commits, many at a time, and says which of them were acknowledged. */
function writer(dataDir: string, count: number): ChildProcess {
  const store = JSON.stringify(new URL("./sqliteStore.ts", import.meta.url).href);
  const code = `
    const { openSqliteStore } = await import(${store});
    const { records } = await openSqliteStore(${JSON.stringify(dataDir)});
    for (let at = 0; at < ${count}; at++) {
      const operations = [{ kind: "put", key: "k" + at, value: new Uint8Array(100) }];
      const commit = records.commit({ conditions: [], operations });
      void commit.then((outcome) => console.log("k" + at + " " + outcome.revision), () => undefined);
      if (at % 25 === 0) await commit;
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
}

test("the process that writes ends by itself if it is left alone", async () => {
  const child = writer(newDir(), 100);
  let lines = 0;
  child.stdout?.on("data", (text) => {
    lines += String(text).split("\n").length - 1;
  });
  await once(child, "exit");
  assert.equal(lines, 100);
});
