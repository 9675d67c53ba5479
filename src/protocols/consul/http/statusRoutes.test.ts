// The paths about the registry, whose servers a client of Consul takes for one.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AGENT, ConsulScene } from "../testing/scene.ts";

async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  return scene;
}

test("the agent names the leader that the cluster has", async (t) => {
  const scene = await open(t);
  const leader = (await scene.ask("GET /status/leader")).json;
  const { Stats, Member } = (await scene.ask("GET /agent/self")).json as { Stats: Stats; Member: object };
  assert.equal(Stats.consul.leader_addr, leader);
  assert.deepEqual((await scene.ask("GET /status/peers")).json, [leader]);
  assert.deepEqual((await scene.ask("GET /agent/members")).json, [Member]);
});

interface Stats {
  readonly consul: { readonly leader_addr: string };
}

test("the members of several datacenters have the name of theirs", async (t) => {
  const scene = await open(t);
  const [{ Name, Port }] = (await scene.ask("GET /agent/members?wan=1")).json as [{ Name: string; Port: number }];
  assert.deepEqual([Name, Port], [`${AGENT.name}.dc1`, 8302]);
});

test("one server is there, and it is well", async (t) => {
  const scene = await open(t);
  const { Healthy, Servers } = (await scene.ask("GET /operator/autopilot/health")).json as {
    Healthy: boolean;
    Servers: { Name: string; Leader: boolean; Healthy: boolean }[];
  };
  assert.deepEqual(
    [Healthy, Servers.map(({ Name, Leader, Healthy: isWell }) => [Name, Leader, isWell])],
    [true, [[AGENT.name, true, true]]],
  );
});

test("coordinates have an index, with which a client may wait", async (t) => {
  const scene = await open(t);
  const { json, headers } = await scene.ask("GET /coordinate/nodes");
  assert.deepEqual([json, headers["x-consul-index"]], [[], "1"]);
});

for (const [what, status] of [
  ["PUT /agent/token/default", 401],
  ["GET /operator/keyring", 500],
  ["DELETE /operator/raft/peer", 500],
  ["POST /operator/raft/transfer-leader", 500],
] as const) {
  test(`${what} is refused with ${status}`, async (t) => {
    const scene = await open(t);
    assert.equal((await scene.ask(what)).status, status);
  });
}
