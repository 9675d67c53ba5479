// Records in a real etcd: the suite of all backends, and outages.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { keysWith } from "../../src/records/keys.ts";
import { readAll } from "../../src/records/readAll.ts";
import { openEtcdRecords } from "../../src/store/etcd/etcdRecords.ts";
import { recordsSuite } from "../../src/store/testing/recordsSuite.ts";
import {
  A,
  commitOf,
  committed,
  contentOf,
  LONG_MS,
  leads,
  put,
  remove,
  textOf,
} from "../../src/store/testing/testRecords.ts";
import { type EtcdServer, startEtcd, withEtcd } from "./etcd.ts";
import { eventually, refusedAs } from "./withPostgres.ts";

const CALL_MS_MAX = 4_000;
let prefixes = 0;

function newUrl({ url }: EtcdServer): string {
  prefixes += 1;
  return `${url}/records/${prefixes}`;
}

await withEtcd("records in etcd", (server) => {
  recordsSuite("records in etcd", () => {
    // The history is bounded by ourselves only in an etcd of our own.
    const url = `${newUrl(server)}?compact=on`;
    return {
      open: () => openEtcdRecords(url),
      pass: (ms) => sleep(ms),
      isShared: true,
      // etcd counts whole seconds, and looks for ended leases twice a second.
      shortMs: 1_000,
      overMs: 2_500,
    };
  });
  outageTests(server);
  historyTests(server);
  deathTests(server);
});

function outageTests(server: EtcdServer): void {
  test("stopped and started, it is missed while it is away, and watches go on where they were", async () => {
    const records = await openEtcdRecords(newUrl(server));
    const told: string[] = [];
    records.watch(keysWith(""), await committed(records, put("a", "0")), {
      changed: (changes) => {
        for (const change of changes) told.push(change.kind === "put" ? textOf(change.record.value) : "-");
      },
      compacted: () => assert.fail("nothing is compacted"),
    });
    await committed(records, put("a", "before"));
    await server.halt();
    const away = refusedAs("STORE_UNAVAILABLE", "127.0.0.1", "ECONNREFUSED", "check host and port in store-url");
    await assert.rejects(committed(records, put("a", "lost")), away);
    await assert.rejects(records.range(keysWith("")), away);
    await assert.rejects(records.acquireLease(A, LONG_MS), away);
    await server.start();
    await committed(records, put("a", "after"));
    await eventually(async () => told.length === 2);
    assert.deepEqual(told, ["before", "after"]);
    await records.close();
  });

  test("frozen, it costs a call four seconds at most, and is used again as soon as it is back", async () => {
    const records = await openEtcdRecords(newUrl(server));
    await committed(records, put("a"));
    server.pause();
    const startMs = performance.now();
    const late = refusedAs("STORE_UNAVAILABLE", "127.0.0.1", "no answer within");
    const calls = [
      records.range(keysWith("")),
      records.changes(keysWith(""), 0n),
      committed(records, put("a")),
      records.acquireLease(A, LONG_MS),
      openEtcdRecords(newUrl(server)),
    ];
    for (const outcome of await Promise.allSettled(calls)) late(outcome.status === "rejected" && outcome.reason);
    assert.ok(performance.now() - startMs < CALL_MS_MAX);
    server.resume();
    // The commit was sent: it may be made now.
    await eventually(() =>
      records.range(keysWith("")).then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual(await contentOf(records), [["a", "a"]]);
    await records.close();
  });

  test("frozen, it lets the store be closed within the time of a call", async () => {
    const records = await openEtcdRecords(newUrl(server));
    server.pause();
    const startMs = performance.now();
    const last = assert.rejects(records.range(keysWith("")), refusedAs("STORE_UNAVAILABLE"));
    await records.close();
    await last;
    assert.ok(performance.now() - startMs < CALL_MS_MAX);
    server.resume();
  });

  test("a call under way at the close is still answered", async () => {
    const records = await openEtcdRecords(newUrl(server));
    const last = committed(records, put("a"));
    await records.close();
    assert.ok((await last) > 0n);
  });

  test("a value that is larger than etcd takes is refused with what to do, and nothing is changed", async () => {
    const records = await openEtcdRecords(newUrl(server));
    const tooLarge = refusedAs("RECORD_TOO_LARGE", "--max-request-bytes");
    await assert.rejects(committed(records, put("a", "v".repeat(2 * 1024 * 1024))), tooLarge);
    assert.deepEqual(await contentOf(records), []);
    await records.close();
  });

  test("a member that is away is left out, and prefixes keep clusters apart", async () => {
    const url = newUrl(server).replace("etcd://", "etcd://127.0.0.1:1,");
    const [one, other] = [await openEtcdRecords(url), await openEtcdRecords(newUrl(server))];
    await committed(one, put("a"));
    await one.acquireLease(A, LONG_MS);
    assert.deepEqual([await contentOf(one), await contentOf(other)], [[["a", "a"]], []]);
    assert.equal((await other.acquireLease({ ...A, address: "o:1" }, LONG_MS)).address, "o:1");
    await Promise.all([one.close(), other.close()]);
  });

  test("a port where something else listens is named with what to do", async () => {
    const other = (await import("node:http")).createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const wrong = refusedAs("STORE_UNAVAILABLE", "is not etcd's", "check host and port in store-url");
    await assert.rejects(openEtcdRecords(`etcd://127.0.0.1:${port}`), wrong);
    other.closeAllConnections();
    other.close();
  });
}

function historyTests(server: EtcdServer): void {
  test("another's compaction ends a watch, which then reads anew; ours is made only if store-url says so", async () => {
    const url = newUrl(server);
    const [records, alone] = [await openEtcdRecords(url), await openEtcdRecords(`${url}?compact=on`)];
    const first = await committed(records, put("a", "1"), put("b", "1"));
    const second = await committed(records, put("a", "2"), remove("b"));
    await records.compact(second);
    assert.equal((await records.range({ ...keysWith(""), at: first })).kind, "page", "the history is everybody's");
    await server.ask("/v3/kv/compaction", { revision: String(second) });
    const ends: bigint[] = [];
    records.watch(keysWith(""), first, {
      changed: () => assert.fail("changes are missing"),
      compacted: (oldest) => ends.push(oldest),
    });
    await eventually(async () => ends.length === 1);
    assert.deepEqual(ends, [second]);
    const { revision, records: found } = await readAll(records, keysWith(""), 10);
    assert.deepEqual([found.map(({ value }) => textOf(value)), revision >= second], [["2"], true]);
    const third = await committed(records, put("a", "3"));
    await alone.compact(third);
    assert.deepEqual(await records.changes(keysWith(""), second), { kind: "compacted", oldest: third });
    await Promise.all([records.close(), alone.close()]);
  });

  test("what others do in the same etcd is no change of ours", async () => {
    const records = await openEtcdRecords(newUrl(server));
    const revision = await committed(records, put("a"));
    await server.ask("/v3/kv/put", { key: btoa("/elsewhere"), value: btoa("x") });
    const page = await records.changes(keysWith(""), revision);
    assert.ok(page.kind === "changes" && page.isLast && page.revision > revision);
    assert.deepEqual(page.changes, []);
    await records.close();
  });

  test("a hundred deletions are one commit, and none if none of the keys is there", async () => {
    const records = await openEtcdRecords(newUrl(server));
    const keys = Array.from({ length: 100 }, (_, at) => `${at} ${"k".repeat(1_000)}`);
    await records.commit(commitOf(keys.map((key) => put(key, "v"))));
    const revision = await committed(records, ...keys.map(remove));
    assert.deepEqual(await contentOf(records), []);
    assert.equal(await committed(records, ...keys.map(remove)), revision);
    await records.close();
  });

  test("keys and a lease that another program has written are an error that names them", async () => {
    const url = newUrl(server);
    const records = await openEtcdRecords(url);
    const prefix = new URL(url).pathname;
    const lease = btoa(`${prefix}/lease`);
    for (const [value, reason] of [
      ["what?", "not JSON"],
      ["{}", "names no node"],
      [JSON.stringify(A), "would never end"],
    ] as const) {
      await server.ask("/v3/kv/put", { key: lease, value: btoa(value) });
      await assert.rejects(records.acquireLease(A, LONG_MS), refusedAs("STORE_DAMAGED", "127.0.0.1", reason));
    }
    const key = Buffer.concat([Buffer.from(`${prefix}/records/`), Buffer.from([0xff])]).toString("base64");
    await server.ask("/v3/kv/put", { key, value: "" });
    await assert.rejects(records.range(keysWith("")), refusedAs("STORE_DAMAGED", "not UTF-8"));
    await records.close();
  });
}

function deathTests(server: EtcdServer): void {
  for (const victim of ["the writer", "etcd"] as const) {
    test(`kill -9 of ${victim} in the middle of 10,000 commits loses no acknowledged one`, async () => {
      const url = newUrl(server);
      const child = writer(url, 10_000);
      const acknowledged = new Map<string, bigint>();
      let isKilled = false;
      for await (const line of createInterface({ input: child.stdout })) {
        const [key = "", revision = ""] = line.split(" ");
        if (key === "failed") break;
        acknowledged.set(key, BigInt(revision));
        if (acknowledged.size < 4_000 || isKilled) continue;
        isKilled = true;
        if (victim === "the writer") child.kill("SIGKILL");
        else await server.kill();
      }
      child.kill("SIGKILL");
      if (victim === "etcd") await server.start();
      assert.ok(acknowledged.size >= 4_000 && acknowledged.size < 10_000, `${acknowledged.size} were acknowledged`);
      const records = await openEtcdRecords(url);
      const { records: found } = await readAll(records, keysWith("k"), 10_000);
      const stored = new Map(found.map(({ key, revision }) => [key, revision]));
      for (const [key, revision] of acknowledged) assert.equal(stored.get(key), revision, `${key} was acknowledged`);
      await records.close();
    });
  }

  test("restored from a backup, etcd is not used by a process that knows better, until it is restarted", async () => {
    const own = await startEtcd();
    const records = await openEtcdRecords(own.url);
    const { epoch } = await records.acquireLease(A, LONG_MS);
    await committed(records, put("a", "saved"));
    const restore = await own.backUp();
    const known = await committed(records, put("a", "lost"));
    await restore();
    const restarted = await openEtcdRecords(own.url);
    const { revision } = await readAll(restarted, keysWith(""), 10);
    assert.ok(revision < known);
    // By its number alone the revision is soon one that was seen.
    for (let at = 0; at < 5; at++) await own.ask("/v3/kv/put", { key: btoa("/elsewhere"), value: btoa("x") });
    const lost = refusedAs("STORE_UNAVAILABLE", "has lost changes", "restart this node");
    await assert.rejects(records.commit(commitOf([put("a", "wrong")], [leads(epoch)])), lost);
    await assert.rejects(records.range(keysWith("")), lost);
    await assert.rejects(records.changes(keysWith(""), known), lost);
    await assert.rejects(records.acquireLease(A, LONG_MS), lost);
    assert.deepEqual(await contentOf(restarted), [["a", "saved"]]);
    await Promise.all([records.close(), restarted.close()]);
    await own.stop();
  });
}

/** A process that makes so many commits, many at a time, and says which of them were acknowledged. */
function writer(url: string, count: number) {
  const store = JSON.stringify(new URL("../../src/store/etcd/etcdRecords.ts", import.meta.url).href);
  const code = `
    const { openEtcdRecords } = await import(${store});
    const records = await openEtcdRecords(${JSON.stringify(url)});
    for (let at = 0; at < ${count}; at++) {
      const operations = [{ kind: "put", key: "k" + at, value: new Uint8Array(100) }];
      const commit = records.commit({ conditions: [], operations });
      void commit.then((outcome) => console.log("k" + at + " " + outcome.revision), () => console.log("failed 0"));
      if (at % 25 === 0) await commit.catch(() => process.exit(1));
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
}
