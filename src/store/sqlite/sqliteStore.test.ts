import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { type ErrorCode, RegistryError } from "../../base/errors.ts";
import { brandDataInfoId, nodeId } from "../../model/ids.ts";
import { metaStoreSuite } from "../testing/metaStoreSuite.ts";
import { nodeStoreSuite } from "../testing/nodeStoreSuite.ts";
import { VirtualTime } from "../testing/virtualTime.ts";
import { openSqliteStore } from "./sqliteStore.ts";

const root = mkdtempSync(join(tmpdir(), "roster-store-"));
after(() => rmSync(root, { recursive: true, force: true }));

const ORDERS = brandDataInfoId("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
let dirs = 0;

function newDir(): string {
  dirs += 1;
  return join(root, `data-${dirs}`);
}

function newDisk() {
  const dataDir = newDir();
  const time = new VirtualTime();
  return { open: () => openSqliteStore(dataDir, time), pass: time.pass };
}

metaStoreSuite("SQLite store", newDisk);
nodeStoreSuite("SQLite store", newDisk);

const A = { holder: nodeId("meta-1.aaaaaaaa"), address: "10.0.0.1:9615" };
const B = { holder: nodeId("meta-2.bbbbbbbb"), address: "10.0.0.2:9615" };

test("a process that opens the store leads at once, however long the one before had wanted to", async () => {
  const dataDir = newDir();
  const child = await holder(dataDir, `await store.acquireLease(${JSON.stringify(A)}, 60000);`);
  await killed(child);
  const store = await openSqliteStore(dataDir);
  assert.deepEqual(await store.acquireLease(B, 5_000), { ...B, epoch: 2n, remainingMs: 5_000 });
  await store.close();
});

test("a store of the first release gets its tables for the lead, and keeps what it holds", async () => {
  const dataDir = newDir();
  await (await openSqliteStore(dataDir)).close();
  edit(dataDir, "DROP TABLE leader_lease; DROP TABLE blocked_node; UPDATE schema_version SET version = 1");
  edit(dataDir, `INSERT INTO config VALUES ('"a"', 7, '"seven"')`);
  const store = await openSqliteStore(dataDir);
  const { epoch } = await store.acquireLease(A, 5_000);
  assert.equal(await store.setNodeBlocked("data-1", true, epoch), true);
  assert.equal((await store.loadAll()).configs.get(brandDataInfoId("a"))?.data, "seven");
  await store.close();
});

test("the data directory is made for its owner alone, with its parents", async () => {
  const dataDir = join(newDir(), "deep", "er");
  await (await openSqliteStore(dataDir)).close();
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
});

test("what was written before kill -9 is there afterwards, and the directory is free at once", async () => {
  const dataDir = newDir();
  const child = await holder(
    dataDir,
    `store.saveVersionFloor(77n); const { epoch } = await store.acquireLease(${JSON.stringify(A)}, 60000);
     await store.putConfig({dataInfoId: 'a', version: 1n, data: 'x'}, epoch);`,
  );
  await killed(child);
  assert.ok(existsSync(join(dataDir, "roster.db-wal")), "the process had no time to tidy up");
  const store = await openSqliteStore(dataDir);
  assert.equal(store.loadVersionFloor(), 77n);
  assert.equal((await store.loadAll()).configs.size, 1);
  await store.close();
});

test("a directory that another process works on is refused, and left alone", async () => {
  const dataDir = newDir();
  const child = await holder(dataDir, "");
  await assert.rejects(openSqliteStore(dataDir), refusedAs("DATA_DIR_IN_USE", dataDir));
  await killed(child);
  await (await openSqliteStore(dataDir)).close();
});

test("a store of a newer release is refused with both numbers, and left as it is", async () => {
  const dataDir = newDir();
  await (await openSqliteStore(dataDir)).close();
  edit(dataDir, "UPDATE schema_version SET version = 99");
  const before = readFileSync(join(dataDir, "roster.db"));
  await assert.rejects(openSqliteStore(dataDir), refusedAs("STORE_SCHEMA_NEWER", "found=99, supported=2"));
  assert.deepEqual(readFileSync(join(dataDir, "roster.db")), before);
});

test("a file that is no database is refused with its name and advice", async () => {
  const dataDir = newDir();
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "roster.db"), "this is not SQLite ".repeat(100));
  await assert.rejects(
    openSqliteStore(dataDir),
    refusedAs("STORE_UNAVAILABLE", "roster.db", "not a database", "backup"),
  );
});

test("a damaged slot table is an error, not a table with holes", async () => {
  const dataDir = newDir();
  await (await openSqliteStore(dataDir)).close();
  edit(dataDir, `INSERT INTO slot_table VALUES (1, 5, '[["data-1","5",[]],["data-2"]]')`);
  const store = await openSqliteStore(dataDir);
  await assert.rejects(store.loadAll(), refusedAs("STORE_UNAVAILABLE", "slots_json, slot 1 has no leader"));
  await store.close();
});

test("a directory that can't be made is refused with the reason", async () => {
  const file = newDir();
  writeFileSync(file, "");
  await assert.rejects(openSqliteStore(join(file, "data")), refusedAs("STORE_UNAVAILABLE", "ENOTDIR"));
});

test("a directory that can't be written is refused with the reason", async () => {
  const dataDir = newDir();
  mkdirSync(dataDir, { mode: 0o555 });
  // Root may write everywhere, so the child first becomes nobody, who must still reach the directory.
  chmodSync(root, 0o755);
  const become = "if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }";
  const child = run(dataDir, `${become} await open().catch((error) => console.log(error.message));`);
  const [said] = await once(child.stdout ?? child, "data");
  assert.match(String(said), /STORE_UNAVAILABLE.*roster\.db.*unable to open/);
});

test("all sizes are saved or none", async () => {
  const dataDir = newDir();
  const store = await openSqliteStore(dataDir);
  const sizes = new Map([
    [ORDERS, 3],
    [brandDataInfoId("broken"), 0.5],
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

/** A child process that has opened the store, done something to it, and now holds it. */
async function holder(dataDir: string, code: string): Promise<ChildProcess> {
  const child = run(dataDir, `const store = await open(); ${code} console.log("ready"); process.stdin.resume();`);
  await once(child.stdout ?? child, "data");
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}
