import assert from "node:assert/strict";
import { test } from "node:test";
import { asked } from "../../../base/testing/asked.ts";
import { textOf } from "../../../base/text.ts";
import { brandServiceKey, clientId, nodeId } from "../../../model/ids.ts";
import { packBoxes } from "../../../model/payload.ts";
import { LEASE_KEEPER, type Publication, type Registration } from "../../../model/publication.ts";
import type { DatumView } from "../../kit/gateway.ts";
import { EMPTY_DATA } from "../../kit/testing/views.ts";
import { testRoutes } from "./testRoutes.ts";

const ORDERS = brandServiceKey("orders#@#I#@#G");
const OWNED: Publication = {
  serviceKey: ORDERS,
  registId: "r1",
  ...{ version: 3n, registeredMs: 50, zone: "Z1", appName: "" },
  owner: { session: nodeId("s1.a"), client: clientId("10.0.0.1:5_10.0.0.9:9600#7") },
  attributes: new Map(),
  payload: packBoxes([textOf("10.0.0.1:80")]),
};

function scene({ isOn = true, leads = true, publications = [OWNED] as readonly Publication[] } = {}) {
  const put: Publication[] = [];
  const removed: Registration[] = [];
  const datum: DatumView = {
    serviceKey: ORDERS,
    version: 7n,
    size: publications.length,
    publications: () => publications,
    publicationsAt: () => [],
  };
  const node = {
    ...EMPTY_DATA,
    datum: (key: string) => (key === ORDERS ? datum : undefined),
    leads: () => leads,
    nowMs: () => 99.5,
    putPublication: (publication: Publication) => void put.push(publication),
    removePublication: (registration: Registration) => void removed.push(registration),
  };
  const routes = testRoutes(node, { sofaTestApi: isOn, sofaChanges: "local" });
  const post = async (path: "delete" | "pub/add" | "pub/delete", body: object) => {
    const { json, refused } = await asked(routes, `POST /datum/api/${path}`, { body });
    assert.equal(refused, undefined);
    return json as { readonly success: boolean; readonly message: string };
  };
  return { post, put, removed };
}

const ADD = {
  dataInfoId: ORDERS,
  publisherRegisterId: "tried",
  publisherCell: "Z2",
  publisherDataBox: "10.0.0.7:80",
  publisherConnectId: "10.0.0.7:1_10.0.0.9:9600",
};

test("the paths are off unless they are switched on, and then change nothing", async () => {
  const { post, put, removed } = scene({ isOn: false });
  for (const path of ["delete", "pub/add", "pub/delete"] as const) {
    assert.deepEqual(await post(path, ADD), { success: false, message: "This api is disabled" });
  }
  assert.deepEqual([put, removed], [[], []]);
});

test("an added publisher is kept by a lease of half a minute, under the connection that is named", async () => {
  const { post, put } = scene();
  assert.equal((await post("pub/add", { ...ADD, publisherVersion: 4, publisherRegisterTimestamp: 60 })).success, true);
  const [{ attributes, payload, ...publication }] = put as [Publication];
  assert.deepEqual(publication, {
    serviceKey: ORDERS,
    registId: "tried",
    version: 4n,
    registeredMs: 60,
    owner: { session: LEASE_KEEPER, client: "10.0.0.7:1_10.0.0.9:9600" },
    zone: "Z2",
    appName: "",
    lease: { removedAfterMs: 30_000 },
  });
  assert.deepEqual(payload, packBoxes([textOf("10.0.0.7:80")]));
  const { publisherConnectId, ...without } = ADD;
  await post("pub/add", without);
  assert.equal(put[1]?.owner.client, OWNED.owner.client, "that of the first publisher");
  assert.deepEqual([put[1]?.version, put[1]?.registeredMs], [0n, 99]);
  const again = scene({ publications: [{ ...OWNED, registId: "tried", attributes }] });
  assert.equal((await again.post("pub/add", ADD)).success, true);
  assert.equal(again.put.length, 1);
});

for (const [what, changes, message] of [
  ["without a service", { dataInfoId: "" }, /FIELD_INVALID.*dataInfoId/],
  ["to a service that has never been", { dataInfoId: "x#@#I#@#G" }, /datum not found/],
  ["without a registerId", { publisherRegisterId: null }, /FIELD_INVALID.*publisherRegisterId/],
  ["with an empty registerId", { publisherRegisterId: "" }, /FIELD_INVALID.*publisherRegisterId/],
  ["with the registerId of a client", { publisherRegisterId: "r1" }, /FIELD_INVALID.*no client has/],
  ["without a zone", { publisherCell: null }, /FIELD_INVALID.*publisherCell/],
  ["without data", { publisherDataBox: undefined }, /FIELD_INVALID.*publisherDataBox/],
  ["with one end of a connection", { publisherConnectId: "10.0.0.7:1" }, /FIELD_INVALID.*clientIp:clientPort_/],
  ["with nonsense for a connection", { publisherConnectId: "a_b" }, /FIELD_INVALID.*clientIp:clientPort_/],
  ["to another data center", { dataCenter: "elsewhere" }, /datum not found by dataCenter=elsewhere/],
] as const) {
  test(`a publisher ${what} is not added, and the answer says why`, async () => {
    const { post, put } = scene();
    const { success, message: told } = await post("pub/add", { ...ADD, ...changes });
    assert.equal(success, false);
    assert.match(told, message);
    assert.deepEqual(put, []);
  });
}

test("a service without publishers needs the connection of an added one", async () => {
  const { post } = scene({ publications: [] });
  assert.match(
    (await post("pub/add", { ...ADD, publisherConnectId: null })).message,
    /FIELD_INVALID.*publisherConnectId/,
  );
  assert.equal((await post("pub/add", ADD)).success, true);
});

test("a publisher is removed by its registerId, or all of a service", async () => {
  const { post, removed } = scene();
  assert.equal((await post("pub/delete", { dataInfoId: ORDERS, publisherRegisterId: "r1" })).success, true);
  assert.equal((await post("delete", { dataInfoId: ORDERS })).success, true);
  assert.deepEqual(removed, [OWNED, OWNED]);
  const unknown = await post("pub/delete", { dataInfoId: ORDERS, publisherRegisterId: "r2" });
  assert.match(unknown.message, /FIELD_INVALID.*r2/);
});

test("a node that only follows the slot changes nothing", async () => {
  const { post, put, removed } = scene({ leads: false });
  for (const path of ["delete", "pub/add"] as const) {
    assert.deepEqual(await post(path, ADD), {
      success: false,
      message: "another data node leads the slot of this service",
    });
  }
  assert.deepEqual([put, removed], [[], []]);
});
