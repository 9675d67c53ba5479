// What operators may send by mistake to SOFARegistry's paths that change rules, as HTTP: each is answered in
// SOFARegistry's shape with the fault, and changes nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNodes } from "./testing/testNodes.ts";

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

const nodes = new TestNodes();
let meta: RunningServer;
let session: RunningServer;

before(async () => {
  meta = await nodes.start(["meta"]);
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  await nodes.start(["data"], at);
  session = await nodes.start(["session"], at);
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${session.ports.http}/readyz`)).status,
    (status) => status === 200,
  );
});

after(() => nodes.close());

interface Sent {
  readonly method?: "GET" | "POST";
  readonly type?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(role: "meta" | "session", path: string, { method = "POST", type = FORM, body, headers }: Sent = {}) {
  const port = role === "meta" ? meta.ports.metaHttp : session.ports.http;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { ...(body !== undefined && { "content-type": type }), ...headers },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  const { success, message } = JSON.parse(text) as { success: boolean; message: string };
  return { status: answer.status, success, message, text };
}

const offList = async () => (await ask("meta", "/api/clientManager/query", { method: "GET" })).text;

const OFF = "/api/clientManager/clientOff";
const KEPT_OFF = "/api/clientManager/persistence/clientOff";
const MANY = `ips=${"10.0.0.1;".repeat(600_000)}`;

for (const [role, path, sent, status, expected] of [
  ["meta", OFF, { body: "ips=10.0.0.1&zone=a" }, 400, /FIELD_INVALID.*field=zone/],
  ["meta", OFF, { body: "ips=10.0.0.1&ips=10.0.0.2" }, 400, /FIELD_INVALID.*string/],
  ["meta", OFF, { body: "ip=10.0.0.1" }, 400, /FIELD_INVALID.*field=ip/],
  ["meta", OFF, { body: '{"ips":["10.0.0.1"]}', type: JSON_TYPE }, 400, /FIELD_INVALID.*string/],
  ["meta", OFF, { body: '"10.0.0.1"', type: JSON_TYPE }, 400, /FIELD_INVALID.*object/],
  ["meta", OFF, { body: "ips=10.0.0.1", type: "text/xml" }, 415, /HTTP_BAD_REQUEST.*contentType/],
  ["meta", OFF, { body: "ips=10.0.0.300" }, 400, /FIELD_INVALID.*10\.0\.0\.300.*IP address/],
  ["meta", OFF, { body: "ips=10.0.0.1/8" }, 400, /FIELD_INVALID.*first address of the block/],
  ["meta", OFF, { body: "ips=::/129" }, 400, /FIELD_INVALID/],
  ["meta", OFF, { body: MANY }, 413, /HTTP_BAD_REQUEST.*bodyBytesMax/],
  ["meta", "/stopPushDataSwitch/grayOpen", {}, 400, /object/],
  ["meta", "/stopPushDataSwitch/grayOpen", { body: '{"ips":"a"}', type: JSON_TYPE }, 400, /FIELD_INVALID.*array/],
  ["meta", "/stopPushDataSwitch/grayOpen", { body: '{"all":1}', type: JSON_TYPE }, 400, /FIELD_INVALID.*field=all/],
  ["meta", "/datainfoid/blacklist/add", { body: "group=g" }, 400, /FIELD_INVALID.*dataId/],
  ["meta", "/datainfoid/blacklist/add", { body: "dataId=a%23%40%23b" }, 400, /FIELD_INVALID.*dataId/],
  ["meta", "/datainfoid/blacklist/add", { body: "dataId=" }, 400, /FIELD_INVALID.*at least one character/],
  ["meta", "/blacklist/update", { body: "[]", type: JSON_TYPE }, 400, /FIELD_INVALID.*object/],
  ["meta", "/blacklist/update", { body: "{", type: JSON_TYPE }, 400, /JSON/],
  ["session", OFF, { body: "ips=x" }, 400, /FIELD_INVALID/],
  ["session", "/api/clientManager/zone/clientOff", { body: "ips=x" }, 400, /FIELD_INVALID/],
  ["session", KEPT_OFF, { body: "ips=10.0.0.1/8" }, 400, /FIELD_INVALID/],
  ["session", KEPT_OFF, { body: MANY }, 413, /HTTP_BAD_REQUEST/],
  ["session", "/api/clients/off", { body: '{"connectIds":["10.1.1.1:1"]}', type: JSON_TYPE }, 400, /FIELD_INVALID/],
  ["session", "/api/clients/off", { body: '{"clients":[]}', type: JSON_TYPE }, 400, /FIELD_INVALID.*clients/],
] as const) {
  const shown = "body" in sent ? sent.body.slice(0, 40) : "no body";
  test(`${role} ${path} with ${shown} is refused in words, and changes nothing`, async () => {
    const before = await offList();
    const answer = await ask(role, path, sent);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.success, false);
    assert.match(answer.message, expected);
    assert.equal(await offList(), before);
  });
}

for (const [role, path] of [
  ["meta", "/stopPushDataSwitch/open"],
  ["session", "/api/emergency/pushSwitch/zone/stop"],
] as const) {
  test(`a page of another site does not stop pushes by an image of ${path}`, async () => {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-dest": "image" };
    const { status, message } = await ask(role, path, { method: "GET", headers });
    assert.equal(status, 400);
    assert.match(message, /HTTP_BAD_REQUEST/);
    const { text } = await ask("meta", "/digest/pushSwitch", { method: "GET" });
    assert.match(text, /"stopPush":"false"/);
  });
}

test("of many operators at once none is lost, and a mebibyte of addresses is taken", async () => {
  const hosts = Array.from({ length: 12 }, (_, at) => `10.7.0.${at}`);
  const answers = await Promise.all(
    hosts.map((ips, at) =>
      ask(at % 2 === 0 ? "meta" : "session", at % 2 === 0 ? OFF : KEPT_OFF, { body: `ips=${ips}` }),
    ),
  );
  assert.deepEqual(
    answers.filter(({ success }) => !success),
    [],
  );
  const many = Array.from({ length: 75_000 }, (_, at) => `11.${at >> 16}.${(at >> 8) & 255}.${at & 255}`).join(";");
  const { success, text } = await ask("session", KEPT_OFF, { body: new URLSearchParams({ ips: many }).toString() });
  assert.equal(success, true, text);
  const list = await offList();
  for (const host of hosts) assert.ok(list.includes(`"${host}":`), host);
  assert.ok(list.includes('"11.1.36.247":'));
  const open = [...hosts, "11.0.0.0/8"].join(";");
  assert.equal((await ask("meta", "/api/clientManager/clientOpen", { body: `ips=${open}` })).success, true);
  assert.match(await offList(), /"clientOffAddress":\{\}/);
});

test("without a meta node, what is kept is refused with 503, and can be tried again", async () => {
  await nodes.stop(meta);
  const { status, success, message } = await ask("session", KEPT_OFF, { body: "ips=10.0.0.1" });
  assert.deepEqual([status, success], [503, false]);
  assert.match(message, /NODE_ASKED_UNREACHABLE/);
});
