// Nacos' configuration by gRPC at a whole node: what its clients rely on.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNacosClient } from "./testing/nacosClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: TestNacosClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

let server: RunningServer;
let client: TestNacosClient;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  client = await connected();
});

async function connected(at = server): Promise<TestNacosClient> {
  const made = await TestNacosClient.connect(at, { labels: { module: "config" } });
  clients.push(made);
  return made;
}

const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const config = (dataId: string, tenant = "") => ({ dataId, group: "G", tenant });

async function publish(dataId: string, content: string, more: object = {}) {
  const { type, body } = await client.ask("ConfigPublishRequest", { ...config(dataId), content, ...more });
  assert.equal(type, "ConfigPublishResponse");
  return body;
}

async function query(dataId: string, more: object = {}) {
  const { type, body } = await client.ask("ConfigQueryRequest", { ...config(dataId), notify: false, ...more });
  assert.equal(type, "ConfigQueryResponse");
  return body;
}

async function listen(by: TestNacosClient, contexts: readonly object[], isWanted = true) {
  const asked = { listen: isWanted, configListenContexts: contexts };
  const { type, body } = await by.ask("ConfigBatchListenRequest", asked);
  assert.deepEqual([type, body.resultCode], ["ConfigChangeBatchListenResponse", 200], JSON.stringify(body));
  return body.changedConfigs;
}

const notices = (by: TestNacosClient, dataId: string) =>
  by.pushed.filter(({ type, body }) => type === "ConfigChangeNotifyRequest" && body.dataId === dataId);

test("a configuration is published, queried and removed, as the real server answers it", async () => {
  assert.deepEqual(await query("missing"), {
    resultCode: 500,
    errorCode: 300,
    message: "config data not exist",
    lastModified: 0,
    beta: false,
    success: false,
  });
  assert.deepEqual(await publish("d1", "v1"), { resultCode: 200, errorCode: 0, success: true });
  const { lastModified, ...found } = await query("d1");
  assert.deepEqual(found, {
    resultCode: 200,
    errorCode: 0,
    content: "v1",
    encryptedDataKey: "",
    contentType: "text",
    md5: md5("v1"),
    beta: false,
    success: true,
  });
  assert.ok(Math.abs(Date.now() - lastModified) < 60_000);
  const again = await publish("d1", "größer \u{1f490}", { additionMap: { type: "json", encryptedDataKey: "k" } });
  assert.equal(again.success, true);
  const changed = await query("d1");
  assert.deepEqual(
    [changed.content, changed.md5, changed.contentType, changed.encryptedDataKey],
    ["größer \u{1f490}", md5("größer \u{1f490}"), "json", "k"],
  );
  assert.ok(changed.lastModified > lastModified);
  const { body } = await client.ask("ConfigRemoveRequest", { ...config("d1"), tag: "" });
  assert.equal(body.success, true);
  assert.equal((await query("d1")).errorCode, 300);
  assert.equal((await client.ask("ConfigRemoveRequest", config("d1"))).body.success, true, "what is not there is gone");
});

test("of publishers who compare, the one whose digest is old is refused", async () => {
  await publish("cas", "v1");
  assert.deepEqual(await publish("cas", "v2", { casMd5: md5("v0") }), {
    resultCode: 500,
    errorCode: 500,
    message: "Cas publish fail, server md5 may have changed.",
    success: false,
  });
  const both = await Promise.all([
    publish("cas", "v2", { casMd5: md5("v1") }),
    publish("cas", "v3", { casMd5: md5("v1") }),
  ]);
  assert.deepEqual(both.map(({ success }) => success).sort(), [false, true]);
});

test("a listener is told what differs at once, and what changes later", async () => {
  const listener = await connected();
  await publish("l1", "v1");
  const contexts = [
    { ...config("l1"), md5: md5("v1") },
    { ...config("l2"), md5: "" },
    { ...config("l1", "public"), md5: "other" },
  ];
  assert.deepEqual(await listen(listener, contexts), [{ group: "G", dataId: "l1", tenant: "public" }]);
  await listen(listener, [{ ...config("l1"), md5: md5("v1") }]);
  await publish("l1", "v2");
  const [told] = await eventually(
    () => notices(listener, "l1"),
    (found) => found.length === 1,
  );
  assert.deepEqual(Object.keys(told?.body).sort(), ["dataId", "group", "headers", "module", "requestId"]);
  await publish("l2", "new");
  await eventually(
    () => notices(listener, "l2").length,
    (count) => count === 1,
  );
  await client.ask("ConfigRemoveRequest", config("l1"));
  await eventually(
    () => notices(listener, "l1").length,
    (count) => count === 2,
  );
  await listen(listener, [{ ...config("l2"), md5: "" }], false);
  await publish("l2", "newer");
  await publish("l1", "v3");
  await eventually(
    () => notices(listener, "l1").length,
    (count) => count === 3,
  );
  assert.equal(notices(listener, "l2").length, 1, "it does not listen any more");
});

test("a release for some addresses, and one for a tag, are shown to those alone", async () => {
  await publish("gray", "formal");
  await publish("gray", "for others", { additionMap: { betaIps: "10.0.0.9, 10.0.0.10" } });
  assert.equal((await query("gray")).content, "formal");
  await publish("gray", "for me", { additionMap: { betaIps: "127.0.0.1" } });
  const beta = await query("gray");
  assert.deepEqual([beta.content, beta.beta, beta.md5], ["for me", true, md5("for me")]);
  const listener = await connected();
  assert.deepEqual(await listen(listener, [{ ...config("gray"), md5: md5("for me") }]), []);
  await publish("tagged", "formal");
  await publish("tagged", "for the blue", { additionMap: { tag: "blue" } });
  assert.equal((await query("tagged")).content, "formal");
  const tagged = await query("tagged", { tag: "blue" });
  assert.deepEqual([tagged.content, tagged.tag], ["for the blue", "blue"]);
  assert.equal((await query("tagged", { tag: "red" })).errorCode, 300);
  await client.ask("ConfigRemoveRequest", { ...config("tagged"), tag: "blue" });
  assert.equal((await query("tagged", { tag: "blue" })).errorCode, 300);
  assert.equal((await query("tagged")).content, "formal");
});

test("a fuzzy watch tells what there is, that this is all, and what comes and goes", async () => {
  const watcher = await connected();
  for (const dataId of ["fuzzy-a", "fuzzy-b", "other"]) await publish(dataId, "x");
  const groupKeyPattern = "public>>G>>fuzzy-*";
  const asked = { groupKeyPattern, receivedGroupKeys: ["fuzzy-a+G+public", "fuzzy-gone+G+public"], watchType: "WATCH" };
  const { type, body } = await watcher.ask("ConfigFuzzyWatchRequest", { ...asked, initializing: true });
  assert.deepEqual([type, body.success], ["ConfigFuzzyWatchResponse", true]);
  const syncs = () =>
    watcher.pushed.filter((each) => each.type === "ConfigFuzzyWatchSyncRequest").map((each) => each.body);
  const [first, end] = await eventually(syncs, (found) => found.length === 2);
  assert.deepEqual(first.contexts, [
    { groupKey: "fuzzy-b+G+public", changedType: "ADD_CONFIG" },
    { groupKey: "fuzzy-gone+G+public", changedType: "DELETE_CONFIG" },
  ]);
  assert.deepEqual([first.syncType, first.groupKeyPattern], ["FUZZY_WATCH_INIT_NOTIFY", groupKeyPattern]);
  assert.equal(end.syncType, "FINISH_FUZZY_WATCH_INIT_NOTIFY");
  await publish("fuzzy-c", "x");
  await publish("fuzzy-c", "y");
  await client.ask("ConfigRemoveRequest", config("fuzzy-a"));
  const changes = () =>
    watcher.pushed.flatMap((each) =>
      each.type === "ConfigFuzzyWatchChangeNotifyRequest" ? [[each.body.groupKey, each.body.changeType]] : [],
    );
  assert.deepEqual(await eventually(changes, (found) => found.length >= 2), [
    ["fuzzy-c+G+public", "CONFIG_CHANGED"],
    ["fuzzy-a+G+public", "DELETE_CONFIG"],
  ]);
  await watcher.ask("ConfigFuzzyWatchRequest", { ...asked, watchType: "CANCEL_WATCH" });
  await publish("fuzzy-d", "x");
  await publish("fuzzy-a", "x");
  assert.equal(changes().length, 2);
});

test("a lock is taken by one, and free again when it is given up or its time is over", async () => {
  const lock = async (operation: string, key = "k", expiredTime = -1) => {
    const lockInstance = { key, expiredTime, lockType: "NACOS_LOCK" };
    const { type, body } = await client.ask("LockOperationRequest", { lockInstance, lockOperationEnum: operation });
    assert.equal(type, "LockOperationResponse");
    return body.result;
  };
  assert.equal(await lock("ACQUIRE"), true);
  assert.equal(await lock("ACQUIRE"), false);
  assert.equal(await lock("ACQUIRE", "other/\u00e9"), true);
  assert.equal(await lock("RELEASE"), true);
  assert.equal(await lock("RELEASE"), false);
  assert.equal(await lock("ACQUIRE", "k", 1), true);
  await eventually(
    () => lock("ACQUIRE"),
    (isTaken) => isTaken,
  );
});

test("what a request lacks or has wrong is refused in the form of its answer, and the connection goes on", async () => {
  const cases: [string, object][] = [
    ["ConfigQuery", { dataId: "", group: "G" }],
    ["ConfigQuery", { dataId: "a/b", group: "G" }],
    ["ConfigQuery", { dataId: "a", group: "x".repeat(129) }],
    ["ConfigQuery", { dataId: 7, group: "G" }],
    ["ConfigQuery", { ...config("a", "no space") }],
    ["ConfigPublish", { ...config("a") }],
    ["ConfigPublish", { ...config("a"), content: "x".repeat(3 * 1024 * 1024) }],
    ["ConfigPublish", { ...config("a"), content: "x", additionMap: { betaIps: "1.2.3.4,," } }],
    ["ConfigPublish", { ...config("a"), content: "x", additionMap: { tag: "no space" } }],
    ["ConfigPublish", { ...config("__proto__"), content: "x", additionMap: [] }],
    ["ConfigRemove", { dataId: "a" }],
    ["ConfigBatchListen", { configListenContexts: {} }],
    ["ConfigBatchListen", { configListenContexts: ["a"] }],
    ["ConfigBatchListen", { configListenContexts: [{ ...config("a"), md5: 1 }] }],
    ["ConfigFuzzyWatch", { groupKeyPattern: "public>>G", watchType: "WATCH" }],
    ["ConfigFuzzyWatch", { groupKeyPattern: "public>>G>>*", watchType: "STARE" }],
    ["LockOperation", { lockInstance: { key: "" }, lockOperationEnum: "ACQUIRE" }],
    ["LockOperation", { lockInstance: { key: "k", lockType: "OTHER" }, lockOperationEnum: "ACQUIRE" }],
    ["LockOperation", { lockInstance: { key: "k" }, lockOperationEnum: "STEAL" }],
    ["LockOperation", {}],
  ];
  for (const [name, body] of cases) {
    const answer = await client.ask(`${name}Request`, body);
    const words = `${name} ${JSON.stringify(body).slice(0, 100)}: ${JSON.stringify(answer.body)}`;
    assert.match(answer.type, new RegExp(`^${name.replace("BatchListen", "ChangeBatchListen")}Response$`), words);
    assert.deepEqual([answer.body.resultCode, answer.body.success], [500, false], words);
    assert.ok([400, 500].includes(answer.body.errorCode), words);
  }
  await publish("__proto__", "x");
  assert.equal((await query("__proto__")).content, "x");
});

test("a listener at one session hears of a change at another, and configurations outlive all nodes", async () => {
  const dataDir = nodes.newDirectory();
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [], dataDir });
  const metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const [one, other] = [
    await connected(await nodes.start(["session"], { metaAddresses })),
    await connected(await nodes.start(["session"], { metaAddresses })),
  ];
  await eventually(
    () => one.ask("ConfigPublishRequest", { ...config("far"), content: "v1" }),
    ({ body }) => body.success,
  );
  await listen(other, [{ ...config("far"), md5: "x" }]);
  const sinceMs = performance.now();
  assert.equal((await one.ask("ConfigPublishRequest", { ...config("far"), content: "v2" })).body.success, true);
  await eventually(
    () => notices(other, "far").length,
    (count) => count === 1,
  );
  // Without a notice the session would look after 5 s.
  assert.ok(performance.now() - sinceMs < 2_500);
  assert.equal((await other.ask("ConfigQueryRequest", config("far"))).body.content, "v2");
  await nodes.stop(meta);
  assert.equal((await other.ask("ConfigQueryRequest", config("far"))).body.content, "v2", "without the store");
  const refused = await one.ask("ConfigPublishRequest", { ...config("far"), content: "v3" });
  assert.deepEqual([refused.type, refused.body.success], ["ConfigPublishResponse", false]);
  const again = await connected(await nodes.start(["meta", "data", "session"], { metaAddresses: [], dataDir }));
  assert.equal((await again.ask("ConfigQueryRequest", config("far"))).body.content, "v2");
});
