// Nacos' configuration by HTTP at a whole node, in all versions of its interface.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { askNacos, type NacosAnswer } from "./testing/nacosPort.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
});

const ask = (
  what: string,
  { form, ...sent }: { readonly form?: object } & NonNullable<Parameters<typeof askNacos>[3]> = {},
) => askNacos(server, what, form, sent);
const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const publish = (dataId: string, content: string, more: object = {}, headers: Record<string, string> = {}) =>
  ask("POST /v1/cs/configs", { form: { dataId, group: "g", content, ...more }, headers });

const success = (data: unknown) => ({ code: 0, message: "success", data });
const dataOf = ({ status, json, text }: NacosAnswer) => {
  assert.deepEqual([status, json?.code], [200, 0], text);
  return json.data;
};

test("version 1 answers with texts and headers, as clients of version 1 read them", async () => {
  const created = await publish("d", "<a/>", { type: "xml" });
  assert.deepEqual([created.status, created.text], [200, "true"]);
  const { status, text, headers } = await ask("GET /v1/cs/configs?dataId=d&group=g");
  assert.deepEqual([status, text], [200, "<a/>"]);
  assert.equal(headers.get("content-type"), "application/xml;charset=UTF-8");
  assert.deepEqual([headers.get("config-type"), headers.get("content-md5")], ["xml", md5("<a/>")]);
  assert.match(headers.get("last-modified") ?? "", /GMT$/);
  const missing = await ask("GET /v1/cs/configs?dataId=missing&group=g");
  assert.deepEqual([missing.status, missing.text], [404, "config data not exist"]);
  assert.equal((await ask("GET /v1/cs/configs?dataId=d&group=g&tenant=public")).text, "<a/>");
  assert.equal((await ask("GET /v1/cs/configs?dataId=d&group=g&tenant=other")).status, 404);
  const refused = await publish("d", "x", {}, { casMd5: md5("other") });
  assert.equal(refused.status, 500);
  assert.equal((await publish("d", "x", {}, { casMd5: md5("<a/>") })).text, "true");
  const all = (await ask("GET /v1/cs/configs?dataId=d&group=g&show=all")).json;
  assert.deepEqual([all.content, all.tenant, all.type, all.createIp], ["x", "", "text", "127.0.0.1"]);
  assert.equal((await ask("DELETE /v1/cs/configs?dataId=d&group=g")).text, "true");
  assert.equal((await ask("GET /v1/cs/configs?dataId=d&group=g")).status, 404);
});

test("the versions 2 and 3 answer with a code, a message and the data", async () => {
  const form = { dataId: "d2", group: "g", content: "c2" };
  assert.deepEqual((await ask("POST /v2/cs/config", { form })).json, success(true));
  assert.deepEqual((await ask("GET /v2/cs/config?dataId=d2&group=g")).json, success("c2"));
  const { lastModified, ...shown } = dataOf(await ask("GET /v3/client/cs/config?dataId=d2&groupName=g"));
  assert.ok(lastModified > 0);
  assert.deepEqual(shown, {
    resultCode: 200,
    errorCode: 0,
    message: null,
    requestId: null,
    content: "c2",
    encryptedDataKey: "",
    contentType: "text",
    md5: md5("c2"),
    tag: null,
    beta: false,
    success: true,
  });
  const admin = {
    dataId: "d3",
    groupName: "g",
    content: "a=1",
    type: "properties",
    desc: "words",
    configTags: "t1,t2",
  };
  assert.deepEqual((await ask("POST /v3/admin/cs/config", { form: admin })).json, success(true));
  const { id, createTime, modifyTime, ...detail } = dataOf(
    await ask("GET /v3/admin/cs/config?dataId=d3&groupName=g&namespaceId=public"),
  );
  assert.match(id, /^\d+$/);
  assert.equal(createTime, modifyTime);
  assert.deepEqual(detail, {
    namespaceId: "public",
    groupName: "g",
    dataId: "d3",
    md5: md5("a=1"),
    type: "properties",
    appName: "",
    content: "a=1",
    desc: "words",
    encryptedDataKey: "",
    createUser: null,
    createIp: "127.0.0.1",
    configTags: "t1,t2",
  });
  const missing = await ask("GET /v3/admin/cs/config?dataId=missing&groupName=g");
  assert.deepEqual([missing.status, missing.json.code], [404, 20_004]);
  assert.deepEqual((await ask("DELETE /v3/admin/cs/config?dataId=d3&groupName=g")).json, success(true));
  assert.deepEqual((await ask("DELETE /v2/cs/config?dataId=d2&group=g")).json, success(true));
  assert.equal((await ask("GET /v3/client/cs/config?dataId=d2&groupName=g")).status, 404);
});

test("searches take names as they are or with *, and show a page at a time", async () => {
  for (const dataId of ["find-1", "find-2", "find-3", "lost"]) {
    await publish(dataId, `content of ${dataId}`, { appName: "app", config_tags: dataId === "lost" ? "rare" : "" });
  }
  const list = async (query: string) => dataOf(await ask(`GET /v3/admin/cs/config/list?${query}`));
  const page = await list("pageNo=2&pageSize=2&dataId=find-*&groupName=g");
  assert.deepEqual([page.totalCount, page.pageNumber, page.pagesAvailable], [3, 2, 2]);
  assert.deepEqual(
    page.pageItems.map(({ dataId }: { dataId: string }) => dataId),
    ["find-3"],
  );
  assert.equal((await list("dataId=find-1&search=accurate")).totalCount, 1);
  assert.equal((await list("dataId=find-*&search=accurate")).totalCount, 0);
  assert.equal((await list("configTags=rare")).totalCount, 1);
  assert.equal((await list("appName=app")).totalCount, 4);
  assert.equal((await list("configDetail=of%20find")).totalCount, 3);
  const v1 = (await ask("GET /v1/cs/configs?search=blur&dataId=*ost&group=&pageNo=1&pageSize=10")).json;
  assert.deepEqual([v1.totalCount, v1.pageItems[0].content], [1, "content of lost"]);
  const [one, two] = [v1.pageItems[0].id, (await list("dataId=find-1")).pageItems[0].id];
  assert.deepEqual((await ask(`DELETE /v3/admin/cs/config/batch?ids=${one},${two}`)).json, success(true));
  assert.equal((await list("appName=app")).totalCount, 2);
});

test("a search of more contents than are searched at once is refused with what to do", async () => {
  const content = "x".repeat(2 * 1024 * 1024);
  for (let count = 0; count < 9; count++) await publish(`big-${count}`, content, { tenant: "big" });
  const search = (dataId: string) =>
    ask(`GET /v3/admin/cs/config/list?namespaceId=big&configDetail=y&dataId=${dataId}`);
  const refused = await search("");
  assert.deepEqual([refused.status, refused.json.code], [400, 20_002]);
  assert.match(refused.text, /name a dataId or a group/);
  assert.equal(dataOf(await search("big-1")).totalCount, 0);
  // Nor is so much shown at once.
  const page = await ask("GET /v1/cs/configs?search=blur&dataId=&group=&tenant=big&pageSize=9");
  assert.deepEqual([page.status, /ask for smaller/.test(page.text)], [400, true]);
  for (const path of ["/v1/cs/history/configs?tenant=big", "/v2/cs/history/configs?namespaceId=big"]) {
    const all = await ask(`GET ${path}`);
    assert.deepEqual([all.status, /big-8/.test(all.text), all.text.length < 10_000], [200, true, true], path);
  }
});

test("a long poll is answered when something changes, and at once if it has changed already", async () => {
  const listening = (dataId: string, of: string, tenant?: string) =>
    `${[dataId, "g", of, ...(tenant === undefined ? [] : [tenant])].join("\u0002")}\u0001`;
  const poll = (lines: string, headers: Record<string, string> = {}) =>
    ask("POST /v1/cs/configs/listener", {
      form: { "Listening-Configs": lines },
      headers: { "Long-Pulling-Timeout": "30000", ...headers },
    });
  await publish("poll", "v1");
  const line = (dataId: string) => `${dataId}%02g%01\n`;
  assert.equal((await poll(listening("poll", "other") + listening("poll-2", ""))).text, line("poll"));
  const two = await poll(listening("poll", "other") + listening("poll-2", "other"));
  assert.equal(two.text, "poll%02g%01poll-2%02g%01\n");
  const waiting = poll(listening("poll", md5("v1")) + listening("poll-2", ""));
  const other = poll(listening("poll-2", "", "tenant"));
  const wanted = "GET /v3/admin/cs/config/listener?dataId=poll&groupName=g";
  await eventually(
    async () => dataOf(await ask(wanted)).listenersStatus,
    (status) => status["127.0.0.1"] === md5("v1"),
  );
  await publish("poll", "v1");
  await publish("poll", "v2");
  assert.equal((await waiting).text, line("poll"));
  await publish("poll-2", "v1", { tenant: "tenant" });
  assert.equal((await other).text, "poll-2%02g%02tenant%01\n");
  assert.deepEqual(dataOf(await ask(wanted)).listenersStatus, {});
  assert.equal((await poll(listening("poll", md5("v2")), { "Long-Pulling-Timeout-No-Hangup": "true" })).text, "");
  const abort = new AbortController();
  const gone = ask("POST /v1/cs/configs/listener", {
    form: { "Listening-Configs": listening("poll", md5("v2")) },
    signal: abort.signal,
  });
  await eventually(
    async () => dataOf(await ask(wanted)).listenersStatus["127.0.0.1"],
    (status) => status !== undefined,
  );
  assert.equal((await ask("GET /v3/admin/cs/listener?ip=127.0.0.1")).json.data.queryType, "ip");
  abort.abort();
  await assert.rejects(gone);
  await eventually(
    async () => dataOf(await ask(wanted)).listenersStatus,
    (status) => status["127.0.0.1"] === undefined,
  );
});

test("the history has what was there before each change, newest first", async () => {
  await publish("past", "v1");
  await publish("past", "v2");
  await ask("DELETE /v1/cs/configs?dataId=past&group=g");
  const named = "dataId=past&groupName=g";
  const page = dataOf(await ask(`GET /v3/admin/cs/history/list?${named}&pageNo=1&pageSize=5`));
  assert.deepEqual([page.totalCount, page.pagesAvailable], [3, 1]);
  const operations = page.pageItems.map(({ opType }: { opType: string }) => opType);
  assert.deepEqual(operations, ["D         ", "U         ", "I         "]);
  const [removed, updated] = page.pageItems;
  const detail = dataOf(await ask(`GET /v3/admin/cs/history?${named}&nid=${updated.id}`));
  assert.deepEqual([detail.content, detail.srcIp, detail.publishType], ["v1", "127.0.0.1", "formal"]);
  const previous = dataOf(await ask(`GET /v3/admin/cs/history/previous?${named}&id=${removed.id}`));
  assert.equal(previous.content, "v1");
  const v1 = (await ask("GET /v1/cs/history?search=accurate&dataId=past&group=g&pageNo=1&pageSize=2")).json;
  assert.deepEqual([v1.totalCount, v1.pageItems.length], [3, 2]);
  const v2 = dataOf(await ask(`GET /v2/cs/history?dataId=past&group=g&nid=${removed.id}`));
  assert.equal(v2.content, "v2");
  assert.equal((await ask(`GET /v3/admin/cs/history?${named}&nid=7`)).status, 404);
});

test("of one configuration a hundred entries of the history are kept", async () => {
  for (let count = 0; count < 120; count++) await publish("often", `v${count}`);
  await eventually(
    async () => dataOf(await ask("GET /v2/cs/history/list?dataId=often&group=g&pageSize=500")).totalCount,
    (count) => count === 100,
  );
});

test("a release for some addresses begins and ends", async () => {
  await publish("beta", "formal");
  const form = { dataId: "beta", groupName: "g", content: "beta" };
  await ask("POST /v3/admin/cs/config", { form, headers: { betaIps: "127.0.0.1" } });
  const shown = await ask("GET /v1/cs/configs?dataId=beta&group=g");
  assert.deepEqual([shown.text, shown.headers.get("isbeta")], ["beta", "true"]);
  const gray = dataOf(await ask("GET /v3/admin/cs/config/beta?dataId=beta&groupName=g"));
  assert.deepEqual([gray.content, gray.grayName, JSON.parse(gray.grayRule).expr], ["beta", "beta", "127.0.0.1"]);
  assert.equal((await ask("GET /v1/cs/configs?dataId=beta&group=g&beta=true")).json.data.betaIps, "127.0.0.1");
  assert.deepEqual((await ask("DELETE /v3/admin/cs/config/beta?dataId=beta&groupName=g")).json, success(true));
  assert.equal((await ask("GET /v1/cs/configs?dataId=beta&group=g")).text, "formal");
  assert.equal((await ask("GET /v3/admin/cs/config/beta?dataId=beta&groupName=g")).status, 404);
});

test("namespaces are made, listed, changed and removed in all versions", async () => {
  const v1 = { customNamespaceId: "n1", namespaceName: "one", namespaceDesc: "x" };
  assert.equal((await ask("POST /v1/console/namespaces", { form: v1 })).text, "true");
  assert.equal((await ask("POST /v1/console/namespaces", { form: v1 })).text, "false", "it is there");
  assert.equal((await ask("GET /v1/console/namespaces?checkNamespaceIdExist=true&customNamespaceId=n1")).text, "true");
  await publish("in-n1", "x", { tenant: "n1" });
  const row = {
    namespace: "n1",
    namespaceShowName: "one",
    namespaceDesc: "x",
    quota: 200,
    configCount: 1,
    type: 1,
  };
  const { data, ...rest } = (await ask("GET /v1/console/namespaces")).json;
  assert.deepEqual(rest, { code: 200, message: null, noRight: false });
  assert.deepEqual([data[0].namespace, data[0].type, data[1]], ["public", 0, row]);
  const changed = { namespace: "n1", namespaceShowName: "first", namespaceDesc: "" };
  assert.equal((await ask("PUT /v1/console/namespaces", { form: changed })).text, "true");
  const renamed = { ...row, namespaceShowName: "first", namespaceDesc: null };
  for (const path of ["/v2/console/namespace", "/v3/admin/core/namespace"]) {
    assert.deepEqual((await ask(`GET ${path}?namespaceId=n1`)).json, success(renamed));
    assert.equal(dataOf(await ask(`GET ${path}/list`)).length, 2);
    const made = { namespaceName: "by number" };
    assert.deepEqual((await ask(`POST ${path}`, { form: made })).json, success(true));
    const long = dataOf(await ask(`GET ${path}/list`)).find(
      ({ namespace }: { namespace: string }) => namespace.length === 36,
    );
    assert.match(long.namespace, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.deepEqual((await ask(`DELETE ${path}?namespaceId=${long.namespace}`)).json, success(true));
    const twice = await ask(`POST ${path}`, { form: { namespaceId: "n1", namespaceName: "n" } });
    assert.deepEqual([twice.status, twice.json.code], [400, 22_002]);
    const wrong = await ask(`POST ${path}`, { form: { namespaceId: "a b", namespaceName: "n" } });
    assert.deepEqual([wrong.status, wrong.json.code], [400, 22_000]);
    assert.equal((await ask(`GET ${path}?namespaceId=gone`)).json.code, 22_001);
  }
  assert.deepEqual((await ask("GET /v3/admin/core/namespace/check?namespaceId=n1")).json, success(1));
  assert.equal((await ask("DELETE /v1/console/namespaces?namespaceId=n1")).text, "true");
  assert.equal((await ask("GET /v1/cs/configs?dataId=in-n1&group=g&tenant=n1")).text, "x", "its configurations stay");
});

test("malformed requests get the version's own refusal, which says what is wrong", async () => {
  const long = "x".repeat(300);
  const cases: [string, object | undefined, number, number][] = [
    ["GET /v1/cs/configs?group=g", undefined, 400, 0],
    ["GET /v1/cs/configs?dataId=a%2Fb&group=g", undefined, 400, 0],
    ["GET /v1/cs/configs?search=wild&dataId=&group=", undefined, 400, 0],
    ["GET /v1/cs/configs?search=blur&dataId=&group=&pageNo=-1", undefined, 400, 0],
    ["GET /v1/cs/configs?dataId=a&group=g&export=true", undefined, 400, 0],
    ["POST /v1/cs/configs", { dataId: "a", group: "g" }, 400, 0],
    ["POST /v1/cs/configs", { dataId: long, group: "g", content: "x" }, 400, 0],
    ["POST /v1/cs/configs", { dataId: "a", group: "g", content: "x", tag: "a b" }, 400, 0],
    ["DELETE /v1/cs/configs?delType=ids&ids=a", undefined, 400, 0],
    ["POST /v1/cs/configs/listener", {}, 400, 0],
    ["POST /v1/cs/configs/listener", { "Listening-Configs": "a\u0002g\u0001" }, 400, 0],
    ["GET /v1/cs/listener", undefined, 400, 0],
    ["GET /v1/cs/history?dataId=a&group=g&nid=x", undefined, 400, 0],
    ["GET /v2/cs/config?dataId=a", undefined, 400, 10_000],
    ["GET /v2/cs/config?dataId=a&group=no%20space", undefined, 400, 20_002],
    ["GET /v2/cs/config?dataId=a&group=none", undefined, 404, 20_004],
    ["POST /v2/cs/config", { dataId: "a", group: "g", content: "x".repeat(2 * 1024 * 1024 + 1) }, 400, 5_034],
    ["GET /v2/cs/history/list?dataId=a&group=g&pageNo=0", undefined, 400, 20_002],
    ["GET /v3/admin/cs/history/previous?dataId=a&groupName=g&id=1", undefined, 404, 20_004],
    ["POST /v3/admin/cs/config", { dataId: "a", groupName: "g" }, 400, 10_000],
    ["DELETE /v3/admin/cs/config/batch", undefined, 400, 10_000],
    ["GET /v3/client/cs/config?dataId=a", undefined, 400, 10_000],
    ["POST /v2/console/namespace", { namespaceId: "x" }, 400, 10_000],
  ];
  for (const [what, form, status, code] of cases) {
    const answer = await ask(what, form === undefined ? {} : { form });
    const words = `${what} ${JSON.stringify(form ?? "").slice(0, 80)}: ${answer.text}`;
    assert.equal(answer.status, status, words);
    if (code !== 0) assert.equal(answer.json?.code, code, words);
    assert.notEqual(answer.text, "", words);
  }
  const cut = await fetch(`http://127.0.0.1:${server.ports.nacos}/nacos/v1/cs/configs`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "dataId=a&group=g&content=%E4%BD",
  });
  assert.equal(cut.status, 400);
  assert.match(await cut.text(), /HTTP_BAD_REQUEST/);
});
