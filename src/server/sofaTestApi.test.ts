// SOFARegistry's test paths of a data node, with a client that publishes and subscribes.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const SERVICE = "orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP";
const nodes = new TestNodes();
after(() => nodes.close());

test("an added publisher is pushed to subscribers; a removed one of a client comes back by itself", async () => {
  const registry = await nodes.start(["meta", "data", "session"], { sofaTestApi: true, digestIntervalMs: 200 });
  const client = new TestClient(() => registry.ports.bolt);
  const sees = (expected: string) =>
    eventually(
      () => client.list("orders"),
      (list) => list === expected,
    );
  const post = async (path: string, body: object) => {
    const headers = { "content-type": "application/json" };
    const sent = { method: "POST", headers, body: JSON.stringify({ dataInfoId: SERVICE, ...body }) };
    const answer = await fetch(`http://127.0.0.1:${registry.ports.dataHttp}/datum/api/${path}`, sent);
    const { success, message } = (await answer.json()) as { readonly success: boolean; readonly message: string };
    assert.ok(success, message);
  };
  try {
    client.publish("orders", "10.0.0.1:80");
    client.subscribe("orders");
    await sees("10.0.0.1:80");
    const tried = { publisherRegisterId: "tried", publisherCell: "DEFAULT_ZONE", publisherDataBox: "10.0.0.7:80" };
    await post("pub/add", tried);
    await sees("10.0.0.1:80 10.0.0.7:80");
    await post("pub/delete", { publisherRegisterId: "tried" });
    await sees("10.0.0.1:80");
    const before = client.lists.get("orders")?.length ?? 0;
    await post("delete", {});
    // The session finds that it is missing, and registers it again under a later time. If it is as fast as the push,
    // the list without it is never pushed.
    await eventually(
      () => client.lists.get("orders")?.slice(before),
      (lists) => lists !== undefined && lists.length > 0 && lists.at(-1)?.join(" ") === "10.0.0.1:80",
    );
  } finally {
    client.close();
  }
});
