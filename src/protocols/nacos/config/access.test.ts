// Every route and request about configurations asks before it does anything, and what a caller may not know is not
// there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { asked } from "../../../base/testing/asked.ts";
import { openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import type { ClientAccess } from "../../kit/clientAccess.ts";
import { OPEN_ACCESS } from "../../kit/clientAccess.ts";
import { accessBy, closedAccess } from "../../kit/testing/fakeAccess.ts";
import { routesLetIn } from "../../kit/testing/routesLetIn.ts";
import type { NacosEnvironment } from "../environment.ts";
import { openConfig } from "./config.ts";

async function scene() {
  const records = await openMemoryRecords();
  const silent = () => undefined;
  const part = (access: ClientAccess) =>
    openConfig({
      config: { nacosConfigBytesMax: 1_024, nacosConfigsMax: 100 },
      records,
      access,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      node: { id: "s.1", nowMs: () => 1_000, cluster: { nodes: () => [] } },
    } as unknown as NacosEnvironment);
  const open = part(OPEN_ACCESS);
  for (const dataId of ["mine", "theirs"]) {
    const query = { dataId, group: "g", content: `of ${dataId}` };
    assert.equal((await asked(open.routes, "POST /nacos/v1/cs/configs", { query })).text, "true");
  }
  return { part };
}

const QUERY = {
  ...{ dataId: "theirs", group: "g", groupName: "g", namespaceId: "public", namespaceName: "n", nid: "1", id: "1" },
  ...{ ip: "127.0.0.1", content: "x", ids: "1", config_detail: "x", customNamespaceId: "n", namespaceShowName: "n" },
  ...{ namespace: "n", "Listening-Configs": "theirs\u0002g\u0002\u0001" },
};

test("no route lets a caller in who may do nothing", async () => {
  const { part } = await scene();
  const { routes } = part(closedAccess());
  assert.ok(routes.length > 40);
  // They answer in the form of their version.
  const refusedHere = routes.map((route) => ({
    ...route,
    handle: (exchange: Parameters<typeof route.handle>[0]) => {
      const respond: typeof exchange.respond = (response) => {
        assert.equal(response.status, 403, `${route.method} ${route.path}: ${String(response.body)}`);
        assert.match(String(response.body), /PERMISSION_NEEDED/);
        exchange.respond(response);
      };
      route.handle({ ...exchange, respond });
    },
  }));
  await routesLetIn(refusedHere, () => ({ query: QUERY }));
  for (const query of [{ search: "blur" }, { delType: "ids", ids: "1" }]) {
    for (const method of ["GET", "DELETE"] as const) {
      const answer = await asked(routes, `${method} /nacos/v1/cs/configs`, { query });
      assert.ok(answer.status === 403 || answer.status === 400, answer.text);
    }
  }
});

test("a caller finds, lists and removes the configurations that it may, and no others", async () => {
  const { part } = await scene();
  const { routes } = part(accessBy((wish) => "about" in wish && JSON.stringify(wish.about).includes('"mine"')));
  const ask = (what: Parameters<typeof asked>[1], query: Record<string, string>) => asked(routes, what, { query });
  const list = await ask("GET /nacos/v3/admin/cs/config/list", { dataId: "", groupName: "" });
  assert.match(list.text, /"totalCount":1,.*mine/);
  assert.doesNotMatch(list.text, /theirs/);
  assert.match((await ask("GET /nacos/v1/cs/configs", { search: "blur", dataId: "*" })).text, /"totalCount":1,/);
  assert.doesNotMatch((await ask("GET /nacos/v3/admin/cs/history/configs", {})).text, /theirs/);
  // Judged one by one, whatever namespace the request names.
  const mine = { namespaceId: "mine", namespaceName: "mine" };
  for (const query of [mine, { namespaceId: "theirs", namespaceName: "theirs" }]) {
    await asked(part(OPEN_ACCESS).routes, "POST /nacos/v2/console/namespace", { query });
  }
  for (const path of ["/nacos/v2/console/namespace/list", "/nacos/v3/admin/core/namespace/list"]) {
    const namespaces = await ask(`GET ${path}`, mine);
    assert.deepEqual([/"mine"/.test(namespaces.text), /theirs|public/.test(namespaces.text)], [true, false], path);
  }
  const ids = { ids: "1,2,3,4,5,6" };
  assert.equal((await ask("DELETE /nacos/v3/admin/cs/config/batch", ids)).status, 200);
  const { routes: all } = part(OPEN_ACCESS);
  const left = await asked(all, "GET /nacos/v3/admin/cs/config/list", { query: {} });
  assert.match(left.text, /"totalCount":1,.*theirs/);
  assert.equal((await ask("GET /nacos/v1/cs/configs", { dataId: "theirs", group: "g" })).status, 403);
});
