// What a server of Eureka tells Roster of its clients, as one of its peers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { askEureka, eurekaBody, eurekaPath } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  // Peers try again, too, until a server that has just started has the lists.
  await eventually(
    () => askEureka(server, "GET /apps"),
    ({ status }) => status === 200,
  );
});

const ask = (what: string, init?: RequestInit) => askEureka(server, what, init);

function tell(...replicationList: readonly object[]) {
  const body = JSON.stringify({ replicationList });
  const headers = { "content-type": "application/json", "x-netflix-discovery-replication": "true" };
  return ask("POST /peerreplication/batch/", { body, headers });
}

/** A word about an instance, as a peer passes it on. */
function word(app: string, action: string, changes: object = {}) {
  const id = `10.0.0.1:${app}:8080`;
  return { appName: app.toUpperCase(), id, lastDirtyTimestamp: 1_000, status: "UP", action, ...changes };
}

function register(app: string, changes: Record<string, unknown> = {}) {
  const { instance } = JSON.parse(String(eurekaBody(app, changes).body));
  return word(app, "Register", { instanceInfo: instance });
}

test("what peers tell is carried out in their order, and each word has its status", async () => {
  const { status, type, json } = await tell(
    word("peer", "Heartbeat"),
    register("peer"),
    word("peer", "Heartbeat"),
    register("other"),
    word("other", "StatusUpdate", { status: "OUT_OF_SERVICE" }),
    word("other", "Dance"),
  );
  assert.equal(status, 200);
  assert.match(type, /^application\/json/);
  const statuses = json.responseList.map(({ statusCode }: { statusCode: number }) => statusCode);
  assert.deepEqual(statuses, [404, 200, 200, 200, 200, 400]);
  assert.equal((await ask(`GET ${eurekaPath("peer")}`)).json.instance.status, "UP");
  assert.equal((await ask(`GET ${eurekaPath("other")}`)).json.instance.status, "OUT_OF_SERVICE");
  const taken = await tell(word("other", "DeleteStatusOverride"), word("peer", "Cancel"));
  assert.deepEqual(taken.json, { responseList: [{ statusCode: 200 }, { statusCode: 200 }] });
  assert.equal((await ask(`GET ${eurekaPath("peer")}`)).status, 404);
});

test("a peer with an older state is told the newer one", async () => {
  await tell(register("newer", { lastDirtyTimestamp: "5000" }));
  const { json } = await tell(word("newer", "Heartbeat", { lastDirtyTimestamp: 4_000 }));
  const [{ statusCode, responseEntity }] = json.responseList;
  assert.equal(statusCode, 409);
  assert.equal(responseEntity.lastDirtyTimestamp, "5000");
});

test("an empty batch is answered, and what is none is refused", async () => {
  assert.deepEqual((await tell()).json, { responseList: [] });
  const headers = { "content-type": "application/json" };
  const statusOf = async (body: string) => (await ask("POST /peerreplication/batch/", { body, headers })).status;
  for (const body of ["", "{}", "[1]", '{"replicationList":{}}', '{"replicationList":["x"]}', "<x/>"]) {
    assert.equal(await statusOf(body), 400, body);
  }
  const many = JSON.stringify({ replicationList: Array.from({ length: 1_001 }, () => word("a", "Heartbeat")) });
  assert.equal(await statusOf(many), 400);
  const [missing, unnamed] = (await tell(word("a", "Register"), { action: "Heartbeat" })).json?.responseList ?? [];
  assert.equal(missing?.statusCode, 400);
  assert.equal(unnamed?.statusCode, 400);
});
