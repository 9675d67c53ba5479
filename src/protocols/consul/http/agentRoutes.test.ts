// The agent's paths, and their effects on services and checks.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AGENT, ConsulScene } from "../testing/scene.ts";

async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  return scene;
}

const REGISTER = "PUT /agent/service/register";

/** The ids of the agent's services, each with its name. */
async function namesOf(scene: ConsulScene): Promise<Record<string, string>> {
  const { json } = await scene.ask("GET /agent/services");
  const rows = Object.values(json as Record<string, { ID: string; Service: string }>);
  return Object.fromEntries(rows.map(({ ID, Service }) => [ID, Service]));
}

/** The ids of the agent's checks, each with its status. */
async function checksOf(scene: ConsulScene): Promise<Record<string, string>> {
  const { json } = await scene.ask("GET /agent/checks");
  const rows = Object.values(json as Record<string, { CheckID: string; Status: string }>);
  return Object.fromEntries(rows.map(({ CheckID, Status }) => [CheckID, Status]));
}

test("an id that moves to another name stays with the agent, which takes it back", async (t) => {
  const scene = await open(t);
  await scene.ask(REGISTER, { Name: "old", ID: "moving" });
  await scene.ask(REGISTER, { Name: "new", ID: "moving" });
  assert.deepEqual(await namesOf(scene), { moving: "new" });
  assert.equal((await scene.ask("PUT /agent/service/deregister/moving")).status, 200);
  assert.deepEqual(await namesOf(scene), {});
  assert.deepEqual(scene.catalogue.service("new"), []);
});

const ADDRESSES: readonly [what: string, body: object, from: string, address: string][] = [
  ["names its address", { Address: "10.0.0.5" }, "10.0.0.6", "10.0.0.5"],
  ["is on another machine", {}, "10.0.0.6", "10.0.0.6"],
  ["is on another machine by IPv6", {}, "[2001:db8::6]", "2001:db8::6"],
  ["is on the agent's machine", {}, AGENT.address, ""],
  ["is on the agent's machine, by loopback", {}, "127.0.0.9", ""],
  ["is on the agent's machine, by loopback of IPv6", {}, "[::1]", ""],
];

for (const [what, body, from, address] of ADDRESSES) {
  test(`a service whose client ${what} has ${address === "" ? "the node's address" : address}`, async (t) => {
    const scene = await open(t);
    await scene.ask(REGISTER, { Name: "web", ...body }, { from });
    assert.equal(scene.catalogue.service("web")[0]?.definition.address, address);
  });
}

test("tagged addresses are shown in Consul's words, however they were worded", async (t) => {
  const scene = await open(t);
  const addresses = { lan: { address: "10.0.0.5", port: 80 }, wan_ipv4: { Address: "1.2.3.4" } };
  await scene.ask(REGISTER, { Name: "web", tagged_addresses: addresses });
  const { web } = (await scene.ask("GET /agent/services")).json as { web: { TaggedAddresses: unknown } };
  assert.deepEqual(web.TaggedAddresses, {
    lan: { Address: "10.0.0.5", Port: 80 },
    wan_ipv4: { Address: "1.2.3.4", Port: 0 },
  });
});

for (const addresses of [
  "10.0.0.5",
  ["10.0.0.5"],
  { lan: "10.0.0.5" },
  { lan: { Port: "80" } },
  { lan: { Port: 1.5 } },
]) {
  test(`tagged addresses like ${JSON.stringify(addresses)} are refused`, async (t) => {
    const scene = await open(t);
    const { status } = await scene.ask(REGISTER, { Name: "web", TaggedAddresses: addresses });
    assert.equal(status, 400);
  });
}

const CHECKS: readonly [what: string, body: object, checks: Record<string, string>][] = [
  ["none", {}, { kept: "passing" }],
  ["one", { Check: { TTL: "1m" } }, { kept: "passing", "service:web": "critical" }],
  ["a list of one", { Checks: [{ TTL: "1m" }] }, { kept: "passing", "service:web": "critical" }],
  [
    "one and a list",
    { Check: { TTL: "1m" }, Checks: [{ TTL: "1m", Status: "passing" }] },
    { kept: "passing", "service:web:1": "critical", "service:web:2": "passing" },
  ],
];

for (const [what, body, checks] of CHECKS) {
  test(`a service that is registered again with ${what} keeps its checks, unless they are replaced`, async (t) => {
    const scene = await open(t);
    const kept = { Check: { CheckID: "kept", TTL: "1m", Status: "passing" } };
    await scene.ask(REGISTER, { Name: "web", ...kept });
    await scene.ask(REGISTER, { Name: "web", ...body });
    assert.deepEqual(await checksOf(scene), checks);
    await scene.ask(`${REGISTER}?replace-existing-checks`, { Name: "web" });
    assert.deepEqual(await checksOf(scene), {});
  });
}

test("checks of services and of the node are registered, reported and taken back", async (t) => {
  const scene = await open(t);
  await scene.ask(REGISTER, { Name: "web" });
  await scene.ask("PUT /agent/check/register", { Name: "own", ServiceID: "web", TTL: "1m" });
  await scene.ask("PUT /agent/check/register", { Name: "disk", TTL: "1m", Status: "warning" });
  assert.deepEqual(await checksOf(scene), { own: "critical", disk: "warning" });
  await scene.ask("PUT /agent/check/pass/own");
  await scene.ask("PUT /agent/check/fail/disk");
  assert.deepEqual(await checksOf(scene), { own: "passing", disk: "critical" });
  for (const id of ["own", "disk"]) assert.equal((await scene.ask(`PUT /agent/check/deregister/${id}`)).status, 200);
  assert.deepEqual(await checksOf(scene), {});
  assert.equal((await scene.ask("PUT /agent/check/deregister/own")).status, 404);
});

test("a check that nobody reports takes no reports", async (t) => {
  const scene = await open(t);
  await scene.ask(REGISTER, { Name: "web", Check: { CheckID: "tcp", TCP: "10.0.0.1:80", Interval: "10s" } });
  const { status, text } = await scene.ask("PUT /agent/check/pass/tcp");
  assert.equal(status, 500);
  assert.match(text, /"tcp" does not have associated TTL/);
});

test("maintenance of the agent begins and ends, with its reason", async (t) => {
  const scene = await open(t);
  assert.equal((await scene.ask("PUT /agent/maintenance")).status, 400);
  await scene.ask("PUT /agent/maintenance?enable=true&reason=later");
  const { json } = await scene.ask("GET /agent/checks");
  assert.equal((json as Record<string, { Notes: string }>)["_node_maintenance"]?.Notes, "later");
  await scene.ask("PUT /agent/maintenance?enable=false");
  assert.deepEqual(await checksOf(scene), {});
});

const HEALTH: readonly [status: string, maintenance: boolean, code: number, word: string][] = [
  ["passing", false, 200, "passing"],
  ["warning", false, 429, "warning"],
  ["critical", false, 503, "critical"],
  ["passing", true, 503, "maintenance"],
];

for (const [status, isInMaintenance, code, word] of HEALTH) {
  test(`the health of a service with a check that is ${status} is told as ${word}`, async (t) => {
    const scene = await open(t);
    await scene.ask(REGISTER, { Name: "web", ID: "web-1", Check: { TTL: "1m", Status: status } });
    if (isInMaintenance) await scene.ask("PUT /agent/service/maintenance/web-1?enable=true");
    for (const path of ["name/web", "id/web-1"]) {
      const { status: told, json, headers } = await scene.ask(`GET /agent/health/service/${path}`);
      const [row] = [json as { AggregatedStatus: string } | { AggregatedStatus: string }[]].flat();
      assert.deepEqual([told, row?.AggregatedStatus, headers["x-consul-reason"]], [code, word, word]);
      const plain = await scene.ask(`GET /agent/health/service/${path}?format=text`);
      assert.deepEqual([plain.status, plain.text], [code, word]);
    }
  });
}

test("the health of a service that is not there is critical, as its status says", async (t) => {
  const scene = await open(t);
  for (const [path, text] of [
    ["name/none", "[]"],
    ["id/none", "ServiceId none not found"],
  ]) {
    const { status, text: told, headers } = await scene.ask(`GET /agent/health/service/${path}`);
    assert.deepEqual([status, told, headers["x-consul-reason"]], [404, text, "critical"]);
  }
});

test("a question about a service waits by its hash until the service is another one", async (t) => {
  const scene = await open(t);
  await scene.ask(REGISTER, { Name: "web", Port: 80 });
  const { headers } = await scene.ask("GET /agent/service/web");
  const hash = headers["x-consul-contenthash"];
  const portOf = async (query: string) => {
    const { json } = await scene.ask(`GET /agent/service/web?${query}`);
    return (json as { Port: number }).Port;
  };
  assert.equal(await portOf("hash=another&wait=1m"), 80);
  let isOver = false;
  const waiting = portOf(`hash=${hash}&wait=1m`).finally(() => {
    isOver = true;
  });
  await scene.ask(REGISTER, { Name: "beside", Port: 80 });
  assert.equal(isOver, false);
  await scene.ask(REGISTER, { Name: "web", Port: 81 });
  assert.equal(await waiting, 81);
});
