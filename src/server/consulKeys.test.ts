// Consul's keys, sessions and transactions at a whole node, and at two.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { askConsul } from "./testing/consulPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
});

const ask = (what: string, body?: object | string) => askConsul(server, what, body);
const textOf = async (what: string, body?: object | string) => (await ask(what, body)).text;

async function newSession(changes: object = {}): Promise<string> {
  const { json, text } = await ask("PUT /session/create", { LockDelay: "0s", ...changes });
  assert.match(json?.ID ?? text, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  return json.ID;
}

test("a value is put, read in every form, and removed", async () => {
  assert.equal((await ask("GET /kv/plain")).status, 404);
  assert.equal(await textOf("PUT /kv/plain?flags=42", "hello"), "true");
  const { json, index } = await ask("GET /kv/plain");
  assert.deepEqual([json[0].Value, json[0].Flags, json[0].LockIndex], ["aGVsbG8=", 42, 0]);
  assert.equal(index, String(json[0].ModifyIndex));
  const raw = await ask("GET /kv/plain?raw");
  assert.deepEqual([raw.text, raw.headers.get("content-type")], ["hello", "text/plain"]);
  assert.equal(await textOf("PUT /kv/plain?flags=42", "hello"), "true");
  assert.equal((await ask("GET /kv/plain")).json[0].ModifyIndex, json[0].ModifyIndex);
  assert.equal(await textOf("PUT /kv/plain", ""), "true");
  assert.equal((await ask("GET /kv/plain")).json[0].Value, null);
  assert.equal(await textOf("DELETE /kv/plain"), "true");
  assert.equal((await ask("GET /kv/plain")).status, 404);
});

test("keys are listed below a prefix, up to a separator, and removed together", async () => {
  for (const key of ["tree/a", "tree/b/1", "tree/b/2", "trees"]) await ask(`PUT /kv/${key}`, key);
  assert.deepEqual((await ask("GET /kv/tree/?keys&separator=/")).json, ["tree/a", "tree/b/"]);
  assert.equal((await ask("GET /kv/tree/?recurse")).json.length, 3);
  assert.deepEqual((await ask("GET /kv/tree?keys")).json, ["tree/a", "tree/b/1", "tree/b/2", "trees"]);
  const { index } = await ask("GET /kv/tree/b/?recurse");
  const waiting = ask(`GET /kv/tree/b/?recurse&index=${index}&wait=20s`);
  await ask("PUT /kv/tree/a", "other");
  await ask("PUT /kv/tree/b/3", "new");
  assert.equal((await waiting).json.length, 3);
  assert.equal(await textOf("DELETE /kv/tree/?recurse"), "true");
  assert.deepEqual((await ask("GET /kv/tree?keys")).json, ["trees"]);
});

test("more keys than fit into one commit are removed together", async () => {
  await Promise.all(Array.from({ length: 150 }, (_, at) => ask(`PUT /kv/many/${at}`, "x")));
  assert.equal(await textOf("DELETE /kv/many/?recurse"), "true");
  assert.equal((await ask("GET /kv/many/?keys")).status, 404);
});

test("a comparison decides whether a value is put or removed", async () => {
  assert.equal(await textOf("PUT /kv/cas?cas=0", "1"), "true");
  assert.equal(await textOf("PUT /kv/cas?cas=0", "2"), "false");
  const [{ ModifyIndex }] = (await ask("GET /kv/cas")).json;
  assert.equal(await textOf(`PUT /kv/cas?cas=${ModifyIndex}`, "2"), "true");
  assert.equal(await textOf(`PUT /kv/cas?cas=${ModifyIndex}`, "3"), "false");
  assert.equal(await textOf(`DELETE /kv/cas?cas=${ModifyIndex}`), "false");
  assert.equal((await ask("GET /kv/cas?raw")).text, "2");
});

test("of twenty clients that count up one key by comparison none is lost", async () => {
  await ask("PUT /kv/count", "0");
  const countUp = async (): Promise<void> => {
    const [{ Value, ModifyIndex }] = (await ask("GET /kv/count?consistent")).json;
    const next = String(Number(Buffer.from(Value, "base64").toString()) + 1);
    if ((await textOf(`PUT /kv/count?cas=${ModifyIndex}`, next)) !== "true") return countUp();
  };
  await Promise.all(Array.from({ length: 20 }, countUp));
  assert.equal((await ask("GET /kv/count?raw")).text, "20");
});

test("a lock belongs to one session, until that releases it or ends", async () => {
  const [one, other] = [await newSession(), await newSession()];
  assert.equal(await textOf(`PUT /kv/lock?acquire=${one}`, "one"), "true");
  assert.equal(await textOf(`PUT /kv/lock?acquire=${other}`, "other"), "false");
  const [held] = (await ask("GET /kv/lock")).json;
  assert.deepEqual([held.Session, held.LockIndex], [one, 1]);
  assert.equal(await textOf(`PUT /kv/lock?release=${other}`, "other"), "false");
  assert.equal(await textOf(`PUT /kv/lock?release=${one}`, "free"), "true");
  assert.equal(await textOf(`PUT /kv/lock?acquire=${other}`, "other"), "true");
  assert.equal((await ask("GET /kv/lock")).json[0].LockIndex, 2);
  assert.equal(await textOf(`PUT /session/destroy/${other}`), "true");
  const [freed] = (await ask("GET /kv/lock")).json;
  assert.deepEqual([freed.Session, freed.LockIndex], [undefined, 2]);
  const unknown = await ask("PUT /kv/lock?acquire=00000000-0000-4000-8000-000000000000", "x");
  assert.deepEqual([unknown.status, unknown.text.startsWith("invalid session")], [500, true]);
});

test("an ended session leaves its lock delayed, or takes its keys along", async () => {
  const [delaying, deleting, next] = [
    await newSession({ LockDelay: "1m" }),
    await newSession({ Behavior: "delete" }),
    await newSession(),
  ];
  await ask(`PUT /kv/delayed?acquire=${delaying}`, "x");
  await ask(`PUT /session/destroy/${delaying}`);
  assert.equal(await textOf(`PUT /kv/delayed?acquire=${next}`, "y"), "false");
  await ask(`PUT /kv/deleted?acquire=${deleting}`, "x");
  await ask(`PUT /session/destroy/${deleting}`);
  assert.equal((await ask("GET /kv/deleted")).status, 404);
});

test("a session ends with its check", async () => {
  await ask("PUT /agent/service/register", {
    Name: "holder",
    Check: { CheckID: "alive", TTL: "1m", Status: "passing" },
  });
  const id = await newSession({ Checks: ["serfHealth", "alive"] });
  assert.equal((await ask(`GET /session/info/${id}`)).json.length, 1);
  await ask("PUT /agent/check/fail/alive");
  await eventually(
    () => ask(`GET /session/info/${id}`),
    ({ json }) => json.length === 0,
  );
  assert.equal((await ask(`PUT /session/renew/${id}`)).status, 404);
});

test("a session begins with the checks of services that are there and not critical, and ends with them", async () => {
  const begin = async () => (await ask("PUT /session/create", { ServiceChecks: [{ ID: "well" }] })).text;
  assert.match(await begin(), /Missing check 'well' registration/);
  await ask("PUT /agent/service/register", { Name: "checked", Check: { CheckID: "well", TTL: "1m" } });
  assert.match(await begin(), /Check 'well' is in critical state/);
  await ask("PUT /agent/check/pass/well");
  const id = await newSession({ ServiceChecks: [{ ID: "well" }] });
  const info = async () => (await ask(`GET /session/info/${id}`)).json;
  assert.deepEqual((await info())[0].ServiceChecks, [{ ID: "well", Namespace: "" }]);
  await ask("PUT /agent/check/fail/well");
  await eventually(info, (rows) => rows.length === 0);
});

test("clients find new events by an index that is made of an event's id, and wait for the next one", async () => {
  const halves = (id: string) => (id.replaceAll("-", "").match(/.{16}/g) ?? []).map((half) => BigInt(`0x${half}`));
  const indexOf = (id: string) => halves(id).reduce((one, other) => one ^ other, 0n);
  const fire = async (name: string) => (await ask(`PUT /event/fire/${name}`, "x")).json.ID;
  const first = await fire("deploy");
  const { index } = await ask("GET /event/list?name=deploy");
  assert.equal(BigInt(index ?? 0), indexOf(first));
  const waiting = ask(`GET /event/list?name=deploy&index=${index}&wait=20s`);
  await fire("other");
  const second = await fire("deploy");
  const { json, index: next } = await waiting;
  assert.deepEqual(
    json.map(({ ID }: { ID: string }) => ID),
    [first, second],
  );
  assert.equal(BigInt(next ?? 0), indexOf(second));
});

test("a transaction is made as a whole or not at all", async () => {
  const hi = Buffer.from("hi").toString("base64");
  const made = await ask("PUT /txn", [
    { KV: { Verb: "set", Key: "txn/a", Value: hi, Flags: 7 } },
    { KV: { Verb: "get", Key: "txn/a" } },
    { KV: { Verb: "check-not-exists", Key: "txn/b" } },
  ]);
  const [set, get] = made.json.Results;
  assert.deepEqual([set.KV.Value, get.KV.Value, get.KV.Flags, made.json.Errors], [null, hi, 7, null]);
  assert.equal(get.KV.ModifyIndex, (await ask("GET /kv/txn/a")).json[0].ModifyIndex);
  const failed = await ask("PUT /txn", [
    { KV: { Verb: "set", Key: "txn/b", Value: hi } },
    { KV: { Verb: "cas", Key: "txn/a", Value: hi, Index: 1 } },
  ]);
  assert.equal(failed.status, 409);
  assert.deepEqual(failed.json, {
    Results: null,
    Errors: [{ OpIndex: 1, What: 'failed to set key "txn/a", index is stale' }],
  });
  assert.equal((await ask("GET /kv/txn/b")).status, 404);
  const lock = await ask("PUT /txn", [{ KV: { Verb: "lock", Key: "txn/b", Value: hi } }]);
  assert.deepEqual(lock.json.Errors, [{ OpIndex: 0, What: "missing session" }]);
});

test("another node has the same keys", async () => {
  const cluster = new TestNodes();
  const meta = await cluster.start(["meta", "data"], { metaAddresses: [] });
  const metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const [one, other] = [
    await cluster.start(["session"], { metaAddresses }),
    await cluster.start(["session"], { metaAddresses }),
  ];
  const none = await askConsul(other, "GET /kv/shared");
  assert.equal(none.status, 404);
  const waiting = askConsul(other, `GET /kv/shared?index=${none.index}&wait=20s`);
  assert.equal((await askConsul(one, "PUT /kv/shared", "x")).text, "true");
  assert.equal((await waiting).json[0].Value, "eA==");
  assert.equal((await askConsul(other, "PUT /kv/shared?cas=0", "y")).text, "false");
  await cluster.close();
});

const REFUSALS: readonly [what: string, body: object | string | undefined, status: number, says: RegExp][] = [
  ["PUT /kv/", "x", 400, /Missing key name/],
  ["PUT /kv/x?cas=soon", "x", 400, /Invalid cas/],
  ["PUT /kv/x?flags=-1", "x", 400, /Invalid flags/],
  ["PUT /kv/x?cas=0&acquire=y", "x", 400, /Conflicting flags/],
  ["PUT /kv/x", "x".repeat(512 * 1024 + 1), 413, /too large/],
  ["PUT /session/create", { TTL: "1s" }, 500, /Invalid Session TTL/],
  ["PUT /session/create", { Behavior: "keep" }, 500, /Invalid Behavior/],
  ["PUT /session/create", { Checks: ["nowhere"] }, 500, /Missing check/],
  ["PUT /txn", "{", 400, /decode failed/],
  ["PUT /txn", [{ KV: { Verb: "set", Key: "x", Value: "!" } }], 400, /no base64/],
  ["PUT /txn", Array.from({ length: 129 }, () => ({ KV: { Verb: "get", Key: "x" } })), 413, /too many operations/],
  ["PUT /txn", [{ KV: { Verb: "dance", Key: "x" } }], 409, /unknown KV verb/],
];
for (const [what, body, status, says] of REFUSALS) {
  const sent = typeof body === "object" ? JSON.stringify(body) : (body ?? "");
  test(`${what} ${sent.slice(0, 60)} is refused with ${status}`, async () => {
    const answer = await ask(what, body);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, says);
  });
}
