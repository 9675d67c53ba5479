// The changes that the paths of the catalogue make, and the rights that they ask for, condition by condition.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { RegistryError } from "../../../base/errors.ts";
import type { ClientWish } from "../../kit/clientAccess.ts";
import { nodeKeyOf, serviceKeyOf } from "../own.ts";
import { AGENT, ConsulScene } from "../testing/scene.ts";

const REGISTER = "PUT /catalog/register";
const DEREGISTER = "PUT /catalog/deregister";

const N1 = { Node: "n1", Address: "10.0.0.1", NodeMeta: { rack: "r1" } };

/** A check of the catalogue, of the node unless it names a service. */
function check(id: string, serviceId = "", status = "passing") {
  return { CheckID: id, Name: id, ServiceID: serviceId, Status: status };
}

/** A scene with the node n1, its check `disk`, and the services `pay-1` of pay and `shop-1` of shop, with checks. */
async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  for (const [name, id] of [
    ["pay", "pay-1"],
    ["shop", "shop-1"],
  ] as const) {
    const body = { ...N1, Service: { Service: name, ID: id, Port: 80 }, Check: check(`${id}-up`, id) };
    assert.equal((await scene.ask(REGISTER, body)).text, "true");
  }
  assert.equal((await scene.ask(REGISTER, { ...N1, Check: check("disk") })).text, "true");
  scene.persistent.changes.length = 0;
  return scene;
}

/** The state of a node. */
interface State {
  readonly address: string | undefined;
  readonly meta: unknown;
  readonly checks: readonly string[] | undefined;
  /** By their ids: the name of each, and its checks. */
  readonly services: Readonly<Record<string, readonly string[]>>;
}

function stateOf({ catalogue: { own } }: ConsulScene, name = "n1"): State {
  const node = own.node(name);
  const services = [...own.servicesOf(name).values()].map(({ service, kept }) => {
    const checks = kept.checks.map((state) => `${state.check.id} ${state.status}`);
    return [service.id, [service.name, ...checks]] as const;
  });
  return {
    address: node?.node.address,
    meta: node?.node.meta,
    checks: node?.kept.checks.map((state) => `${state.check.id} ${state.status}`),
    services: Object.fromEntries(services.sort()),
  };
}

const BEFORE = {
  address: "10.0.0.1",
  meta: { rack: "r1" },
  checks: ["disk passing"],
  services: { "pay-1": ["pay", "pay-1-up passing"], "shop-1": ["shop", "shop-1-up passing"] },
};

const MADE: readonly [what: string, path: string, body: object, changes: readonly string[], after: Partial<State>][] = [
  ["a node alone", REGISTER, { ...N1, Address: "10.0.0.2" }, ["put consul:n1"], { address: "10.0.0.2" }],
  ["a node without metadata", REGISTER, { Node: "n1", Address: "10.0.0.1" }, ["put consul:n1"], { meta: null }],
  [
    "a service on a node that is not to be updated",
    REGISTER,
    { Node: "n1", Address: "10.0.0.9", SkipNodeUpdate: true, Service: { Service: "new" } },
    ["put consul:n1/new"],
    { services: { ...BEFORE.services, new: ["new"] } },
  ],
  [
    "a check of a node that is not to be updated",
    REGISTER,
    { Node: "n1", Address: "10.0.0.9", SkipNodeUpdate: true, Check: check("load", "", "warning") },
    ["put consul:n1"],
    { checks: ["disk passing", "load warning"] },
  ],
  [
    "a service with a check of its own and one of its node",
    REGISTER,
    { ...N1, Service: { Service: "new", ID: "new-1" }, Checks: [check("own", "new-1"), check("load")] },
    ["put consul:n1", "put consul:n1/new-1"],
    { checks: ["disk passing", "load passing"], services: { ...BEFORE.services, "new-1": ["new", "own passing"] } },
  ],
  [
    "one check and a list of them",
    REGISTER,
    { ...N1, Check: check("load"), Checks: [check("heat")] },
    ["put consul:n1"],
    { checks: ["disk passing", "load passing", "heat passing"] },
  ],
  [
    "a check of a service that is there",
    REGISTER,
    { ...N1, Check: check("more", "pay-1", "critical") },
    ["put consul:n1", "put consul:n1/pay-1"],
    { services: { ...BEFORE.services, "pay-1": ["pay", "pay-1-up passing", "more critical"] } },
  ],
  [
    "a service with the check of another one",
    REGISTER,
    { ...N1, SkipNodeUpdate: true, Service: { Service: "new" }, Check: check("more", "pay-1") },
    ["put consul:n1/new", "put consul:n1/pay-1"],
    { services: { ...BEFORE.services, new: ["new"], "pay-1": ["pay", "pay-1-up passing", "more passing"] } },
  ],
  [
    "an id that was another service's",
    REGISTER,
    { ...N1, SkipNodeUpdate: true, Service: { Service: "new", ID: "pay-1" } },
    ["put consul:n1/pay-1", "remove consul:n1/pay-1"],
    { services: { ...BEFORE.services, "pay-1": ["new"] } },
  ],
  [
    "the same id of the same service",
    REGISTER,
    { ...N1, SkipNodeUpdate: true, Service: { Service: "pay", ID: "pay-1", Port: 81 } },
    ["put consul:n1/pay-1"],
    {},
  ],
  [
    "a service",
    DEREGISTER,
    { Node: "n1", ServiceID: "pay-1" },
    ["remove consul:n1/pay-1"],
    { services: { "shop-1": BEFORE.services["shop-1"] } },
  ],
  [
    "a service that is named with its check",
    DEREGISTER,
    { Node: "n1", ServiceID: "pay-1", CheckID: "pay-1-up" },
    ["remove consul:n1/pay-1"],
    { services: { "shop-1": BEFORE.services["shop-1"] } },
  ],
  [
    "a check of a service",
    DEREGISTER,
    { Node: "n1", CheckID: "pay-1-up" },
    ["put consul:n1/pay-1"],
    { services: { ...BEFORE.services, "pay-1": ["pay"] } },
  ],
  ["a check of a node", DEREGISTER, { Node: "n1", CheckID: "disk" }, ["put consul:n1"], { checks: [] }],
  ["a check that is not there", DEREGISTER, { Node: "n1", CheckID: "none" }, [], {}],
  ["a service that is not there", DEREGISTER, { Node: "n1", ServiceID: "none" }, [], {}],
  ["a node that is not there", DEREGISTER, { Node: "n2" }, [], {}],
  [
    "a node",
    DEREGISTER,
    { Node: "n1" },
    ["remove consul:n1/pay-1", "remove consul:n1/shop-1", "remove consul:n1"],
    { address: undefined, meta: undefined, checks: undefined, services: {} },
  ],
];

for (const [what, path, body, changes, after] of MADE) {
  test(`${path} of ${what} changes that and nothing else`, async (t) => {
    const scene = await open(t);
    const { status, text } = await scene.ask(path, body);
    assert.deepEqual([status, text], [200, "true"]);
    assert.deepEqual(scene.persistent.changes, changes);
    assert.deepEqual(stateOf(scene), { ...BEFORE, ...after });
  });
}

test("a check that is registered again takes the place of the one before", async (t) => {
  const scene = await open(t);
  const named = { ...check("disk"), Name: "another name" };
  await scene.ask(REGISTER, { ...N1, Checks: [named, check("load")] });
  const checks = scene.catalogue.own.node("n1")?.kept.registration.checks ?? [];
  assert.deepEqual(
    checks.map(({ id, name }) => [id, name]),
    [
      ["disk", "another name"],
      ["load", "load"],
    ],
  );
});

const SKIPPED = { SkipNodeUpdate: true };

const REFUSED: readonly [what: string, path: string, body: object, status: number, says: RegExp][] = [
  ["without a node", REGISTER, { Address: "10.0.0.1" }, 500, /Must provide Node and Address/],
  ["without an address", REGISTER, { Node: "n1" }, 500, /Must provide Node and Address/],
  ["with a slash in the node's name", REGISTER, { ...N1, Node: "a/b" }, 400, /Invalid node name/],
  ["with a name that is too long", REGISTER, { ...N1, Node: "n".repeat(256) }, 400, /Invalid node name/],
  ["of another datacenter", REGISTER, { ...N1, Datacenter: "dc2" }, 500, /No path to datacenter/],
  ["of another datacenter", DEREGISTER, { Node: "n1", Datacenter: "dc2" }, 500, /No path to datacenter/],
  ["without a node", DEREGISTER, { ServiceID: "pay-1" }, 500, /Must provide node/],
  [
    "of a check of a node without an address",
    REGISTER,
    { Node: "n2", ...SKIPPED, Check: check("disk") },
    500,
    /Must provide Node and Address/,
  ],
  [
    "of a service without an address on a node without one",
    REGISTER,
    { Node: "n2", ...SKIPPED, Service: { Service: "new" } },
    500,
    /Must provide Node and Address/,
  ],
  [
    "of a check of a service that is not there",
    REGISTER,
    { ...N1, ...SKIPPED, Check: check("up", "none") },
    500,
    /Missing service registration/,
  ],
];

for (const [what, path, body, status, says] of REFUSED) {
  test(`${path} ${what} is refused and changes nothing`, async (t) => {
    const scene = await open(t);
    const answer = await scene.ask(path, body);
    assert.equal(answer.status, status);
    assert.match(answer.text, says);
    assert.deepEqual(scene.persistent.changes, []);
  });
}

test("the longest name of a node is taken, and its own datacenter may be named", async (t) => {
  const scene = await open(t);
  const body = { ...N1, Node: "n".repeat(255), Datacenter: "dc1" };
  assert.equal((await scene.ask(REGISTER, body)).text, "true");
});

test("a service with an address of its own needs no node, and one on the agent's node no address", async (t) => {
  const scene = await open(t);
  const early = { Node: "n2", ...SKIPPED, Service: { Service: "new", Address: "10.0.0.3" } };
  assert.equal((await scene.ask(REGISTER, early)).text, "true");
  const beside = { Node: AGENT.name, ...SKIPPED, Service: { Service: "beside" } };
  assert.equal((await scene.ask(REGISTER, beside)).text, "true");
  assert.deepEqual(scene.persistent.changes, ["put consul:n2/new", `put consul:${AGENT.name}/beside`]);
  assert.equal(scene.catalogue.service("beside")[0]?.definition.nodeAddress, AGENT.address);
});

test("before the registrations have been read nothing is changed", async (t) => {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  scene.persistent.isKnown = false;
  for (const what of [REGISTER, DEREGISTER]) {
    const { status, text } = await scene.ask(what, N1);
    assert.deepEqual([status, text], [500, "No cluster leader"]);
  }
  assert.deepEqual(scene.persistent.changes, []);
});

const SHOP = serviceKeyOf("shop");
const PAY = serviceKeyOf("pay");
const NODE = nodeKeyOf("n1").serviceKey;

const ASKS: readonly [what: string, path: string, body: object, needs: readonly string[]][] = [
  ["a service on a node as it is known", REGISTER, { ...N1, Service: { Service: "shop", ID: "shop-1" } }, [SHOP]],
  [
    "a service, and another address of its node",
    REGISTER,
    { ...N1, Address: "10.6.6.6", Service: { Service: "shop", ID: "shop-1" } },
    [SHOP, NODE],
  ],
  [
    "a service, and other metadata of its node",
    REGISTER,
    { ...N1, NodeMeta: {}, Service: { Service: "shop", ID: "shop-1" } },
    [SHOP, NODE],
  ],
  [
    "a service that leaves its node alone",
    REGISTER,
    { Node: "n1", ...SKIPPED, Service: { Service: "shop", ID: "shop-1" } },
    [SHOP],
  ],
  [
    "a service with a check of its node",
    REGISTER,
    { ...N1, Service: { Service: "shop", ID: "shop-1" }, Check: check("disk") },
    [SHOP, NODE],
  ],
  ["a check of a node as it is known", REGISTER, { ...N1, Check: check("disk") }, [NODE]],
  ["a node that is new", REGISTER, { Node: "n2", Address: "10.0.0.2" }, [nodeKeyOf("n2").serviceKey]],
  ["a check of another service", REGISTER, { ...N1, Check: check("up", "pay-1") }, [PAY]],
  [
    "the id of another service",
    REGISTER,
    { Node: "n1", ...SKIPPED, Service: { Service: "shop", ID: "pay-1" } },
    [SHOP, PAY],
  ],
  ["a service", DEREGISTER, { Node: "n1", ServiceID: "shop-1" }, [SHOP]],
  ["a check of a service", DEREGISTER, { Node: "n1", CheckID: "shop-1-up" }, [SHOP]],
  ["a check of a node", DEREGISTER, { Node: "n1", CheckID: "disk" }, [NODE]],
  ["a node", DEREGISTER, { Node: "n1" }, [SHOP, PAY, NODE]],
];

for (const [what, path, body, needs] of ASKS) {
  test(`${path} of ${what} asks for all that it changes, and for no more`, async (t) => {
    const isOf = (keys: readonly string[]) => (wish: ClientWish) =>
      wish.action === "publish" && typeof wish.about === "string" && keys.includes(wish.about);
    for (const missing of needs) {
      const scene = await open(t);
      const others = [SHOP, PAY, NODE, ...needs].filter((key) => key !== missing);
      const { refused } = await scene.ask(path, body, { isAllowed: isOf(others) });
      assert.ok(refused instanceof RegistryError && refused.code === "PERMISSION_NEEDED", `without ${missing}`);
      assert.deepEqual(scene.persistent.changes, []);
    }
    const scene = await open(t);
    assert.equal((await scene.ask(path, body, { isAllowed: isOf(needs) })).text, "true");
  });
}
