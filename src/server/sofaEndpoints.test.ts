// SOFARegistry's paths on a cluster of separate roles, shape by shape beside recorded answers of
// SOFARegistry 6.6.3 (protocols/sofa/http/testing/sofaregistry.jsonl; long ones are cut there). Two clients at two
// sessions publish and subscribe what its client did.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { sofaRoutesOf } from "../protocols/sofa/testing/routes.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

interface Recorded {
  readonly role: "session" | "data" | "meta";
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly req: string | null;
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

const FILE = new URL("../protocols/sofa/http/testing/sofaregistry.jsonl", import.meta.url);
const RECORDED = readFileSync(FILE, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);
const SAMPLE = "com.example.Sample";
const SERVICE = `${SAMPLE}#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP`;
const ENCODED = encodeURIComponent(SERVICE);
// Their texts are of the release, or in words of Roster's own.
const OTHER_WORDS = new Set(["/version", "/metrics", "/health/check"]);

const nodes = new TestNodes();
const clients: TestClient[] = [];
let ports: Readonly<Record<Recorded["role"], number>>;
let metaAddresses: readonly string[];
let sessions: readonly [RunningServer, RunningServer];

before(async () => {
  const meta = await nodes.start(["meta"]);
  metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const at = { metaAddresses };
  const data = await nodes.start(["data"], at);
  sessions = [await nodes.start(["session"], at), await nodes.start(["session"], at)];
  ports = { session: sessions[0].ports.http, data: data.ports.dataHttp, meta: meta.ports.metaHttp };
  for (const session of sessions) {
    await eventually(
      async () => (await ask(session.ports.http, "/readyz")).status,
      (status) => status === 200,
    );
    const client = new TestClient(() => session.ports.bolt);
    clients.push(client);
    client.publish(SAMPLE, session === sessions[0] ? "hold-0" : "hold-1");
    client.subscribe(SAMPLE);
  }
  for (const client of clients) {
    await eventually(
      () => client.list(SAMPLE),
      (list) => list === "hold-0 hold-1",
    );
  }
});

after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

async function ask(port: number, path: string, { method = "GET", body = null as string | null } = {}) {
  const type = /^[[{]/.test(body ?? "") ? "application/json" : "application/x-www-form-urlencoded";
  const init = body === null ? {} : { body, headers: { "content-type": type } };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...init });
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    unanswered: answer.headers.get("x-roster-unanswered"),
    text: await answer.text(),
  };
}

const json = async (port: number, path: string, asking: { method?: string; body?: string } = {}) => {
  const { status, text } = await ask(port, path, asking);
  assert.equal(status, 200, `${path}: ${text}`);
  return JSON.parse(text);
};

/** A name of a field, and not a key of a map. */
const isField = (key: string) => /^[A-Za-z][A-Za-z ]*$/.test(key) && key !== "DefaultDataCenter";

/** The place where an answer has another shape than the recorded one; what is null in either is not known. */
function difference(recorded: unknown, ours: unknown, at = ""): string | undefined {
  if (recorded === null || ours === null) return undefined;
  if (typeof recorded !== typeof ours || Array.isArray(recorded) !== Array.isArray(ours)) {
    return `${at}: ${typeof ours}, not ${typeof recorded}`;
  }
  if (typeof recorded !== "object") return undefined;
  const [theirs, mine] = [Object.entries(recorded), new Map(Object.entries(ours as object))];
  if (Array.isArray(recorded) || theirs.some(([key]) => !isField(key))) {
    const [one] = theirs;
    const [other] = mine;
    return one === undefined || other === undefined ? undefined : difference(one[1], other[1], `${at}.*`);
  }
  for (const [key, value] of theirs) {
    const found = mine.has(key) ? difference(value, mine.get(key), `${at}.${key}`) : `${at}.${key}: missing`;
    if (found !== undefined) return found;
  }
  return undefined;
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The first of several, and numbers do not count. */
const wordsOf = (text: string) => text.split(";")[0]?.replace(/[\d.]+/g, "N");

// No recorded PUT is a question.
const served = RECORDED.filter(({ role, method, path }) => {
  const [name = ""] = path.split("?");
  return method !== "PUT" && sofaRoutesOf(role).some((route) => route.method === method && matches(route.path, name));
});

function matches(route: string, path: string): boolean {
  const [wanted, given] = [route.split("/"), path.split("/")];
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith(":") || part === given[at]);
}

test("most of the recorded answers are compared", () => {
  assert.ok(served.length >= 52, `${served.length} of ${RECORDED.length}`);
});

for (const recorded of served) {
  const { role, method, path, req } = recorded;
  test(`${role} ${method} ${path.split("?")[0]} answers in SOFARegistry's shape`, async () => {
    const ours = await ask(ports[role], path, { method, body: req });
    assert.equal(ours.status, recorded.status, ours.text);
    const [name = ""] = path.split("?");
    // So are its refusals.
    if (OTHER_WORDS.has(name) || recorded.status >= 400) return;
    assert.equal(ours.type?.split(";")[0], recorded.type?.split(";")[0]);
    const [theirs, mine] = [parsed(recorded.body), parsed(ours.text)];
    if (theirs === undefined) assert.equal(wordsOf(ours.text), wordsOf(recorded.body));
    else assert.equal(difference(theirs, mine), undefined, ours.text);
  });
}

test("publishers of a service are those of this session, or of all sessions on request", async () => {
  const query = `/digest/pub/data/query?dataInfoId=${ENCODED}`;
  const own = await json(ports.session, query);
  const [publisher] = own.PUB;
  assert.equal(own.PUB.length, 1);
  assert.deepEqual([publisher.dataId, publisher.cell, publisher.appName], [SAMPLE, "DEFAULT_ZONE", "test"]);
  // Java's own serialisation of "hold-0", as recorded.
  assert.equal(publisher.dataList[0].bytes, "rO0ABXQABmhvbGQtMA==");
  assert.equal(publisher.targetAddress.port, sessions[0].ports.bolt);
  assert.equal((await json(ports.session, `${query}&reach=cluster`)).PUB.length, 2);
  assert.deepEqual(await json(ports.session, `/digest/pub/data/query?dataInfoId=none%23@%23a%23@%23b`), {});
});

test("subscribers are told with the list that they were sent", async () => {
  const query = `/digest/sub/data/query?dataInfoId=${ENCODED}`;
  const subscribers = (await json(ports.session, `${query}&reach=cluster`)).SUB;
  assert.equal(subscribers.length, 2);
  const text = await ask(ports.data, "/datum/api/getDatumVersion", {
    method: "POST",
    body: JSON.stringify({ dataInfoId: SERVICE }),
  });
  const version = /version:(\d+)$/.exec(text.text)?.[1];
  const { text: raw } = await ask(ports.session, query);
  assert.match(raw, new RegExp(`"pushedVersion":${version}[,}]`), "a Java long, digit by digit");
  assert.ok(subscribers[0].pushedTimestamp > 1_700_000_000_000);
});

test("what a connection has is told by its name, with the session's end and without it", async () => {
  const [name] = await json(ports.session, "/connections/query");
  for (const each of [name, `${name}_127.0.0.1:${sessions[0].ports.bolt}`]) {
    for (const [type, kind] of [
      ["pub", "PUB"],
      ["sub", "SUB"],
    ] as const) {
      const body = JSON.stringify([each]);
      const told = await json(ports.session, `/digest/${type}/connect/query`, { method: "POST", body });
      assert.equal(told[kind].length, 1);
    }
  }
  const body = JSON.stringify({ [name]: `127.0.0.1:${sessions[0].ports.bolt}` });
  const atData = await json(ports.data, "/digest/connect/query", { method: "POST", body });
  assert.equal(Object.keys(atData[name]).length, 1);
});

test("what clients at an address publish and subscribe is told for all sessions, and counts for one", async () => {
  const { data } = await json(ports.session, "/digest/data/queryDetail?ips=127.0.0.1,10.0.0.1");
  assert.deepEqual(data, { pubDataInfoIds: { "127.0.0.1": [SERVICE] }, subDataInfoIds: { "127.0.0.1": [SERVICE] } });
  const count = async (query: string) => (await ask(ports.session, `/digest/data/count${query}`)).text;
  assert.equal(await count(""), "Subscriber count: 1, Publisher count: 1, Watcher count: 0");
  assert.equal(await count("?reach=cluster"), "Subscriber count: 2, Publisher count: 2, Watcher count: 0");
  assert.equal((await json(ports.session, "/connections/query?reach=cluster")).length, 2);
  // The recorded sum of the recorded names.
  assert.equal(await json(ports.session, "/digest/checkSumDataInfoIdList"), -896_852_809);
  const { data: publishers } = await json(ports.session, `/digest/data/zone/queryPublisher?dataInfoId=${ENCODED}`);
  assert.equal(publishers.length, 2);
});

test("a session that has gone is named until the others know that it has", async () => {
  const third = await nodes.start(["session"], { metaAddresses });
  const path = "/digest/data/count?reach=cluster";
  await eventually(
    () => ask(ports.session, path),
    ({ unanswered }) => unanswered === null,
  );
  await nodes.stop(third);
  await eventually(
    () => ask(ports.session, path),
    ({ unanswered, status }) => unanswered === null && status === 200,
  );
});

for (const [role, path, init, expected] of [
  ["session", "/digest/pub/data/query?dataInfoId=orders", {}, /FIELD_INVALID.*dataInfoId/],
  ["session", "/digest/pub/data/query", {}, /FIELD_INVALID/],
  ["session", `/digest/all/data/query?dataInfoId=${ENCODED}`, {}, /FIELD_INVALID.*pub, sub or wat/],
  ["session", `/digest/pub/data/query?dataInfoId=${ENCODED}&reach=world`, {}, /FIELD_INVALID.*reach/],
  ["session", "/digest/data/queryDetail?ips=10.0.0.256", {}, /FIELD_INVALID.*IP address/],
  ["session", "/digest/data/queryDetail", {}, /FIELD_INVALID/],
  ["session", `/digest/data/queryDetail?ips=${new Array(1_001).fill("::1").join(",")}`, {}, /FIELD_INVALID.*1000/],
  ["session", "/digest/pub/connect/query", { method: "POST", body: "{}" }, /array/],
  ["session", "/digest/pub/connect/query", { method: "POST", body: "[1,{}]" }, /string/],
  ["data", "/datum/api/get", { method: "POST", body: "{}" }, /FIELD_INVALID.*dataInfoId/],
  ["data", "/datum/api/get", { method: "POST", body: '{"dataInfoId":7}' }, /dataInfoId/],
  ["data", "/digest/connect/query", { method: "POST", body: "[]" }, /object/],
  ["data", "/digest/datum/query?group=g", {}, /FIELD_INVALID.*dataId/],
  ["meta", "/digest/all/node/query", {}, /FIELD_INVALID.*session, data or meta/],
] as const) {
  test(`${role} ${path.slice(0, 60)} ${"body" in init ? init.body : ""} is refused in words`, async () => {
    const { status, text } = await ask(ports[role], path, init);
    assert.equal(status, 400, text);
    assert.match(text, expected);
  });
}

test("what a data node does not have, or is asked of another data center, is not found", async () => {
  const post = (path: string, body: object) => json(ports.data, path, { method: "POST", body: JSON.stringify(body) });
  const none = await post("/datum/api/get", { dataInfoId: "never#@#a#@#b" });
  assert.deepEqual(none, {
    success: false,
    message: "datum not found by dataCenter=DefaultDataCenter, dataInfoId=never#@#a#@#b",
  });
  assert.equal((await post("/datum/api/get", { dataInfoId: SERVICE, dataCenter: "other" })).success, false);
  assert.deepEqual(await post("/datum/api/getDatumVersions", { dataCenter: "other" }), {});
  assert.deepEqual(await post("/datum/api/getRemoteDatumVersions", { dataCenter: "other" }), {});
  const cache = await json(ports.session, "/openapi/v1/slot/table/cache?dataCenter=other");
  assert.equal(cache.success, false);
});
