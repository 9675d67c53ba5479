// Nodes that operators block, and the cluster's view of its nodes.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { MemberRow } from "../admin/memberRows.ts";
import { RegistryError } from "../base/errors.ts";
import { BLOCKED_NODE_RECORDS, encodeRecord, keyOf } from "../meta/metaRecords.ts";
import { openSqliteStore } from "../store/sqlite/sqliteStore.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { getStatus, operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

const at = (server: RunningServer) => ({ metaAddresses: [`127.0.0.1:${server.ports.node}`] });

async function rows(server: RunningServer): Promise<MemberRow[]> {
  return (await operate(server, "GET", "/nodes")).body.items;
}

const nameOf = ({ id }: MemberRow) => id?.slice(0, id.lastIndexOf(".")) ?? "";
const ofRole = (list: readonly MemberRow[], wanted: string) => list.filter(({ role }) => role === wanted);

async function block(server: RunningServer, node: string, way: "block" | "unblock" = "block") {
  const { status, body } = await operate(server, "POST", `/nodes/${way}`, { node });
  return { status, message: body.message ?? body.error.message };
}

async function get(port: number, path: string): Promise<readonly [status: number, body: string]> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return [answer.status, await answer.text()];
}

test("a blocked data node shows it in members, health and metrics, and that it was unblocked", async () => {
  const meta = await nodes.start(["meta"]);
  const servers = [await nodes.start(["data"], at(meta)), await nodes.start(["data"], at(meta))];
  await nodes.start(["session"], at(meta));
  const whole = (list: MemberRow[]) => ofRole(list, "data").every(({ leads = 0 }) => leads > 0);
  const list = await eventually(
    () => rows(meta),
    (found) => ofRole(found, "data").length === 2 && ofRole(found, "session").length === 1 && whole(found),
  );
  const shown = list.map(({ role, state }) => `${role} ${state}`);
  assert.deepEqual(shown, ["meta leads", "data up", "data up", "session up"]);
  const [victim] = ofRole(list, "data");
  assert.ok(victim !== undefined);
  const server = servers.find(({ ports }) => victim.address?.endsWith(`:${ports.node}`) === true);
  assert.ok(server !== undefined);
  const name = nameOf(victim);
  const done = await block(meta, name);
  assert.equal(done.status, 200);
  assert.match(done.message, new RegExp(`roster unblock ${name}`));
  const drained = (found: MemberRow[]) => found.find(({ id }) => id === victim.id)?.leads === 0;
  const after = await eventually(() => rows(meta), drained);
  assert.equal(after.find(({ id }) => id === victim.id)?.state, "blocked");
  const http = server.ports.dataHttp;
  const [status, reason] = await eventually(
    () => get(http, "/readyz"),
    ([code]) => code === 503,
  );
  assert.equal(status, 503);
  assert.match(reason, new RegExp(`blocked.*roster unblock ${name}`));
  assert.match((await get(http, "/health/check"))[1], /blocked/);
  assert.equal(await getStatus(http, "/livez"), 200);
  assert.match((await get(http, "/metrics"))[1], /^roster_node_blocked 1$/m);
  assert.match((await get(meta.ports.metaHttp, "/metrics"))[1], /^roster_nodes_blocked 1$/m);
  assert.equal((await block(meta, name, "unblock")).status, 200);
  await eventually(
    () => getStatus(http, "/readyz"),
    (code) => code === 200,
  );
  await eventually(
    () => rows(meta),
    (found) => found.every(({ state }) => state !== "blocked") && whole(found),
  );
});

test("a blocked session ends, is still listed as blocked, and says how to unblock it", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const session = await nodes.start(["session"], at(meta));
  await nodes.start(["session"], at(meta));
  const list = await eventually(
    () => rows(meta),
    (found) => ofRole(found, "session").length === 2,
  );
  const victim = ofRole(list, "session").find(({ clientAddresses }) =>
    clientAddresses?.["bolt"]?.endsWith(`:${session.ports.bolt}`),
  );
  assert.ok(victim !== undefined);
  const name = nameOf(victim);
  assert.equal((await block(meta, name)).status, 200);
  const failure = await session.failed;
  assert.ok(failure instanceof RegistryError && failure.code === "NODE_REFUSED", String(failure));
  assert.match(failure.message, new RegExp(`roster unblock ${name}"`), "the message is not cut");
  const after = await eventually(
    () => rows(meta),
    (found) => ofRole(found, "session").length === 1,
  );
  assert.deepEqual(
    after.filter(({ state }) => state === "blocked").map(({ id, role }) => [id, role]),
    [[name, null]],
  );
});

test("a whole registry does not block its only process, and refuses an unknown name with the known ones", async () => {
  const registry = await nodes.start(["meta", "data", "session"]);
  const [row] = await eventually(
    () => rows(registry),
    (found) => found.length === 3,
  );
  assert.ok(row !== undefined);
  const own = await block(registry, nameOf(row));
  assert.deepEqual([own.status, own.message.split(":")[0]], [409, "NODE_NEEDED"]);
  const other = await block(registry, "no-such-node");
  assert.equal(other.status, 404);
  assert.match(other.message, new RegExp(`NODE_UNKNOWN.*known=\\[${nameOf(row)}\\]`));
});

test("a whole registry that was blocked serves again after a start without the role session", async () => {
  const dataDir = nodes.newDirectory();
  const store = await openSqliteStore(dataDir);
  const name = store.nodeId();
  const key = keyOf(BLOCKED_NODE_RECORDS, { node: name });
  const value = encodeRecord(BLOCKED_NODE_RECORDS, { node: name });
  await store.records.commit({ conditions: [], operations: [{ kind: "put", key, value }] });
  await store.close();
  const refused = await nodes.start(["meta", "data", "session"], { dataDir });
  const failure = await refused.failed;
  assert.ok(failure instanceof RegistryError && failure.code === "NODE_REFUSED", String(failure));
  await nodes.stop(refused);
  const repair = await nodes.start(["meta", "data"], { dataDir, metaAddresses: [] });
  await eventually(
    () => getStatus(repair.ports.metaHttp, "/readyz"),
    (code) => code === 200,
  );
  assert.equal((await block(repair, name, "unblock")).status, 200);
  await nodes.stop(repair);
  const registry = await nodes.start(["meta", "data", "session"], { dataDir });
  await eventually(
    () => getStatus(registry.ports.http, "/readyz"),
    (code) => code === 200,
  );
});
