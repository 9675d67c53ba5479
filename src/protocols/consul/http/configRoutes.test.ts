// Configuration entries: what is kept of them, when they change, and the services that those of gateways give them.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ConsulScene } from "../testing/scene.ts";

async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  return scene;
}

type Row = Record<string, unknown> & { readonly ModifyIndex: number };

const DEFAULTS = { Kind: "service-defaults", Name: "web", Protocol: "http", Meta: { owner: "a" } };

async function put(scene: ConsulScene, body: object, query = ""): Promise<string> {
  return (await scene.ask(`PUT /config${query}`, body)).text;
}

test("an entry is shown as it was written, with its indexes", async (t) => {
  const scene = await open(t);
  assert.equal(await put(scene, { ...DEFAULTS, CreateIndex: 7, ModifyIndex: 7 }), "true");
  const row = (await scene.ask("GET /config/service-defaults/web")).json as Row;
  const { CreateIndex, ModifyIndex, ...fields } = row;
  assert.deepEqual(fields, DEFAULTS);
  assert.equal(CreateIndex, ModifyIndex);
  assert.deepEqual((await scene.ask("GET /config/service-defaults")).json, [row]);
  assert.deepEqual((await scene.ask("GET /config/service-router")).json, []);
});

test("an entry that is written as it is keeps its index", async (t) => {
  const scene = await open(t);
  const written = async (fields: object) => {
    assert.equal(await put(scene, { ...DEFAULTS, ...fields }), "true");
    return (await scene.ask("GET /config/service-defaults/web")).json as Row;
  };
  const first = await written({});
  assert.deepEqual(await written({}), first);
  const { ModifyIndex, ...changed } = await written({ Protocol: "grpc" });
  assert.ok(ModifyIndex > first.ModifyIndex);
  assert.deepEqual(changed, { ...DEFAULTS, Protocol: "grpc", CreateIndex: first["CreateIndex"] });
});

test("with cas an entry changes and goes only from the index that is named", async (t) => {
  const scene = await open(t);
  const read = async () => (await scene.ask("GET /config/service-defaults/web")).json as Row | undefined;
  const remove = async (query: string) => (await scene.ask(`DELETE /config/service-defaults/web${query}`)).text;
  assert.equal(await put(scene, DEFAULTS, "?cas=9"), "false");
  assert.equal(await read(), undefined);
  assert.equal(await put(scene, DEFAULTS, "?cas=0"), "true");
  assert.equal(await put(scene, { ...DEFAULTS, Protocol: "tcp" }, "?cas=0"), "false");
  const index = (await read())?.ModifyIndex ?? 0;
  assert.equal(await remove(`?cas=${index - 1}`), "false");
  assert.equal((await read())?.["Protocol"], "http");
  assert.equal(await remove(`?cas=${index}`), "true");
  assert.equal(await remove(`?cas=${index}`), "false");
  assert.equal(await remove(""), "{}");
  assert.equal((await scene.ask("GET /config/service-defaults/web")).status, 404);
});

const NAMES: readonly [body: object, path: string, shown: object][] = [
  [{ kind: "proxy-defaults" }, "proxy-defaults/global", { Kind: "proxy-defaults", Name: "global" }],
  [{ Kind: "mesh", TLS: {} }, "mesh/mesh", { Kind: "mesh", TLS: {} }],
  [{ Kind: "exported-services" }, "exported-services/default", { Kind: "exported-services", Name: "default" }],
  [{ Kind: "tcp-route", Name: "a/b %ü" }, "tcp-route/a%2Fb%20%25%C3%BC", { Kind: "tcp-route", Name: "a/b %ü" }],
];

for (const [body, path, shown] of NAMES) {
  test(`the entry ${JSON.stringify(body)} is at ${path}`, async (t) => {
    const scene = await open(t);
    assert.equal(await put(scene, body), "true");
    const {
      CreateIndex: _created,
      ModifyIndex: _modified,
      ...row
    } = (await scene.ask(`GET /config/${path}`)).json as Row;
    assert.deepEqual(row, shown);
  });
}

const REFUSED: readonly [what: string, body: object | string, status: number, text: RegExp][] = [
  ["of no kind", { Kind: "none", Name: "web" }, 400, /invalid config entry kind: none/],
  ["without a kind", { Name: "web" }, 400, /invalid config entry kind/],
  ["without a name", { Kind: "service-defaults" }, 500, /Name is required/],
  ["with a name that is not the only one", { Kind: "mesh", Name: "x" }, 500, /only "mesh" is supported/],
  ["with a name that is too long", { Kind: "service-defaults", Name: "x".repeat(201) }, 400, /200 characters/],
  ["with half a character in its name", '{"Kind": "tcp-route", "Name": "\\ud800"}', 400, /is a text/],
  ["that is a list", "[]", 400, /must be an object/],
  [
    "of a gateway with services that are none",
    { Kind: "ingress-gateway", Name: "g", Listeners: [3] },
    400,
    /Listeners/,
  ],
];

for (const [what, body, status, text] of REFUSED) {
  test(`an entry ${what} is refused`, async (t) => {
    const scene = await open(t);
    const answer = await scene.ask("PUT /config", body);
    assert.equal(answer.status, status);
    assert.match(answer.text, text);
  });
}

test("a read waits for the next change of an entry", async (t) => {
  const scene = await open(t);
  await put(scene, DEFAULTS);
  const { headers } = await scene.ask("GET /config/service-defaults");
  const waiting = scene.ask(`GET /config/service-defaults?index=${headers["x-consul-index"]}&wait=1m`);
  await put(scene, { ...DEFAULTS, Name: "api" });
  assert.equal(((await waiting).json as Row[]).length, 2);
});

test("a gateway has the services of its entry, and with a wildcard all others", async (t) => {
  const scene = await open(t);
  const of = async (path: string) => (await scene.ask(`GET /catalog/gateway-services/${path}`)).json as Row[];
  await scene.ask("PUT /agent/service/register", { Name: "redis" });
  await scene.ask("PUT /agent/service/register", { Name: "proxy", Kind: "connect-proxy", Proxy: {} });
  assert.deepEqual(await of("out"), []);
  const services = [
    { Name: "*", SNI: "all" },
    { Name: "api", CAFile: "ca", Hosts: ["ignored"] },
  ];
  await put(scene, { Kind: "terminating-gateway", Name: "out", Services: services });
  const listener = (port: number, ...names: string[]) => ({ Port: port, Services: names.map((Name) => ({ Name })) });
  const listeners = [{ ...listener(80, "web"), Protocol: "HTTP" }, listener(90, "api")];
  await put(scene, { Kind: "ingress-gateway", Name: "in", Listeners: listeners });
  const terminating = { Gateway: { Name: "out" }, GatewayKind: "terminating-gateway" };
  assert.deepEqual(await of("out"), [
    { ...terminating, Service: { Name: "api" }, CAFile: "ca" },
    { ...terminating, Service: { Name: "redis" }, SNI: "all", FromWildcard: true },
  ]);
  const ingress = { Gateway: { Name: "in" }, GatewayKind: "ingress-gateway" };
  assert.deepEqual(await of("in"), [
    { ...ingress, Service: { Name: "api" }, Port: 90, Protocol: "tcp" },
    { ...ingress, Service: { Name: "web" }, Port: 80, Protocol: "http" },
  ]);
});

test("the health of the ingress of a service is that of the gateways that have it", async (t) => {
  const scene = await open(t);
  const of = async (name: string) => {
    const rows = (await scene.ask(`GET /health/ingress/${name}?passing`)).json as { Service: { ID: string } }[];
    return rows.map(({ Service }) => Service.ID);
  };
  await scene.ask("PUT /agent/service/register", { Name: "in", Kind: "ingress-gateway" });
  await scene.ask("PUT /agent/service/register", { Name: "in", ID: "no-gateway" });
  assert.deepEqual(await of("web"), []);
  await put(scene, { Kind: "ingress-gateway", Name: "in", Listeners: [{ Port: 80, Services: [{ Name: "web" }] }] });
  assert.deepEqual(await of("web"), ["in"]);
  assert.deepEqual(await of("api"), []);
});

test("the services of a gateway change with its entry for those who wait", async (t) => {
  const scene = await open(t);
  await scene.ask("PUT /agent/service/register", { Name: "redis" });
  const { headers } = await scene.ask("GET /catalog/gateway-services/in");
  const waiting = scene.ask(`GET /catalog/gateway-services/in?index=${headers["x-consul-index"]}&wait=1m`);
  await put(scene, { Kind: "ingress-gateway", Name: "in", Listeners: [{ Port: 80, Services: [{ Name: "web" }] }] });
  assert.equal(((await waiting).json as Row[]).length, 1);
});
