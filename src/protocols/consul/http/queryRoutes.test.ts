// Prepared queries: their names and templates, what they choose, how long they live, and whose rights they have.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { RegistryError } from "../../../base/errors.ts";
import { parseServiceKey } from "../../../model/serviceKey.ts";
import type { ClientWish } from "../../kit/clientAccess.ts";
import { ConsulScene, type SceneCaller } from "../testing/scene.ts";

const check = (id: string, status: string) => ({ CheckID: id, Name: id, Status: status, ServiceID: id });

/** Instances of db on nodes of their own, by their ids: with a zone, metadata and tags, and each with a check. */
async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  const put = async (id: string, status: string, service: object) => {
    const node = { Node: `node-${id}`, Address: "10.0.0.1", NodeMeta: { rack: id } };
    const body = { ...node, Service: { Service: "db", ID: id, ...service }, Check: check(id, status) };
    assert.equal((await scene.ask("PUT /catalog/register", body)).text, "true");
  };
  await put("a", "passing", { Tags: ["Primary"], Meta: { zone: "east", version: "1" } });
  await put("b", "warning", { Tags: ["replica"], Meta: { zone: "west" } });
  await put("c", "critical", { Tags: ["replica", "old"], Meta: { zone: "east" } });
  await put("d", "passing", { Tags: ["replica"], Meta: { zone: "west" } });
  return scene;
}

/** A place of a template. */
function place(inner: string): string {
  return `\${${inner}}`;
}

async function create(scene: ConsulScene, body: object): Promise<string> {
  const { json, text } = await scene.ask("POST /query", body);
  assert.ok(typeof json === "object" && json !== null && "ID" in json, text);
  return String(json.ID);
}

interface Executed {
  readonly Service: string;
  readonly Nodes: readonly { readonly Service: { readonly ID: string } }[];
}

async function executed(scene: ConsulScene, name: string, caller?: SceneCaller): Promise<string[]> {
  const { json, text } = await scene.ask(`GET /query/${name}`, undefined, caller);
  assert.ok(typeof json === "object", text);
  return (json as Executed).Nodes.map(({ Service }) => Service.ID);
}

const CHOICES: readonly [what: string, service: object, ids: readonly string[]][] = [
  ["nothing else", {}, ["a", "b", "d"]],
  ["OnlyPassing", { OnlyPassing: true }, ["a", "d"]],
  ["IgnoreCheckIDs", { IgnoreCheckIDs: ["c"] }, ["a", "b", "c", "d"]],
  ["a tag", { Tags: ["PRIMARY"] }, ["a"]],
  ["a tag that may not be there", { Tags: ["!primary"] }, ["b", "d"]],
  ["two tags", { Tags: ["replica", "!old"], OnlyPassing: true }, ["d"]],
  ["metadata of the node", { NodeMeta: { rack: "b" } }, ["b"]],
  ["metadata of the service", { ServiceMeta: { version: "1" } }, ["a"]],
  ["metadata that is not there", { ServiceMeta: { version: "1", none: "" } }, []],
];

for (const [what, service, ids] of CHOICES) {
  test(`a query with ${what} shows ${ids.join(", ") || "nothing"}`, async (t) => {
    const scene = await open(t);
    const id = await create(scene, { Service: { Service: "db", ...service } });
    assert.deepEqual((await executed(scene, `${id}/execute`)).sort(), ids);
  });
}

test("a query is kept as it was written, without a token, and is changed and deleted by its id", async (t) => {
  const scene = await open(t);
  const id = await create(scene, { Name: "one", Token: "secret", Service: { Service: "db", Tags: ["x"] } });
  const [row] = (await scene.ask(`GET /query/${id}`)).json as Record<string, unknown>[];
  assert.deepEqual([row?.["Name"], row?.["Token"], row?.["ID"]], ["one", "", id]);
  assert.equal((await scene.ask(`PUT /query/${id}`, { Name: "two", Service: { Service: "db" } })).status, 200);
  assert.equal((await scene.ask("GET /query/one/execute")).status, 404);
  assert.equal((await executed(scene, "two/execute")).length, 3);
  assert.equal((await scene.ask(`PUT /query/${id}`, { Name: "two", Service: { Service: "none" } })).status, 200);
  assert.deepEqual(await executed(scene, "two/execute"), []);
  assert.equal((await scene.ask(`DELETE /query/${id}`)).status, 200);
  assert.deepEqual((await scene.ask("GET /query")).json, []);
  for (const what of [`GET /query/${id}`, "GET /query/two/execute", "GET /query/two/explain", `DELETE /query/${id}`])
    assert.equal((await scene.ask(what)).status, 404, what);
  assert.equal((await scene.ask(`PUT /query/${id}`, { Service: { Service: "db" } })).status, 404);
});

test("a name belongs to one query, until that has another one or is deleted", async (t) => {
  const scene = await open(t);
  const named = (Name: string) => ({ Name, Service: { Service: "db" } });
  const first = await create(scene, named("mine"));
  assert.match((await scene.ask("POST /query", named("mine"))).text, /aliases an existing query name/);
  const second = await create(scene, named("yours"));
  assert.equal((await scene.ask(`PUT /query/${second}`, named("mine"))).status, 500);
  await scene.ask(`PUT /query/${first}`, named("other"));
  assert.equal((await scene.ask(`PUT /query/${second}`, named("mine"))).status, 200);
  await scene.ask(`DELETE /query/${second}`);
  await create(scene, named("mine"));
  await create(scene, named("yours"));
});

test("the template with the longest beginning of a name decides, unless a query has the very name", async (t) => {
  const scene = await open(t);
  const template = { Type: "name_prefix_match" };
  const of = (Name: string, Service: string) => ({ Name, Template: template, Service: { Service } });
  await create(scene, of("", `any-${place("name.full")}`));
  await create(scene, of("geo-", place("name.suffix")));
  await create(scene, of("geo-db-", `${place("name.prefix")}x$${place("y")}`));
  await create(scene, { Name: "geo-db-1", Service: { Service: `exact-${place("name.full")}` } });
  const served = async (name: string) => ((await scene.ask(`GET /query/${name}/execute`)).json as Executed).Service;
  assert.equal(await served("web"), "any-web");
  assert.equal(await served("geo-db"), "db");
  assert.equal((await executed(scene, "geo-db/execute")).length, 3);
  assert.equal(await served("geo-db-2"), `geo-db-x${place("y")}`);
  assert.equal(await served("geo-db-1"), `exact-${place("name.full")}`);
  const { Query } = (await scene.ask("GET /query/geo-db/explain")).json as { Query: { Service: { Service: string } } };
  assert.equal(Query.Service.Service, "db");
});

test("a template leaves out tags that turn out empty, if it says so", async (t) => {
  const scene = await open(t);
  const of = (Name: string, RemoveEmptyTags: boolean) => ({
    ...{ Name, Template: { Type: "name_prefix_match", RemoveEmptyTags } },
    Service: { Service: "db", Tags: [place("name.suffix")] },
  });
  await create(scene, of("with-", false));
  await create(scene, of("without-", true));
  assert.deepEqual(await executed(scene, "with-/execute"), []);
  assert.equal((await executed(scene, "without-/execute")).length, 3);
  assert.deepEqual(await executed(scene, "without-primary/execute"), ["a"]);
});

const REFUSED: readonly [what: string, body: object, text: RegExp][] = [
  ["without a service", { Service: {} }, /Must provide a Service name/],
  ["with a template of no type", { Template: { Type: "x" }, Service: { Service: "db" } }, /unknown template type/],
  [
    "with a template that names nothing",
    { Template: { Type: "name_prefix_match" }, Service: { Service: place("match(1)") } },
    /names nothing/,
  ],
  [
    "with a pattern",
    { Template: { Type: "name_prefix_match", Regexp: "^(a)" }, Service: { Service: "db" } },
    /Regexp is not served/,
  ],
  ["of a session that is not there", { Session: "none", Service: { Service: "db" } }, /failed session lookup/],
  ["with a long name", { Name: "x".repeat(201), Service: { Service: "db" } }, /200 characters/],
];

for (const [what, body, text] of REFUSED) {
  test(`a query ${what} is refused`, async (t) => {
    const scene = await open(t);
    assert.match((await scene.ask("POST /query", body)).text, text);
  });
}

test("a query ends with its session, and its name is free at once", async (t) => {
  const scene = await open(t);
  const session = ((await scene.ask("PUT /session/create", {})).json as { ID: string }).ID;
  const body = { Name: "mine", Service: { Service: "db" } };
  const id = await create(scene, { ...body, Session: session });
  assert.equal((await executed(scene, "mine/execute")).length, 3);
  await scene.ask(`PUT /session/destroy/${session}`);
  assert.equal((await scene.ask(`GET /query/${id}`)).status, 404);
  assert.equal((await scene.ask("GET /query/mine/execute")).status, 404);
  const next = await create(scene, body);
  await scene.check();
  assert.deepEqual(await scene.recordsOf("query"), [next]);
  assert.equal((await executed(scene, "mine/execute")).length, 3);
});

test("what a query shows is near to the node that it or its client names", async (t) => {
  const scene = await open(t);
  const id = await create(scene, { Service: { Service: "db", Near: "node-b", IgnoreCheckIDs: ["c"] } });
  const nearB = await executed(scene, `${id}/execute`);
  assert.deepEqual(
    [nearB.slice(0, 2), nearB.slice(2).sort()],
    [
      ["b", "d"],
      ["a", "c"],
    ],
  );
  assert.deepEqual(await executed(scene, `${id}/execute?near=node-c&limit=2`), ["c", "a"]);
});

test("a query without nearness shows each instance first in its turn", async (t) => {
  const scene = await open(t);
  const id = await create(scene, { Service: { Service: "db" } });
  const first = new Set<string>();
  for (let turn = 0; turn < 50; turn++) first.add((await executed(scene, `${id}/execute?limit=1`)).join());
  assert.deepEqual([...first].sort(), ["a", "b", "d"]);
});

test("a list begins with what is on the node of near, and goes on with its zone", async (t) => {
  const scene = await open(t);
  const ids = async (path: string) => {
    const rows = (await scene.ask(`GET ${path}`)).json as { ServiceID?: string; Node: unknown }[];
    return rows.map(({ ServiceID, Node }) => ServiceID ?? Node);
  };
  assert.deepEqual(await ids("/catalog/service/db?near=node-d"), ["d", "b", "a", "c"]);
  assert.deepEqual(await ids("/health/checks/db?near=node-c"), ["c", "a", "b", "d"]);
  assert.deepEqual(await ids("/catalog/service/db?near=none"), ["a", "b", "c", "d"]);
  assert.deepEqual(await ids("/catalog/nodes?near=node-b"), ["node-b", "node-d", "node-a", "node-c", "roster"]);
  assert.deepEqual(await ids("/catalog/nodes?near=_agent"), ["roster", "node-a", "node-b", "node-c", "node-d"]);
});

/** The service of a wish, or the name of its value. */
function nameIn(wish: ClientWish): string {
  if (!("about" in wish)) return "";
  return typeof wish.about === "string" ? parseServiceKey(wish.about).name : wish.about.name;
}

test("a caller changes and sees the queries whose names it may, and runs any with its own rights", async (t) => {
  const scene = await open(t);
  const without = (name: string): SceneCaller => ({ isAllowed: (wish) => !nameIn(wish).startsWith(name) });
  const body = (Name: string) => ({ Name, Service: { Service: "db" } });
  const id = await create(scene, body("pay"));
  const open_ = await create(scene, body("open"));
  for (const [what, sent] of [
    ["POST /query", body("pay-2")],
    [`PUT /query/${id}`, body("free")],
    [`PUT /query/${open_}`, body("pay-3")],
    [`DELETE /query/${id}`, undefined],
  ] as const) {
    const { refused } = await scene.ask(what, sent, without("pay"));
    assert.ok(refused instanceof RegistryError && refused.code === "PERMISSION_NEEDED", what);
  }
  const seen = (await scene.ask("GET /query", undefined, without("pay"))).json as { Name: string }[];
  assert.deepEqual(
    seen.map(({ Name }) => Name),
    ["open"],
  );
  for (const what of [`GET /query/${id}`, "GET /query/pay/explain"])
    assert.equal((await scene.ask(what, undefined, without("pay"))).status, 404, what);
  assert.equal((await executed(scene, "pay/execute", without("pay"))).length, 3);
  assert.deepEqual(await executed(scene, "pay/execute", without("db")), []);
});
