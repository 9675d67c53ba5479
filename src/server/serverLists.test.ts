// The answers about a cluster's nodes to SOFARegistry's clients and tools, from the HTTP port of a session.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { getJson, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: TestClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

const at = (server: RunningServer) => ({ metaAddresses: [`127.0.0.1:${server.ports.node}`] });

function connect({ ports }: RunningServer, count: number): void {
  for (let number = 0; number < count; number++) {
    const client = new TestClient(() => ports.bolt);
    clients.push(client);
    client.subscribe("orders");
  }
}

test("every session tells clients how many each of the sessions has", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const [first, second] = [await nodes.start(["session"], at(meta)), await nodes.start(["session"], at(meta))];
  connect(first, 3);
  connect(second, 1);
  const [many, few] = [`127.0.0.1:${first.ports.bolt}?weight=3`, `127.0.0.1:${second.ports.bolt}?weight=1`];
  for (const { ports } of [first, second]) {
    const ask = async () => (await fetch(`http://127.0.0.1:${ports.http}/api/servers/queryWithWeight`)).text();
    await eventually(ask, (answer) => answer.split(";").sort().join() === [many, few].sort().join());
  }
});

test("a service's slot is answered with the hosts of its data nodes", async () => {
  const meta = await nodes.start(["meta"]);
  await nodes.start(["data"], { ...at(meta), advertiseNodeAddress: "localhost" });
  await nodes.start(["data"], { ...at(meta), advertiseNodeAddress: "localhost" });
  const session = await nodes.start(["session"], at(meta));
  const path = "/api/servers/slot?dataInfoId=a%23@%23b%23@%23c";
  const slot = await eventually(
    () => getJson<{ leader?: string; followers?: string[] }>(session.ports.http, path),
    ({ leader, followers }) => leader === "localhost" && followers?.length === 1,
  );
  assert.deepEqual(slot.followers, ["localhost"]);
});

test("clients of a zone are told its sessions, if their session is set so", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const set = { ...at(meta), sofaServerList: "zone" } as const;
  const first = await nodes.start(["session"], { ...set, zone: "Z1" });
  const second = await nodes.start(["session"], { ...set, zone: "Z2" });
  const query = async (path: string) =>
    (await fetch(`http://127.0.0.1:${first.ports.http}/api/servers/${path}`)).text();
  await eventually(
    () => query("query?zone=z2"),
    (list) => list === `127.0.0.1:${second.ports.bolt}`,
  );
  assert.equal(await query("query"), `127.0.0.1:${first.ports.bolt}`);
  assert.equal(await query("query?zone=Z3"), "");
  const all = JSON.parse(await query("dataCenter")) as string[];
  assert.equal(all.length, 2);
});
