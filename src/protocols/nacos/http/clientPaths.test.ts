import assert from "node:assert/strict";
import { test } from "node:test";
import { asked } from "../../../base/testing/asked.ts";
import { closedAccess } from "../../kit/testing/fakeAccess.ts";
import { clientPaths } from "./clientPaths.ts";
import { routesOf } from "./forms.ts";

test("no path of clients lets a caller in who may not read", async () => {
  const never = () => assert.fail("a caller who is refused is told nothing");
  const parts = { registry: { step: never }, registrations: { registeredBy: never }, connected: never };
  const routes = routesOf(clientPaths(parts), { access: closedAccess(), nowMs: () => 1_000 });
  assert.equal(routes.length, 5);
  const query = { serviceName: "some", clientId: "1_a_2" };
  for (const { method, path } of routes) {
    assert.equal((await asked(routes, `${method} ${path}`, { query })).status, 403, path);
  }
});
