import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import { asked } from "../../../base/testing/asked.ts";
import { nodeId } from "../../../model/ids.ts";
import type { BlockedNodeView, NodeQuestion } from "../../kit/gateway.ts";
import { clusterOf } from "../../kit/testing/views.ts";
import { answerGroupChange, type GroupNode, memberGroupRoutes, metaGroupRoutes } from "./serverGroupRoutes.ts";

const FORM = { cell: "ZONE", nodeType: "data" };

/** The leading meta node of a cluster with one session, one data node and itself, each at a host of its own. */
function leader({
  blocked = [] as readonly BlockedNodeView[],
  ...changes
}: Partial<GroupNode> & { blocked?: readonly BlockedNodeView[] } = {}) {
  const did: unknown[] = [];
  const node: GroupNode = {
    cluster: clusterOf(),
    isLeading: () => true,
    leader: () => ({ epoch: 1n, host: "192.0.2.3" }),
    blockedNodes: () => blocked,
    blockNode: async (...block) => void did.push(block),
    stepDown: async () => void did.push("stepDown"),
    ...changes,
  };
  const put = (path: string, body: object = FORM) => {
    const ip = path.split("/").at(-1) ?? "";
    const isOwn = ip === "quit" || ip === "join";
    const route = isOwn ? path : path.replace(ip, ":ip");
    return asked(metaGroupRoutes(node), `PUT /opsapi/${route}`, { body, params: { ip } });
  };
  return { did, node, put };
}

test("a node that quits is blocked, and joins when it is no longer", async () => {
  const { did, put } = leader();
  assert.deepEqual((await put("v1/server/group/quit/192.0.2.2")).json, { success: true, message: null });
  assert.deepEqual((await put("v2/server/group/quit/192.0.2.1", { cell: "Z", nodeType: "SESSION" })).json, {
    success: true,
    message: null,
  });
  assert.deepEqual(did, [
    ["d1", true],
    ["s1", true],
  ]);
  const gone = { node: "s9", host: "192.0.2.9", roles: ["session"] } as const;
  const back = leader({ blocked: [gone] });
  assert.equal((await back.put("v2/server/group/join/192.0.2.9", { cell: "Z", nodeType: "session" })).status, 200);
  assert.equal((await back.put("v2/server/group/join/192.0.2.2")).status, 200);
  assert.deepEqual(back.did, [["s9", false]], "a node that is in the group joins without a change");
});

test("a meta node that quits gives the lead to another one", async () => {
  const { did, put } = leader();
  await put("v2/server/group/quit/192.0.2.3", { cell: "Z", nodeType: "meta" });
  await put("v1/server/group/quit");
  await put("v1/server/group/join");
  assert.deepEqual(did, ["stepDown", "stepDown"]);
  const other = leader({ isLeading: () => false, leader: () => ({ epoch: 1n, host: "192.0.2.8" }) });
  await other.put("v2/server/group/quit/192.0.2.3", { cell: "Z", nodeType: "meta" });
  await other.put("v1/server/group/quit");
  assert.deepEqual(other.did, [], "one that does not lead has nothing to give up");
});

for (const [what, path, body, complaint] of [
  ["an address that is none", "v2/server/group/quit/10.0.0.256", FORM, /FIELD_INVALID.*field=ip.*10\.0\.0\.256/],
  ["a name", "v1/server/group/join/d1", FORM, /FIELD_INVALID.*field=ip/],
  ["an unknown address", "v1/server/group/quit/10.0.0.1", FORM, /NODE_UNKNOWN.*node=10\.0\.0\.1.*known=192\.0\.2\.2/],
  ["the address of another role", "v1/server/group/quit/192.0.2.1", FORM, /NODE_UNKNOWN.*role=data/],
  ["an unknown meta node", "v1/server/group/quit/10.0.0.1", { cell: "Z", nodeType: "meta" }, /NODE_UNKNOWN.*role=meta/],
  ["a role that there is not", "v1/server/group/quit/192.0.2.2", { cell: "Z", nodeType: "console" }, /field=nodeType/],
  ["no form", "v2/server/group/quit/192.0.2.2", {}, /FIELD_INVALID.*cell, nodeType/],
  ["a blank cell", "v2/server/group/quit/192.0.2.2", { cell: " ", nodeType: "data" }, /FIELD_INVALID.*cell, nodeType/],
] as const) {
  test(`${what} is refused, and nothing is changed`, async () => {
    const { did, put } = leader();
    assert.match(String((await put(path, body)).refused), complaint);
    assert.deepEqual(did, []);
  });
}

test("the first release of the path does nothing without cell and type, and says so", async () => {
  const { did, put } = leader();
  const { json } = await put("v1/server/group/quit/192.0.2.2", {});
  assert.deepEqual(json, { success: true, message: "nothing was done: cell and nodeType are needed" });
  assert.deepEqual(did, []);
});

test("two nodes of a role at one address are not blocked by their address", async () => {
  const two = ["d1.a", "d2.a"].map((id) => ({
    ...({ id: nodeId(id), role: "data", address: "192.0.2.2:1", host: "192.0.2.2" } as const),
  }));
  const { did, put } = leader({ cluster: clusterOf({ nodes: () => two }) });
  assert.match(String((await put("v1/server/group/quit/192.0.2.2")).refused), /FIELD_INVALID.*nodes="d1,d2"/);
  assert.deepEqual(did, []);
});

test("a node that is needed stays, and the reason is told", async () => {
  const { put } = leader({ blockNode: () => Promise.reject(fail("NODE_NEEDED", { node: "d1", role: "data" })) });
  assert.match(String((await put("v2/server/group/quit/192.0.2.2")).refused), /NODE_NEEDED.*role=data/);
});

test("a session or data node asks the leading meta node, which blocks it", async () => {
  const questions: NodeQuestion[] = [];
  const others = {
    askLeader: async (question: NodeQuestion) => void questions.push(question),
    askSession: async () => undefined,
  };
  const routes = memberGroupRoutes({ id: nodeId("d1.a") }, others);
  for (const action of ["quit", "join"]) {
    const { json } = await asked(routes, `PUT /opsapi/v1/server/group/${action}`);
    assert.deepEqual(json, { success: true, message: null });
  }
  const { did, node } = leader({ blocked: [{ node: "d1" }] });
  for (const question of questions) await answerGroupChange(node, question);
  assert.deepEqual(did, [
    ["d1", true],
    ["d1", false],
  ]);
  assert.throws(() => answerGroupChange(node, { name: "blockNode", parameters: { node: 1 } }), /FIELD_INVALID/);
  assert.equal(answerGroupChange(node, { name: "offList", parameters: {} }), undefined);
});
