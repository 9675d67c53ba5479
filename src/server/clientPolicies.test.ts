// Policies for clients, at a registry with clients of SOFARegistry.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

test("anonymous clients publish what no policy denies, and what was denied once it is allowed", async (t) => {
  const server = await nodes.start(["meta", "data", "session"]);
  const policy = {
    name: "pay",
    effect: "deny",
    actions: ["publish"],
    kinds: ["anonymous"],
    namePrefixes: ["com.pay."],
  };
  assert.equal((await operate(server, "PUT", "/policy", policy)).status, 200);
  const client = new TestClient(() => server.ports.bolt);
  t.after(() => client.close());
  for (const service of ["com.pay.Orders", "com.shop.Orders"]) {
    client.subscribe(service);
    client.publish(service, "10.0.0.7:80");
  }
  await eventually(
    () => client.list("com.shop.Orders"),
    (list) => list === "10.0.0.7:80",
    30_000,
  );
  assert.equal(client.list("com.pay.Orders"), "");
  assert.equal((await operate(server, "DELETE", "/policy?name=pay")).status, 200);
  await eventually(
    () => client.list("com.pay.Orders"),
    (list) => list === "10.0.0.7:80",
  );
});
