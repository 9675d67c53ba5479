// No answer has anything that a policy hides from its caller: each path answers as if the hidden services, machines,
// checks, keys, sessions and events were not there.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { parseServiceKey } from "../../model/serviceKey.ts";
import { anInstance } from "../../model/testing/instances.ts";
import type { ClientWish } from "../kit/clientAccess.ts";
import { closedAccess } from "../kit/testing/fakeAccess.ts";
import { routesLetIn } from "../kit/testing/routesLetIn.ts";
import { ConsulScene, type SceneCaller } from "./testing/scene.ts";

/** The name of the service, node, key, event, configuration entry or prepared query of a wish. */
function nameIn(wish: ClientWish): string {
  if (!("about" in wish)) return "";
  return typeof wish.about === "string"
    ? parseServiceKey(wish.about).name
    : wish.about.name.replace(/^(event|service-defaults|ingress-gateway)\//, "");
}

/** A caller that may do nothing with services, nodes, keys and events whose names begin with "pay". */
const WITHOUT_PAY: SceneCaller = { isAllowed: (wish) => !nameIn(wish).startsWith("pay") };

async function register(scene: ConsulScene, name: string): Promise<void> {
  const check = { CheckID: `${name}-up`, TTL: "1m", Status: "passing" };
  const { status, text } = await scene.ask("PUT /agent/service/register", { Name: name, Check: check });
  assert.equal(status, 200, text);
}

async function put(scene: ConsulScene, node: object, name?: string): Promise<void> {
  const service = name === undefined ? {} : { Service: { Service: name, Port: 80, Connect: { Native: true } } };
  assert.equal((await scene.ask("PUT /catalog/register", { ...node, ...service })).text, "true");
}

async function newSession(scene: ConsulScene, body: object): Promise<string> {
  const { json, text } = await scene.ask("PUT /session/create", { LockDelay: "0s", ...body });
  assert.ok(typeof json === "object" && json !== null && "ID" in json, text);
  return String(json.ID);
}

const BOTH = { Node: "both", Address: "10.0.0.1" };
const nodeCheck = (id: string) => ({ Check: { CheckID: id, Name: id, Status: "passing" } });

/** A scene with the service shop, at the agent and on the node `both`, and a node without services. */
async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  await register(scene, "shop");
  await put(scene, { ...BOTH, ...nodeCheck("both-disk") }, "shop");
  await put(scene, { Node: "empty", Address: "10.0.0.2" });
  await scene.ask("PUT /agent/check/register", { Name: "agent-disk", TTL: "1m", Status: "passing" });
  await scene.ask("PUT /kv/shop/open", "x");
  const id = await newSession(scene, { Name: "of-shop", Checks: ["serfHealth", "shop-up"] });
  assert.equal((await scene.ask(`PUT /kv/shop/lock?acquire=${id}`)).text, "true");
  await scene.ask("PUT /event/fire/shopping", "x");
  return scene;
}

/** Adds all that is hidden: some of it on the agent and a node that are not, some on machines of its own. */
async function hide(scene: ConsulScene): Promise<{ readonly locking: string; readonly checked: string }> {
  await register(scene, "pay");
  await put(scene, { ...BOTH, Checks: [{ CheckID: "pay-both", ServiceID: "pay", Status: "passing" }] }, "pay");
  await put(scene, { Node: "vault", Address: "10.6.6.6", ...nodeCheck("vault-disk") }, "pay");
  await put(scene, { Node: "pay-empty", Address: "10.6.6.7", ...nodeCheck("empty-disk") });
  scene.listed("pay-foreign", [anInstance({ host: "10.6.6.8" })]);
  await scene.ask("PUT /kv/pay/secret", "x");
  const locking = await newSession(scene, { Name: "locks-pay" });
  assert.equal((await scene.ask(`PUT /kv/pay/lock?acquire=${locking}`, "x")).text, "true");
  const checked = await newSession(scene, { Name: "of-pay", Checks: ["serfHealth", "pay-up"] });
  await scene.ask("PUT /event/fire/payday", "x");
  await scene.ask("PUT /config", { Kind: "service-defaults", Name: "pay" });
  await scene.ask("PUT /agent/service/register", { Name: "pay-gate", Kind: "ingress-gateway" });
  const listeners = [{ Port: 80, Services: [{ Name: "pay" }] }];
  for (const gate of ["gate", "pay-gate"])
    await scene.ask("PUT /config", { Kind: "ingress-gateway", Name: gate, Listeners: listeners });
  await scene.ask("POST /query", { Name: "pay", Service: { Service: "shop" } });
  return { locking, checked };
}

const GET_TREE = [{ KV: { Verb: "get-tree", Key: "" } }];

/** Paths that answer a caller that may see everything differently once there is something to hide. */
const READS: readonly (readonly [what: string, body?: object])[] = [
  ["GET /agent/services"],
  ["GET /agent/checks"],
  ["GET /agent/service/pay"],
  ["GET /agent/health/service/name/pay"],
  ["GET /agent/health/service/id/pay"],
  ["GET /catalog/services"],
  ["GET /catalog/nodes"],
  ["GET /catalog/service/pay"],
  ["GET /catalog/connect/pay"],
  ["GET /catalog/node/both"],
  ["GET /catalog/node/vault"],
  ["GET /catalog/node/pay-empty"],
  ["GET /catalog/node/10.6.6.8"],
  ["GET /catalog/node-services/both"],
  ["GET /catalog/node-services/vault"],
  ["GET /health/service/pay"],
  ["GET /health/service/pay?passing"],
  ["GET /health/connect/pay"],
  ["GET /health/checks/pay"],
  ["GET /health/node/both"],
  ["GET /health/node/vault"],
  ["GET /health/node/pay-empty"],
  ["GET /health/node/10.6.6.8"],
  ["GET /health/state/any"],
  ["GET /health/state/passing"],
  ["GET /operator/usage"],
  ["GET /kv/pay/secret"],
  ["GET /kv/pay/secret?raw"],
  ["GET /kv/?recurse"],
  ["GET /kv/?keys&separator=/"],
  ["PUT /txn", GET_TREE],
  ["GET /session/list"],
  ["GET /session/node/roster"],
  ["PUT /session/create", { Checks: ["pay-up"] }],
  ["GET /event/list"],
  ["GET /config/service-defaults"],
  ["GET /config/service-defaults/pay"],
  ["GET /catalog/gateway-services/gate"],
  ["GET /catalog/gateway-services/pay-gate"],
  ["GET /health/ingress/pay"],
  ["GET /query"],
  ["GET /query/pay/explain"],
];

for (const [what, body] of READS) {
  test(`${what} answers a caller from which something is hidden as if it were not there`, async (t) => {
    const scene = await open(t);
    const seen = async (caller?: SceneCaller) => {
      const { status, text } = await scene.ask(what, body, caller);
      return { status, text };
    };
    const before = await seen(WITHOUT_PAY);
    await hide(scene);
    assert.deepEqual(await seen(WITHOUT_PAY), before);
    assert.notDeepEqual(await seen(), before);
  });
}

for (const what of ["GET /health/service/pay", "GET /catalog/service/pay", "GET /kv/pay/secret"]) {
  test(`${what} has no index by which a caller could know that it is there`, async (t) => {
    const scene = await open(t);
    const indexOf = async () => (await scene.ask(what, undefined, WITHOUT_PAY)).headers["x-consul-index"];
    const before = await indexOf();
    assert.equal(before, "2");
    await hide(scene);
    assert.equal(await indexOf(), before);
    assert.notEqual((await scene.ask(what)).headers["x-consul-index"], before);
  });
}

test("a service whose name no service can have is not there", async (t) => {
  const scene = await open(t);
  for (const name of ["%00", "a%23@%23b", "x".repeat(2_000)]) {
    const { text, headers } = await scene.ask(`GET /health/service/${name}`);
    assert.deepEqual([text, headers["x-consul-index"]], ["[]", "2"]);
  }
});

test("a session is hidden with the keys that it has locked, and with its checks", async (t) => {
  const scene = await open(t);
  for (const id of Object.values(await hide(scene))) {
    assert.deepEqual((await scene.ask(`GET /session/info/${id}`, undefined, WITHOUT_PAY)).json, []);
    assert.equal((await scene.ask(`PUT /session/renew/${id}`, undefined, WITHOUT_PAY)).status, 404);
    assert.equal((await scene.ask(`PUT /session/renew/${id}`)).status, 200);
  }
  const [own] = (await scene.ask("GET /session/list", undefined, WITHOUT_PAY)).json as { ID: string; Name: string }[];
  assert.equal(own?.Name, "of-shop");
  assert.equal((await scene.ask(`PUT /session/renew/${own?.ID}`, undefined, WITHOUT_PAY)).status, 200);
  assert.equal((await scene.ask(`PUT /session/destroy/${own?.ID}`, undefined, WITHOUT_PAY)).text, "true");
});

test("a caller that may not change a key neither ends its session nor removes it with others", async (t) => {
  const scene = await open(t);
  const { locking } = await hide(scene);
  const changes: readonly (readonly [what: string, body?: object])[] = [
    [`PUT /session/destroy/${locking}`],
    ["PUT /txn", [{ Session: { Verb: "delete", Session: { ID: locking } } }]],
    ["PUT /txn", [{ KV: { Verb: "delete-tree", Key: "" } }]],
    ["DELETE /kv/?recurse"],
  ];
  const keys = async () => (await scene.ask("GET /kv/?keys")).json;
  const before = await keys();
  for (const [what, body] of changes) {
    const { refused } = await scene.ask(what, body, WITHOUT_PAY);
    assert.ok(refused instanceof RegistryError && refused.code === "PERMISSION_NEEDED", what);
  }
  assert.deepEqual(await keys(), before);
  assert.equal((await scene.ask(`GET /session/info/${locking}`)).text.includes(locking), true);
});

test("the checks of nodes are hidden from a caller that may not list nodes, but decide about services", async (t) => {
  const scene = await open(t);
  const isOfNode = (wish: ClientWish) =>
    "about" in wish && typeof wish.about === "string" && parseServiceKey(wish.about).namespace === "consul-nodes";
  const withoutNodes: SceneCaller = { isAllowed: (wish) => !isOfNode(wish) };
  const seen = async (what: string) => (await scene.ask(what, undefined, withoutNodes)).text;
  assert.match((await scene.ask("GET /health/state/any")).text, /both-disk.*agent-disk/);
  for (const what of [
    "GET /agent/checks",
    "GET /health/node/both",
    "GET /health/node/roster",
    "GET /health/state/any",
  ]) {
    const text = await seen(what);
    assert.match(text, /shop|\[\]/);
    assert.doesNotMatch(text, /disk/, what);
  }
  assert.match(await seen("GET /health/node/roster"), /serfHealth/);
  assert.match(await seen("GET /catalog/nodes"), /both/);
  assert.doesNotMatch(await seen("GET /catalog/nodes"), /empty/);
  assert.match(await seen("GET /health/service/shop"), /both-disk/);
});

test("a caller that may list one service sees the registry itself beside it, with its node", async (t) => {
  const scene = await open(t);
  const onlyShop: SceneCaller = { isAllowed: (wish) => nameIn(wish) === "shop" };
  const seen = async (what: string) => (await scene.ask(what, undefined, onlyShop)).json;
  assert.deepEqual(Object.keys((await seen("GET /catalog/services")) as object), ["consul", "shop"]);
  const nodes = (await seen("GET /catalog/nodes")) as { Node: string }[];
  assert.deepEqual(
    nodes.map(({ Node }) => Node),
    ["both", "roster"],
  );
});

test("no path lets a caller in who may do nothing, but for those that tell nothing of clients", async (t) => {
  const scene = await open(t);
  const letIn = await routesLetIn(scene.routesBy(closedAccess()));
  assert.deepEqual(letIn, ["GET /v1/catalog/datacenters"]);
});
