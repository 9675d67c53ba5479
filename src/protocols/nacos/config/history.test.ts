import assert from "node:assert/strict";
import { test } from "node:test";
import type { Commit } from "../../../records/records.ts";
import { openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import { CONTENT_PREFIX, type ConfigKey, ENTRY_PREFIX, historyName, pathOf } from "./configKey.ts";
import { writeHead } from "./configRecord.ts";
import { ConfigStore } from "./configStore.ts";
import { ConfigWriter } from "./configWriter.ts";
import { ConfigHistory } from "./history.ts";

const KEY: ConfigKey = { namespace: "public", group: "g", dataId: "d" };
const DAY_MS = 24 * 3_600_000;
const EDITOR = { name: "", from: "10.0.0.1" };
const TEXTS = { appName: "", desc: "", tags: "", encryptedDataKey: "", use: "", effect: "", schema: "" };

async function scene() {
  const memory = await openMemoryRecords();
  const time = { nowMs: 100 * DAY_MS };
  const commits: Commit[] = [];
  const records: typeof memory = Object.assign(Object.create(memory), {
    range: (...asked: Parameters<typeof memory.range>) => memory.range(...asked),
    changes: (...asked: Parameters<typeof memory.changes>) => memory.changes(...asked),
    watch: (...asked: Parameters<typeof memory.watch>) => memory.watch(...asked),
    commit: (commit: Commit) => {
      commits.push(commit);
      return memory.commit(commit);
    },
  });
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const nowMs = () => time.nowMs++;
  const history = new ConfigHistory({ records, log, nowMs, isSweeper: () => true });
  const store = new ConfigStore({ records, log });
  await store.copy.begin();
  const limits = { contentBytesMax: 1_000, configsMax: 10, totalBytesMax: 3_000 };
  const writer = new ConfigWriter({ store, history, nowMs, limits });
  const publish = (text: string, tag = "") =>
    writer.publish(
      {
        ...{ ...TEXTS, key: KEY, content: new TextEncoder().encode(text), type: "text", casMd5: "" },
        gray: tag === "" ? undefined : { kind: "tag", tag },
      },
      EDITOR,
    );
  const putEntries = async (key: ConfigKey, count: number, atMs: number) => {
    for (let at = 0; at < count; at++) {
      const id = (atMs + at) * 1_000;
      const name = `${pathOf(key)}/${historyName(id)}`;
      const put = (recordKey: string, value: object) =>
        ({ kind: "put", key: recordKey, value: writeHead(value) }) as const;
      const operations = [put(ENTRY_PREFIX + name, { id, atMs: atMs + at }), put(CONTENT_PREFIX + name, {})];
      await memory.commit({ conditions: [], operations });
    }
  };
  return { memory, commits, history, writer, publish, putEntries, time };
}

const silent = () => undefined;

async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("an entry of which the head or the content is missing is not there", async () => {
  const { memory, history, putEntries, time } = await scene();
  for (const [dataId, missing] of [
    ["a", ENTRY_PREFIX],
    ["b", CONTENT_PREFIX],
    ["c", undefined],
  ] as const) {
    const key = { ...KEY, dataId };
    await putEntries(key, 1, time.nowMs);
    const id = (await history.entries(key))[0]?.head.id ?? 0;
    const name = `${pathOf(key)}/${historyName(id)}`;
    if (missing !== undefined) {
      await memory.commit({ conditions: [], operations: [{ kind: "delete", key: missing + name }] });
    }
    assert.equal((await history.entry(key, id)) === undefined, missing !== undefined, dataId);
  }
});

for (const [old, commitsExpected] of [
  [0, 0],
  [1, 1],
  [40, 1],
  [41, 2],
  [80, 2],
] as const) {
  test(`of ${old} entries older than thirty days none stays, after ${commitsExpected} commits`, async () => {
    const { commits, history, putEntries, time } = await scene();
    await putEntries(KEY, old, time.nowMs - 31 * DAY_MS);
    await putEntries({ ...KEY, dataId: "young" }, 3, time.nowMs - 29 * DAY_MS);
    history.check(time.nowMs + 2 * 3_600_000);
    await settle();
    const left = [(await history.entries(KEY)).length, (await history.entries({ ...KEY, dataId: "young" })).length];
    assert.deepEqual([left, commits.length], [[0, 3], commitsExpected]);
  });
}

test("a hundred entries stay of what is published and removed again and again, and of its releases", async () => {
  const { history, writer, publish } = await scene();
  for (let count = 0; count < 60; count++) {
    await publish("a");
    await writer.remove(KEY, EDITOR);
  }
  await settle();
  assert.equal((await history.entries(KEY)).length, 100);
  for (let count = 0; count < 60; count++) await publish("b", "tag");
  await settle();
  assert.equal((await history.entries(KEY)).length, 100);
});

test("a content that grows counts for the bound of all contents, and one that shrinks is always taken", async () => {
  const { publish } = await scene();
  await publish("x".repeat(900));
  await publish("x".repeat(900), "one");
  await publish("x", "two");
  await assert.rejects(publish("x".repeat(900), "two"), /NACOS_CONFIGS_EXHAUSTED/);
  await publish("", "one");
  await publish("x".repeat(900), "two");
});
