// Every route of Eureka asks before it does anything, and what a caller may not see is not there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import { asked } from "../../base/testing/asked.ts";
import { anInstance } from "../../model/testing/instances.ts";
import type { ClientAccess } from "../kit/clientAccess.ts";
import { judgedRoutes } from "../kit/judgedRoutes.ts";
import { accessBy, closedAccess } from "../kit/testing/fakeAccess.ts";
import { routesLetIn } from "../kit/testing/routesLetIn.ts";
import { Applications } from "./applications.ts";
import { Bodies } from "./bodies.ts";
import { eurekaRoutes } from "./gatewayCode.ts";
import { readRoutes } from "./http/readRoutes.ts";
import { serviceKeyOf } from "./map.ts";
import { foreignPublication, listOf } from "./testing/publications.ts";

const compression = { gzip: (bytes: Uint8Array) => bytes, zstd: (bytes: Uint8Array) => bytes };

function routesBy(access: ClientAccess) {
  const step = () => assert.fail("a caller who is refused does not reach the registry");
  const readXml = () => assert.fail("the body of a caller who is refused is not read");
  const config = { serveEureka: true, dataCenter: "dc", zone: "" };
  const node = { nowMs: () => 1_000 } as Parameters<typeof eurekaRoutes>[0]["node"];
  const parts = { registry: { step }, access, budget: unlimitedBudget(), compression, readXml, config, node };
  return eurekaRoutes({ ...parts, later: (run) => run() }).table.routes;
}

test("no route lets a caller in who may do nothing", async () => {
  const access = closedAccess();
  const routes = routesBy(access);
  assert.ok(routes.length > 40);
  assert.deepEqual(await routesLetIn(routes), []);
  assert.deepEqual(new Set(access.reached), new Set(["list", "publish"]));
  // Servers name many applications in one request, each of which is judged.
  const published = routes.filter(({ asks, path }) => asks === "publish" && !path.includes("peerreplication"));
  assert.equal(access.wishes.length, published.length);
  assert.ok(access.wishes.every((wish) => wish.action === "publish" && wish.about === serviceKeyOf("some")));
});

/** The read routes of two applications, of which a caller may see the orders only. */
function partialScene() {
  const applications = new Applications();
  for (const [at, app] of ["orders", "stock"].entries()) {
    const serviceKey = serviceKeyOf(app);
    const publication = foreignPublication(anInstance({ host: `10.0.0.${at}`, metadata: new Map() }), { serviceKey });
    applications.set(serviceKey, listOf(publication), 2_000);
  }
  const shown = { applications, bodies: new Bodies(applications, compression) };
  const lists = {
    when: (_state: unknown, nowMs: number, then: (of: typeof shown, atMs: number) => void) => then(shown, nowMs),
  };
  const access = accessBy((wish) => "about" in wish && wish.about === serviceKeyOf("orders"));
  const routes = judgedRoutes(readRoutes({ lists, nowMs: () => 3_000 }), { access });
  const read = (path: string, params = {}) =>
    asked(routes, `GET ${path}`, { params, headers: { accept: "application/json" } });
  return { applications, read };
}

test("a caller sees the applications that it may list, with their own hash, and no others", async () => {
  const { read } = partialScene();
  for (const path of ["/eureka/apps", "/eureka/apps/delta"]) {
    const { text, json } = await read(path);
    assert.match(text, /ORDERS/);
    assert.doesNotMatch(text, /STOCK|10\.0\.0\.1/i, path);
    assert.equal((json as { applications: { apps__hashcode: string } }).applications.apps__hashcode, "UP_1_");
  }
});

test("an application, an instance and a virtual host that a caller may not list are not there", async () => {
  const { read, applications } = partialScene();
  const [id = ""] = [...(applications.find("stock")?.services.values() ?? [])].flatMap((listed) => [...listed.keys()]);
  assert.notEqual(id, "");
  assert.equal((await read("/eureka/apps/:app", { app: "ORDERS" })).status, 200);
  assert.equal((await read("/eureka/apps/:app", { app: "STOCK" })).status, 404);
  assert.equal((await read("/eureka/apps/:app/:id", { app: "STOCK", id })).status, 404);
  assert.equal((await read("/eureka/instances/:id", { id })).status, 404);
  for (const path of ["/eureka/vips/:vip", "/eureka/svips/:vip"]) {
    assert.doesNotMatch((await read(path, { vip: "stock" })).text, /STOCK/, path);
  }
});
