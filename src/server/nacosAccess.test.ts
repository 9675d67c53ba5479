// Policies for Nacos' clients, which log in for a token, and send it with each request.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TestNacosClient } from "./testing/nacosClient.ts";
import { askNacos } from "./testing/nacosPort.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

const AT = "ip=10.0.0.1&port=80";
const LOGIN = "username=shop&password=correct horse battery";

test("a client does by gRPC and HTTP what policies allow, and is told why it may not do the rest", async (t) => {
  const server = await nodes.start(["meta", "data", "session"]);
  const client = await TestNacosClient.connect(server);
  t.after(() => client.close());
  const set = async (...asked: ["PUT" | "POST" | "DELETE", string, object?]) => {
    assert.equal((await operate(server, ...asked)).status, 200, asked[1]);
  };
  const instance = { ip: "10.0.0.1", port: 80, weight: 1, healthy: true, enabled: true, ephemeral: true, metadata: {} };
  const register = async (serviceName: string) => {
    const asked = { namespace: "", groupName: "", serviceName, type: "registerInstance", instance };
    const { type, body } = await client.ask("InstanceRequest", asked);
    assert.equal(type, "InstanceResponse");
    return body.errorCode;
  };
  const post = async (service: string, more = "") =>
    (await askNacos(server, "POST /v1/ns/instance", `serviceName=${service}&${AT}${more}`)).status;

  // Until operators have set something about clients, any credentials are another registry's.
  client.headers = { accessToken: "of-another-registry" };
  assert.equal(await register("shop"), 0);
  const { json: early } = await askNacos(server, "POST /v1/auth/login", LOGIN);
  assert.deepEqual([typeof early.accessToken, early.tokenTtl, early.username], ["string", 18_000, "shop"]);

  await set("POST", "/users", { name: "shop", password: "correct horse battery", roles: ["client"] });
  const services = { namePrefixes: ["pay"], actions: ["publish"], names: ["shop"] };
  await set("PUT", "/policy", { name: "no-pay", effect: "deny", ...services });
  await set("DELETE", "/policy?name=anonymous-clients");

  // A client logs in anew when it is told 403.
  assert.equal(await register("shop"), 403);
  for (const path of ["/v1/auth/login", "/v1/auth/users/login", "/v3/auth/user/login"]) {
    const { status, json } = await askNacos(server, `POST ${path}`, LOGIN);
    assert.deepEqual([status, json.globalAdmin, json.username], [200, false, "shop"], path);
    client.headers = { accessToken: json.accessToken };
  }
  assert.equal(await register("shop"), 0);
  assert.equal(await register("pay"), 403);
  const token = `&accessToken=${client.headers["accessToken"]}`;
  assert.equal(await post("shop", token), 200);
  assert.equal(await post("shop", `&${LOGIN}`), 200);
  assert.equal(await post("pay", token), 403);
  assert.equal(await post("shop"), 403);
  const listed = await client.ask("ServiceListRequest", { namespace: "", groupName: "", pageNo: 1, pageSize: 10 });
  assert.deepEqual([listed.body.count, listed.body.serviceNames], [1, ["shop"]]);

  const unsubscribed = { namespace: "", groupName: "", serviceName: "shop", subscribe: false, clusters: "" };
  assert.equal((await client.ask("SubscribeServiceRequest", unsubscribed)).body.serviceInfo.hosts.length, 1);

  client.headers = {};
  // Whoever may not know the list may still give it up.
  const { body: given } = await client.ask("SubscribeServiceRequest", unsubscribed);
  assert.deepEqual([given.errorCode, given.serviceInfo], [0, undefined]);
  for (const type of ["ServiceQueryRequest", "SubscribeServiceRequest", "ServiceListRequest"]) {
    const asked = { namespace: "", groupName: "", serviceName: "shop", subscribe: true, clusters: "" };
    assert.equal((await client.ask(type, asked)).body.errorCode, 403, type);
  }
  assert.equal((await askNacos(server, "POST /v1/auth/login", "username=shop&password=wrong")).status, 403);
});
