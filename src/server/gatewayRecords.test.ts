// Protocols at nodes with and without the store share their records.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { GATEWAY_COMMIT_BYTES_MAX, type GatewayRecords, gatewayPrefix } from "../records/gatewayRecords.ts";
import { keysWith } from "../records/keys.ts";
import { RecordCopy } from "../records/recordCopy.ts";
import type { Change, Commit } from "../records/records.ts";
import { put, refusedAs, remove, textOf } from "../store/testing/testRecords.ts";
import { eventually } from "./testing/eventually.ts";
import { RecordsGateway } from "./testing/recordsGateway.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const probe = new RecordsGateway();
const nodes = new TestNodes([probe.gateway]);
const copies: RecordCopy[] = [];
after(async () => {
  for (const copy of copies) copy.close();
  await nodes.close();
});

const PREFIX = gatewayPrefix("probe");

async function copyOf(records: GatewayRecords): Promise<RecordCopy> {
  const failed = (error: unknown) => assert.fail(String(error));
  const copy = new RecordCopy({ records, prefix: PREFIX, recordsMax: 100_000, failed });
  copies.push(copy);
  await eventually(
    () => copy.begin().then(() => copy.isRead),
    (isRead) => isRead,
  );
  return copy;
}

const NOBODY = { changed: () => assert.fail("nothing is told"), compacted: () => assert.fail("nothing is told") };
const putting = (key: string, value: string): Commit => ({
  conditions: [],
  operations: [put(`${PREFIX}${key}`, value)],
});
const valueIn = (copy: RecordCopy, key: string) => textOf(copy.get(`${PREFIX}${key}`)?.value ?? new Uint8Array());

/** A node with the store, and two without. */
async function cluster() {
  const meta = await nodes.start(["meta", "data", "session"], { metaAddresses: [] });
  const own = probe.opened.at(-1);
  assert.ok(own !== undefined);
  const metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const [one, other] = [await probe.session(nodes, { metaAddresses }), await probe.session(nodes, { metaAddresses })];
  return { meta, own, one, other };
}

test("a commit at any node is in every node's copy within some tens of milliseconds", async () => {
  const { own, one, other } = await cluster();
  const all = [own, one.records, other.records];
  const held = await Promise.all(all.map(copyOf));
  const delays: number[] = [];
  for (const [at, writer] of held.entries()) {
    for (let count = 0; count < 10; count++) {
      const outcome = await writer.commit(putting("a", `${at} ${count}`));
      assert.ok(outcome.kind === "committed");
      const sinceMs = performance.now();
      await Promise.all(held.map((copy) => copy.whenReached(outcome.revision)));
      delays.push(performance.now() - sinceMs);
      for (const copy of held) assert.equal(valueIn(copy, "a"), `${at} ${count}`);
    }
  }
  delays.sort((a, b) => a - b);
  assert.ok((delays[15] ?? 0) < 50, `half of them took ${delays[15]} ms`);
});

test("a commit is refused by its condition, and the copy then has what it was refused for", async () => {
  const { own, one } = await cluster();
  const copy = await copyOf(one.records);
  const isNew = { kind: "revision", key: `${PREFIX}a`, revision: 0n } as const;
  await own.commit(putting("a", "theirs"));
  const outcome = await copy.commit({ conditions: [isNew], operations: [remove(`${PREFIX}a`)] });
  assert.deepEqual(outcome, { kind: "refused", condition: isNew });
  assert.equal(valueIn(copy, "a"), "theirs");
  assert.ok((await own.commit({ conditions: [], operations: [remove(`${PREFIX}a`)] })).kind === "committed");
  await copy.catchUp();
  assert.equal(copy.size, 0);
});

test("thousands of commits that are under way at once are made, in their order", async () => {
  const { one, other } = await cluster();
  await Promise.all([one, other].map(({ records }) => copyOf(records)));
  const seen: bigint[] = [];
  const read = await other.records.range(keysWith(PREFIX));
  assert.ok(read.kind === "page");
  let told = "";
  const cancel = other.records.watch(keysWith(PREFIX), read.revision, {
    changed: (changes: readonly Change[]) => {
      for (const change of changes) if (change.kind === "put") told = textOf(change.record.value);
    },
    compacted: () => assert.fail("the history is long enough"),
  });
  const outcomes = await Promise.all(
    Array.from({ length: 3_000 }, (_, count) => one.records.commit(putting("count", String(count)))),
  );
  for (const outcome of outcomes) if (outcome.kind === "committed") seen.push(outcome.revision);
  assert.equal(seen.length, 3_000);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => Number(a - b)),
  );
  await eventually(
    () => told,
    (value) => value === "2999",
  );
  cancel();
});

test("pages of any size come over the links, as of one revision", async () => {
  const { own, one } = await cluster();
  const large = "x".repeat(1024 * 1024);
  const copy = await copyOf(one.records);
  for (let count = 0; count < 12; count++) await own.commit(putting(`large/${count}`, large));
  const first = await one.records.range(keysWith(PREFIX));
  assert.ok(first.kind === "page" && !first.isLast && first.records.length < 12);
  await own.commit(putting("large/0", "changed"));
  const earlier = await one.records.range({ ...keysWith(PREFIX), at: first.revision, limit: 1 });
  assert.ok(earlier.kind === "page");
  assert.equal(earlier.records[0]?.value.length, large.length);
  await copy.catchUp();
  assert.equal(copy.size, 12);
  assert.equal(valueIn(copy, "large/0"), "changed");
});

test("only the protocols' own records can be read and written, and commits have their bounds", async () => {
  const { own, one } = await cluster();
  for (const records of [own, one.records]) {
    const isInvalid = refusedAs("RECORD_INVALID", "gateways/");
    await assert.rejects(records.range(keysWith("meta/")), isInvalid);
    await assert.rejects(records.range({ from: "gateways/", to: "" }), isInvalid);
    await assert.rejects(records.changes(keysWith(""), 0n), isInvalid);
    assert.throws(() => records.watch(keysWith("meta/"), 0n, NOBODY), isInvalid);
    await assert.rejects(records.commit({ conditions: [], operations: [put("meta/a")] }), isInvalid);
    await assert.rejects(
      records.commit({ conditions: [{ kind: "leads", epoch: 1n }], operations: [] }),
      refusedAs("RECORD_INVALID", "lease"),
    );
    const value = new Uint8Array(GATEWAY_COMMIT_BYTES_MAX + 1);
    const tooLarge = { conditions: [], operations: [{ kind: "put", key: `${PREFIX}a`, value } as const] };
    await assert.rejects(records.commit(tooLarge), refusedAs("RECORD_TOO_LARGE"));
  }
});

test("operators and clients have no way to the names under which nodes ask", async () => {
  const { meta } = await cluster();
  for (const name of ["records/range", "records/commit", "records/changes"]) {
    assert.equal((await operate(meta, "POST", `/${name}`, {})).status, 404);
    assert.equal((await operate(meta, "GET", `/${name}`)).status, 404);
  }
});

test("while the node with the store is away the copy stays, and commits say so", async () => {
  const dataDir = nodes.newDirectory();
  const first = await nodes.start(["meta", "data"], { metaAddresses: [], dataDir });
  const { records } = await probe.session(nodes, { metaAddresses: [`127.0.0.1:${first.ports.node}`] });
  const copy = await copyOf(records);
  await copy.commit(putting("a", "1"));
  await nodes.stop(first);
  const outcome = await eventually(
    () => records.commit(putting("a", "2")).then(() => "made", codeOf),
    (code) => code === "STORE_UNAVAILABLE",
  );
  assert.equal(outcome, "STORE_UNAVAILABLE");
  assert.equal(valueIn(copy, "a"), "1");
  const second = await nodes.start(["meta", "data"], { metaAddresses: [], dataDir, nodePort: first.ports.node });
  await eventually(
    () => records.commit(putting("b", "3")).then(() => "made", codeOf),
    (code) => code === "made",
  );
  await eventually(
    () => valueIn(copy, "b"),
    (value) => value === "3",
  );
  await nodes.stop(second);
});

function codeOf(error: unknown): string {
  assert.ok(error instanceof RegistryError);
  assert.ok(["STORE_UNAVAILABLE", "STORE_OUTCOME_UNKNOWN"].includes(error.code), error.message);
  return error.code;
}
