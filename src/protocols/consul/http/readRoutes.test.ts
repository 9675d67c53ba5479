// The rows that the paths of the catalogue and of health choose.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { anInstance } from "../../../model/testing/instances.ts";
import { ConsulScene } from "../testing/scene.ts";

const check = (id: string, status: string, serviceId = "") => ({
  ...{ CheckID: id, Name: id, Status: status, ServiceID: serviceId },
});

/** Three instances of web on two nodes, one with a warning, one on a critical node; sidecars; a foreign instance. */
async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  const put = async (body: object) => assert.equal((await scene.ask("PUT /catalog/register", body)).text, "true");
  const n1 = { Node: "n1", Address: "10.0.0.1", NodeMeta: { rack: "r1", os: "a:b" } };
  const n2 = { Node: "n2", Address: "10.0.0.2", NodeMeta: { rack: "r2" }, Check: check("disk", "critical") };
  const web = (id: string, tags: readonly string[]) => ({ Service: { Service: "web", ID: id, Tags: tags } });
  await put({ ...n1, ...web("web-1", ["Blue", "v1"]), Check: check("w1", "passing", "web-1") });
  await put({ ...n1, ...web("web-2", ["blue"]), Check: check("w2", "warning", "web-2") });
  await put({ ...n2, ...web("web-3", ["green"]) });
  const proxy = { DestinationServiceName: "web" };
  await put({ ...n1, Service: { Service: "web-proxy", Kind: "connect-proxy", Proxy: proxy } });
  await put({
    ...n1,
    Service: { Service: "other-proxy", Kind: "connect-proxy", Proxy: { DestinationServiceName: "x" } },
  });
  await put({ ...n1, Service: { Service: "native", Connect: { Native: true } } });
  scene.listed("foreign", [anInstance({ host: "10.0.0.3", isHealthy: false })]);
  return scene;
}

type Fields = Record<string, unknown>;

/** What tells one row from another. */
function nameOf(row: Fields): unknown {
  const service = row["Service"] as Fields | undefined;
  return row["CheckID"] ?? row["ServiceID"] ?? service?.["ID"] ?? row["Node"] ?? row["ID"];
}

const ROWS: readonly [path: string, names: readonly string[]][] = [
  ["/catalog/service/web", ["web-1", "web-2", "web-3"]],
  ["/catalog/service/none", []],
  ["/catalog/service/web?tag=BLUE", ["web-1", "web-2"]],
  ["/catalog/service/web?tag=red", []],
  ["/catalog/service/web?node-meta=rack:r2", ["web-3"]],
  ["/catalog/service/web?node-meta=os:a:b", ["web-1", "web-2"]],
  ["/catalog/service/web?node-meta=none:", []],
  ["/catalog/service/web?filter=ServiceTags+contains+v1", ["web-1"]],
  ["/catalog/connect/web", ["web-proxy"]],
  ["/catalog/connect/native", ["native"]],
  ["/catalog/connect/web-proxy", []],
  ["/catalog/nodes", ["10.0.0.3", "n1", "n2", "roster"]],
  ["/catalog/nodes?node-meta=rack:r1", ["n1"]],
  ["/health/service/web", ["web-1", "web-2", "web-3"]],
  ["/health/service/web?passing", ["web-1"]],
  ["/health/service/web?passing=false", ["web-1", "web-2", "web-3"]],
  ["/health/service/foreign", ["10.0.0.3:foreign:8080"]],
  ["/health/service/foreign?passing", []],
  ["/health/connect/web", ["web-proxy"]],
  ["/health/checks/web", ["w1", "w2"]],
  ["/health/node/n1", ["w1", "w2"]],
  ["/health/node/n2", ["disk"]],
  ["/health/node/none", []],
  ["/health/state/any", ["disk", "serfHealth", "service:10.0.0.3:foreign:8080", "w1", "w2"]],
  ["/health/state/any?node-meta=rack:r1", ["w1", "w2"]],
  ["/health/state/passing", ["serfHealth", "w1"]],
  ["/health/state/warning", ["w2"]],
  ["/health/state/critical", ["disk", "service:10.0.0.3:foreign:8080"]],
  ["/health/state/none", []],
  ["/health/ingress/web", []],
  // There are no peers, whose services these would be.
  ["/health/service/web?peer=p", []],
  ["/health/connect/web?peer=p", []],
  ["/health/state/any?peer=p", []],
  ["/catalog/service/consul?peer=p", []],
  ["/catalog/nodes?peer=p", []],
];

for (const [path, names] of ROWS) {
  test(`${path} has ${names.join(", ") || "nothing"}`, async (t) => {
    const scene = await open(t);
    const { status, json } = await scene.ask(`GET ${path}`);
    assert.equal(status, 200);
    assert.deepEqual((json as Fields[]).map(nameOf), names);
  });
}

const SERVICES: readonly [query: string, names: readonly string[]][] = [
  ["", ["consul", "foreign", "native", "other-proxy", "web", "web-proxy"]],
  ["?node-meta=rack:r2", ["web"]],
  ["?filter=ServiceTags+contains+green", ["web"]],
];

for (const [query, names] of SERVICES) {
  test(`/catalog/services${query} has ${names.join(", ")}`, async (t) => {
    const scene = await open(t);
    const { json } = await scene.ask(`GET /catalog/services${query}`);
    assert.deepEqual(Object.keys(json as Fields), names);
  });
}

test("the tags of a service are those of all its instances, each once", async (t) => {
  const scene = await open(t);
  const { json } = await scene.ask("GET /catalog/services");
  assert.deepEqual((json as Fields)["web"], ["Blue", "v1", "blue", "green"]);
});

test("a node has its services, by their ids or as a list, as the filter says", async (t) => {
  const scene = await open(t);
  const ask = async (path: string) => (await scene.ask(`GET /catalog/${path}`)).json as Fields | null;
  assert.deepEqual(Object.keys((await ask("node/n2"))?.["Services"] as Fields), ["web-3"]);
  const filtered = (await ask("node-services/n1?filter=Service+==+native"))?.["Services"] as Fields[];
  assert.deepEqual(filtered.map(nameOf), ["native"]);
  assert.equal(await ask("node/none"), null);
  assert.deepEqual(await ask("node-services/none"), { Node: null, Services: null });
});

test("usage counts nodes, names, instances and those of the mesh", async (t) => {
  const scene = await open(t);
  const { json } = await scene.ask("GET /operator/usage");
  assert.deepEqual((json as { Usage: Fields }).Usage["dc1"], {
    Nodes: 4,
    Services: 6,
    ServiceInstances: 8,
    ConnectServiceInstances: {
      "connect-native": 1,
      "api-gateway": 0,
      "connect-proxy": 2,
      "ingress-gateway": 0,
      "mesh-gateway": 0,
      "terminating-gateway": 0,
    },
    BillableServiceInstances: 5,
  });
});

const REFUSED: readonly [path: string, status: number, says: RegExp][] = [
  ["/health/service/web?passing=maybe", 400, /Invalid value for \?passing/],
  ["/catalog/service/web?node-meta=rack", 400, /Invalid node-meta/],
  ["/catalog/service/web?node-meta=:r1", 400, /Invalid node-meta/],
  ["/catalog/services?filter=ServiceTags", 500, /expression/],
  ["/catalog/nodes?dc=dc2", 500, /No path to datacenter/],
];

for (const [path, status, says] of REFUSED) {
  test(`${path} is refused with ${status}`, async (t) => {
    const scene = await open(t);
    const answer = await scene.ask(`GET ${path}`);
    assert.equal(answer.status, status);
    assert.match(answer.text, says);
  });
}
