// Policies for Consul's clients: each change asks for everything that it changes.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { askConsul } from "./testing/consulPort.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

test("a client that may publish one service changes neither another one nor the node that both are on", async () => {
  const server = await nodes.start(["meta", "data", "session"]);
  const set = async (...asked: ["PUT" | "POST" | "DELETE", string, object?]) => {
    assert.equal((await operate(server, ...asked)).status, 200, asked[1]);
  };
  const node = { Node: "n1", Address: "10.0.0.1" };
  for (const [what, body] of [
    ["PUT /agent/service/register", { Name: "pay", ID: "pay-1", Port: 80 }],
    ["PUT /agent/check/register", { Name: "disk", TTL: "60s" }],
    [
      "PUT /catalog/register",
      { ...node, Service: { Service: "pay", ID: "pay-2" }, Check: { CheckID: "up", Name: "up" } },
    ],
  ] as const) {
    assert.equal((await askConsul(server, what, body)).status, 200, what);
  }

  await set("POST", "/users", { name: "shop", password: "correct horse battery" });
  await set("PUT", "/policy", {
    ...{ name: "shop", effect: "allow", actions: ["publish"], namePrefixes: ["shop"], names: ["shop"] },
  });
  await set("PUT", "/policy", { name: "readers", effect: "allow", actions: ["list"] });
  await set("DELETE", "/policy?name=anonymous-clients");
  const shop = { authorization: `Basic ${Buffer.from("shop:correct horse battery").toString("base64")}` };
  const ask = async (what: string, body?: object) => askConsul(server, what, body, shop);

  assert.equal((await ask("PUT /agent/service/register", { Name: "shop", ID: "shop-1", Port: 80 })).status, 200);
  assert.equal(
    (await ask("PUT /catalog/register", { ...node, Service: { Service: "shop", ID: "shop-2" } })).status,
    200,
  );
  for (const [what, body] of [
    ["PUT /agent/service/register", { Name: "shop", ID: "pay-1", Port: 80 }],
    ["PUT /agent/service/deregister/pay-1"],
    ["PUT /agent/maintenance?enable=true"],
    ["PUT /agent/check/register", { Name: "another", TTL: "60s" }],
    ["PUT /agent/check/fail/disk"],
    ["PUT /agent/check/deregister/disk"],
    ["PUT /catalog/register", { ...node, Address: "10.6.6.6", Service: { Service: "shop", ID: "shop-2" } }],
    ["PUT /catalog/register", { ...node, Check: { CheckID: "up", Name: "up", Status: "critical" } }],
    ["PUT /catalog/deregister", { Node: "n1" }],
    ["PUT /catalog/deregister", { Node: "n1", CheckID: "up" }],
  ] as const) {
    const answer = await ask(what, body);
    assert.equal(answer.status, 403, `${what} ${JSON.stringify(body)}: ${answer.text}`);
    assert.match(answer.text, /Permission denied|PERMISSION_NEEDED/);
  }
  assert.equal((await ask("PUT /catalog/deregister", { Node: "n1", ServiceID: "shop-2" })).status, 200);
  const { json } = await ask("GET /catalog/service/pay");
  assert.equal(json.length, 2);
});
