// Changes at a node that has not yet heard what other nodes have committed.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { GatewayRecords } from "../../../records/gatewayRecords.ts";
import { openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import { Topics } from "../topics.ts";
import { KvStore } from "./store.ts";
import { compareAndDelete, compareAndSet, set } from "./verbs.ts";

/** Two nodes with one store. The second hears of changes only when it has committed, or asks. */
async function open(t: TestContext): Promise<{ readonly hearing: KvStore; readonly deaf: KvStore }> {
  const records = await openMemoryRecords();
  const failed = (error: unknown) => assert.fail(String(error));
  const storeOn = (on: GatewayRecords) =>
    new KvStore({ records: on, topics: new Topics(() => undefined), nowMs: () => 0, unread: failed, failed });
  const range: GatewayRecords["range"] = (query) => records.range(query);
  const commit: GatewayRecords["commit"] = async (each) => {
    const outcome = await records.commit(each);
    queueMicrotask(() => void deaf.catchUp());
    return outcome;
  };
  const changes: GatewayRecords["changes"] = (...asked) => records.changes(...asked);
  const hearing = storeOn(records);
  const deaf = storeOn({ range, commit, changes, watch: () => () => undefined });
  t.after(async () => {
    hearing.close();
    deaf.close();
    await records.close();
  });
  await hearing.ready();
  await deaf.ready();
  return { hearing, deaf };
}

const given = (value: string) => ({ key: "k", value: new TextEncoder().encode(value), flags: "0" });

async function put(store: KvStore, value: string): Promise<void> {
  await store.change((draft) => (set(draft, given(value)) === undefined ? "yes" : "no"));
}

async function valueIn(store: KvStore): Promise<string | undefined> {
  await store.catchUp();
  const entry = store.entry("k");
  return entry && new TextDecoder().decode(entry.value);
}

test("a value that a node believes to be there already is put over the one that is", async (t) => {
  const { hearing, deaf } = await open(t);
  await put(hearing, "one");
  await deaf.catchUp();
  await put(hearing, "two");
  await put(deaf, "one");
  assert.equal(await valueIn(hearing), "one");
});

test("an index that a node has not heard of yet is compared with the one that is", async (t) => {
  const { hearing, deaf } = await open(t);
  await put(hearing, "one");
  const index = hearing.entry("k")?.modifyIndex ?? 0n;
  const set = await deaf.change((draft) => (compareAndSet(draft, given("two"), index) === undefined ? "yes" : "no"));
  assert.equal(set.isMade, true);
  await put(hearing, "three");
  const next = hearing.entry("k")?.modifyIndex ?? 0n;
  const removed = await deaf.change((draft) => (compareAndDelete(draft, "k", next) === undefined ? "yes" : "no"));
  assert.equal(removed.isMade, true);
  assert.equal(await valueIn(hearing), undefined);
});

test("an entry that a node has not heard of yet is deleted", async (t) => {
  const { hearing, deaf } = await open(t);
  await put(hearing, "one");
  await deaf.change((draft) => {
    draft.delete("k");
    return "yes";
  });
  assert.equal(await valueIn(hearing), undefined);
});

test("a refusal is made of what is there, not of what a node has heard", async (t) => {
  const { hearing, deaf } = await open(t);
  await put(hearing, "one");
  const refusing = deaf.change((draft) => {
    if (draft.entry("k") === undefined) throw new Error("not there");
    return "no";
  });
  assert.equal((await refusing).isMade, false);
});
