import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { type ErrorCode, RegistryError } from "../../base/errors.ts";
import { brandServiceKey, nodeId } from "../../model/ids.ts";
import { keysWith } from "../../records/keys.ts";
import { readAll } from "../../records/readAll.ts";
import { assertLastRelease } from "../testing/lastRelease.ts";
import { nodeStoreSuite } from "../testing/nodeStoreSuite.ts";
import { migrate } from "./schema.ts";
import { openSqliteStore } from "./sqliteStore.ts";

const root = mkdtempSync(join(tmpdir(), "roster-store-"));
after(() => rmSync(root, { recursive: true, force: true }));

const ORDERS = brandServiceKey("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
let dirs = 0;

function newDir(): string {
  dirs += 1;
  return join(root, `data-${dirs}`);
}

nodeStoreSuite("SQLite store", () => {
  const dataDir = newDir();
  return { open: () => openSqliteStore(dataDir) };
});

const A = { holder: nodeId("meta-1.aaaaaaaa"), address: "10.0.0.1:9615" };
const B = { holder: nodeId("meta-2.bbbbbbbb"), address: "10.0.0.2:9615" };

test("a process that opens the store leads at once, however long the one before had wanted to", async () => {
  const dataDir = newDir();
  const child = await holder(dataDir, `await store.records.acquireLease(${JSON.stringify(A)}, 60000);`);
  await killed(child);
  const store = await openSqliteStore(dataDir);
  assert.deepEqual(await store.records.acquireLease(B, 5_000), { ...B, epoch: 2n, remainingMs: 5_000 });
  await store.close();
});

test("what the release before kept in tables is carried over, once", async () => {
  const dataDir = newDir();
  mkdirSync(dataDir);
  copyFileSync(join(import.meta.dirname, "testdata", "last-release.db"), join(dataDir, "roster.db"));
  for (let opens = 0; opens < 2; opens++) {
    const store = await openSqliteStore(dataDir);
    assert.equal(store.nodeId(), "c87e3ce7-8cec-4f9a-af7c-6e65a73b78b3");
    assert.equal(store.loadVersionFloor(), 77n);
    assert.equal(store.loadServiceSizes().size, 1);
    assertLastRelease(await readAll(store.records, keysWith(""), 100));
    assert.equal((await store.records.acquireLease(B, 5_000)).epoch, BigInt(2 + opens), "epochs go on growing");
    await store.close();
  }
});

test("an empty store of the first release becomes one without records", async () => {
  const dataDir = newDir();
  mkdirSync(dataDir);
  const database = new DatabaseSync(join(dataDir, "roster.db"));
  migrate(database, 1);
  database.close();
  const store = await openSqliteStore(dataDir);
  assert.deepEqual(await readAll(store.records, keysWith(""), 100), { revision: 0n, records: [] });
  await store.close();
});

for (const [what, sql, reason] of [
  ["a name that is no text", "INSERT INTO config VALUES ('7', 1, '\"x\"')", "data_info_id_json is not text"],
  ["a version of the past", "INSERT INTO config VALUES ('\"a\"', -1, 'null')", "version is negative"],
] as const) {
  test(`a value of the release before with ${what} refuses the start, and the file stays as it is`, async () => {
    const dataDir = newDir();
    mkdirSync(dataDir);
    const file = join(dataDir, "roster.db");
    copyFileSync(join(import.meta.dirname, "testdata", "last-release.db"), file);
    edit(dataDir, `DELETE FROM config; ${sql}`);
    const damaged = refusedAs("STORE_DAMAGED", "roster.db", "table config, row 1", reason, "delete the row");
    await assert.rejects(openSqliteStore(dataDir), damaged);
    edit(dataDir, "DELETE FROM config");
    await (await openSqliteStore(dataDir)).close();
  });
}

test("the data directory is made for its owner alone, with its parents", async () => {
  const dataDir = join(newDir(), "deep", "er");
  await (await openSqliteStore(dataDir)).close();
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
});

test("what was written before kill -9 is there afterwards, and the directory is free at once", async () => {
  const dataDir = newDir();
  const child = await holder(
    dataDir,
    `store.saveVersionFloor(77n);
     const operations = [{ kind: "put", key: "a", value: Uint8Array.of(1) }];
     await store.records.commit({ conditions: [], operations });`,
  );
  await killed(child);
  assert.ok(existsSync(join(dataDir, "roster.db-wal")), "the process had no time to tidy up");
  const store = await openSqliteStore(dataDir);
  assert.equal(store.loadVersionFloor(), 77n);
  assert.equal((await readAll(store.records, keysWith(""), 10)).records.length, 1);
  await store.close();
});

test("a directory that another process works on is refused, and left alone", async () => {
  const dataDir = newDir();
  const child = await holder(dataDir, "");
  await assert.rejects(openSqliteStore(dataDir), refusedAs("DATA_DIR_IN_USE", dataDir));
  await killed(child);
  await (await openSqliteStore(dataDir)).close();
});

test("a process that is refused a directory keeps nothing of it open", {
  skip: !existsSync("/proc/self/fd"),
}, async () => {
  const dataDir = newDir();
  const store = await openSqliteStore(dataDir);
  const openFiles = () => readdirSync("/proc/self/fd").filter((fd) => targetOf(fd).startsWith(dataDir)).length;
  const refused = () => assert.rejects(openSqliteStore(dataDir), refusedAs("DATA_DIR_IN_USE"));
  await refused();
  // SQLite keeps one for reuse: closing it would release the lock that this process has.
  const once = openFiles();
  for (let tries = 0; tries < 5; tries++) await refused();
  assert.ok(once > 0);
  assert.equal(openFiles(), once);
  await store.close();
  assert.equal(openFiles(), 0);
});

/** The target of a descriptor of this process; empty for the one used for the listing. */
function targetOf(fd: string): string {
  try {
    return readlinkSync(join("/proc/self/fd", fd));
  } catch {
    return "";
  }
}

test("a store of a newer release is refused with both numbers, and left as it is", async () => {
  const dataDir = newDir();
  await (await openSqliteStore(dataDir)).close();
  edit(dataDir, "UPDATE schema_version SET version = 99");
  const before = readFileSync(join(dataDir, "roster.db"));
  await assert.rejects(openSqliteStore(dataDir), refusedAs("STORE_SCHEMA_NEWER", "found=99, supported=4"));
  assert.deepEqual(readFileSync(join(dataDir, "roster.db")), before);
});

test("a directory whose store was refused is let go: what is mended is opened by the same process", async () => {
  const dataDir = newDir();
  await (await openSqliteStore(dataDir)).close();
  edit(dataDir, "UPDATE schema_version SET version = 99");
  await assert.rejects(openSqliteStore(dataDir), refusedAs("STORE_SCHEMA_NEWER"));
  assert.ok(!existsSync(join(dataDir, "roster.db-wal")), "the file is closed");
  edit(dataDir, "UPDATE schema_version SET version = 4");
  await (await openSqliteStore(dataDir)).close();
});

test("the file can be read while the store is open: it writes ahead", async () => {
  const dataDir = newDir();
  const store = await openSqliteStore(dataDir);
  const database = new DatabaseSync(join(dataDir, "roster.db"));
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
  database.close();
  await store.close();
});

test("a file that is no database is refused with its name and advice", async () => {
  const dataDir = newDir();
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "roster.db"), "this is not SQLite ".repeat(100));
  await assert.rejects(openSqliteStore(dataDir), refusedAs("STORE_DAMAGED", "roster.db", "not a database", "backup"));
});

for (const [what, sql, load, reason] of [
  [
    "a size below nothing",
    "INSERT INTO service_size VALUES ('\"a\"', -1)",
    "loadServiceSizes",
    "publishers is negative",
  ],
  ["an absurd size", "INSERT INTO service_size VALUES ('\"a\"', 10000001)", "loadServiceSizes", "above 10000000"],
  ["a size of no service", "INSERT INTO service_size VALUES ('a', 1)", "loadServiceSizes", "is not JSON"],
  ["a negative floor", "UPDATE node SET version_floor = -1", "loadVersionFloor", "version_floor is negative"],
  ["no row of its own", "DELETE FROM node", "loadVersionFloor", "table node has no row"],
  ["a name that is none", "UPDATE node SET node_id = 'a b'", "nodeId", "node_id is no name"],
] as const) {
  test(`a node's own disk with ${what} is an error that names it`, async () => {
    const dataDir = newDir();
    const before = await openSqliteStore(dataDir);
    await before.close();
    const store = await openSqliteStore(dataDir);
    edit(dataDir, sql);
    assert.throws(() => store[load](), refusedAs("STORE_DAMAGED", reason));
    await store.close();
  });
}

test("a directory that can't be made is refused with the reason", async () => {
  const file = newDir();
  writeFileSync(file, "");
  await assert.rejects(openSqliteStore(join(file, "data")), refusedAs("DATA_DIR_UNUSABLE", "ENOTDIR"));
});

test("a directory that can't be written is refused with the reason", async () => {
  const dataDir = newDir();
  mkdirSync(dataDir, { mode: 0o555 });
  // Root may write everywhere, so the child first becomes user 65534, which must still reach the directory.
  chmodSync(root, 0o755);
  const become = "if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }";
  const child = run(dataDir, `${become} await open().catch((error) => console.log(error.message));`);
  const [said] = await once(child.stdout ?? child, "data");
  assert.match(String(said), /DATA_DIR_UNUSABLE.*roster\.db.*unable to open/);
});

test("all sizes are saved or none", async () => {
  const dataDir = newDir();
  const store = await openSqliteStore(dataDir);
  const sizes = new Map([
    [ORDERS, 3],
    [brandServiceKey("broken"), 0.5],
  ]);
  assert.throws(() => store.saveServiceSizes(sizes), refusedAs("STORE_UNAVAILABLE"));
  assert.deepEqual(store.loadServiceSizes(), new Map());
  await store.close();
});

function refusedAs(code: ErrorCode, ...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} names ${part}`);
    return true;
  };
}

function edit(dataDir: string, sql: string): void {
  const database = new DatabaseSync(join(dataDir, "roster.db"));
  database.exec(sql);
  database.close();
}

/** A child process that may call `open()`. */
function run(dataDir: string, code: string): ChildProcess {
  const module = JSON.stringify(new URL("./sqliteStore.ts", import.meta.url).href);
  const open = `const open = () => openSqliteStore(${JSON.stringify(dataDir)});`;
  const prelude = `const { openSqliteStore } = await import(${module}); ${open}`;
  return spawn(process.execPath, ["--input-type=module", "-e", prelude + code], { stdio: ["pipe", "pipe", "inherit"] });
}

/** A child process that has opened the store, run `code` on it, and now holds it. */
async function holder(dataDir: string, code: string): Promise<ChildProcess> {
  const child = run(dataDir, `const store = await open(); ${code} console.log("ready"); process.stdin.resume();`);
  await once(child.stdout ?? child, "data");
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}
