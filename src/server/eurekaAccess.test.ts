// Policies for Eureka's clients, which carry a name and a password in the URL of their registry.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { askEureka, eurekaBody, eurekaPath } from "./testing/eurekaPort.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

const as = (login: string) => ({ authorization: `Basic ${Buffer.from(login).toString("base64")}` });

test("a client registers and reads what policies allow its name, and is told why it may not do the rest", async () => {
  const server = await nodes.start(["meta", "data", "session"]);
  const ask = async (what: string, headers: Record<string, string> = {}, body: RequestInit = {}) =>
    askEureka(server, what, { ...body, headers: { ...body.headers, ...headers } });
  const set = async (...asked: ["PUT" | "POST" | "DELETE", string, object?]) => {
    assert.equal((await operate(server, ...asked)).status, 200, asked[1]);
  };

  // Whatever clients send as credentials is another registry's, until operators have set something about clients.
  assert.equal((await ask("POST /apps/SHOP", as("old:registry"), eurekaBody("shop"))).status, 204);

  await set("POST", "/users", { name: "shop", password: "correct horse battery" });
  const services = { namePrefixes: ["shop"], actions: ["publish", "list"], names: ["shop"] };
  await set("PUT", "/policy", { name: "shop", effect: "allow", ...services });
  await set("DELETE", "/policy?name=anonymous-clients");

  const shop = as("shop:correct horse battery");
  assert.equal((await ask("POST /apps/SHOP", shop, eurekaBody("shop"))).status, 204);
  assert.equal((await ask(`PUT ${eurekaPath("shop")}?status=UP`, shop)).status, 200);
  const pay = await ask("POST /apps/PAY", shop, eurekaBody("pay"));
  assert.equal(pay.status, 403);
  assert.match(pay.text, /PERMISSION_NEEDED.*publish.*pay/);
  const { json } = await ask("GET /apps", shop);
  assert.deepEqual(
    json.applications.application.map(({ name }: { name: string }) => name),
    ["SHOP"],
  );

  for (const [what, body] of [
    ["POST /apps/SHOP", eurekaBody("shop")],
    [`PUT ${eurekaPath("shop")}?status=UP`, {}],
    [`DELETE ${eurekaPath("shop")}`, {}],
    [`PUT ${eurekaPath("shop")}/status?value=DOWN`, {}],
    ["GET /apps", {}],
    ["GET /apps/delta", {}],
    ["GET /apps/SHOP", {}],
  ] as const) {
    const unknown = await ask(what, {}, body);
    assert.equal(unknown.status, 401, what);
    assert.match(unknown.text, /CREDENTIALS_NEEDED/, what);
    // After a few of them the address waits.
    assert.ok([401, 429].includes((await ask(what, as("shop:wrong"), body)).status), what);
  }
});
