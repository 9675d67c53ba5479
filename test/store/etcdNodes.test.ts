// Whole servers on a real etcd: a damaged record, an etcd that is away at the start, and several meta nodes.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { RegistryError } from "../../src/base/errors.ts";
import { eventually } from "../../src/server/testing/eventually.ts";
import { getStatus, operate, TestNodes } from "../../src/server/testing/testNodes.ts";
import { withEtcd } from "./etcd.ts";

const nodes = new TestNodes();
after(() => nodes.close());

await withEtcd("servers on etcd", (server) => {
  test("a damaged record refuses the start, and is named with what to do", async () => {
    const key = btoa("/damaged/records/meta/slot-table");
    await server.ask("/v3/kv/put", { key, value: btoa("no slot table") });
    await assert.rejects(nodes.start(["meta"], { storeUrl: `${server.url}/damaged` }), (error) => {
      assert.ok(error instanceof RegistryError && error.code === "STORE_DAMAGED", String(error));
      return error.message.includes("meta/slot-table") && error.message.includes("127.0.0.1");
    });
  });

  test("what is no URL of etcd refuses the start", async () => {
    await assert.rejects(nodes.start(["meta"], { storeUrl: `${server.url}/a?b=c` }), /CONFIG_INVALID.*store-url/);
  });

  test("a registry starts without etcd, is ready with it, and keeps values over a restart of both", async () => {
    await server.halt();
    const storeUrl = `${server.url}/registry`;
    const first = await nodes.start(["meta", "data", "session"], { storeUrl });
    assert.equal(await getStatus(first.ports.http, "/readyz"), 503);
    await server.start();
    await eventually(
      () => getStatus(first.ports.http, "/readyz"),
      (status) => status === 200,
    );
    const change = { dataId: "retries", group: "DEFAULT_GROUP", data: "3" };
    const put = await fetch(`http://127.0.0.1:${first.ports.metaHttp}/persistentData/put`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(change),
    });
    assert.equal(put.status, 200);
    await nodes.stop(first);
    await server.kill();
    await server.start();
    const second = await nodes.start(["meta", "data", "session"], { storeUrl });
    await eventually(
      async () => JSON.stringify((await operate(second, "GET", "/configs")).body),
      (values) => values.includes("retries"),
    );
  });
});
