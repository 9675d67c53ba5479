// Clients that show certificates are principals with the names of their subjects.

import assert from "node:assert/strict";
import { request } from "node:https";
import { after, test } from "node:test";
import { TestCertificates } from "../transport/testing/certificates.ts";
import { eurekaBody } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const certificates = new TestCertificates({ after });
after(() => nodes.close());

const SERVER = certificates.issue({ name: "server" });
const [SHOP, PAY] = ["shop", "pay"].map((name) => {
  const { cert, key } = certificates.issue({ name });
  return { ca: certificates.read(certificates.ca), cert: certificates.read(cert), key: certificates.read(key) };
});

async function started() {
  return nodes.start(["meta", "data", "session"], {
    tlsCertFile: SERVER.cert,
    tlsKeyFile: SERVER.key,
    tlsClientCaFile: certificates.ca,
    tlsClientAuth: "request",
    tlsPorts: ["clients"],
  });
}

test("a certificate publishes what policies allow its name, by SOFARegistry's and by Eureka's protocol", async (t) => {
  const server = await started();
  const set = async (...asked: ["PUT" | "DELETE", string, object?]) => {
    assert.equal((await operate(server, ...asked)).status, 200, JSON.stringify(asked));
  };
  const shop = { name: "shop", effect: "allow", actions: ["publish"], kinds: ["certificate"], names: ["shop"] };
  await set("PUT", "/policy", { ...shop, namePrefixes: ["shop."] });
  const readers = { kinds: ["certificate", "anonymous"], actions: ["subscribe"] };
  await set("PUT", "/policy", { name: "readers", effect: "allow", ...readers });
  for (const name of ["anonymous-clients", "certified-clients"]) await set("DELETE", `/policy?name=${name}`);

  const clients = [SHOP, PAY, { ca: SHOP?.ca }].map(
    (tls) => new TestClient(() => server.ports.bolt, { tls: { ...tls } }),
  );
  t.after(() => {
    for (const client of clients) client.close();
  });
  for (const [at, client] of clients.entries()) {
    client.publish("shop.Orders", `10.0.0.${at}:80`);
    client.publish("pay.Bills", `10.0.0.${at}:80`);
  }
  const [reader] = clients;
  reader?.subscribe("shop.Orders");
  reader?.subscribe("pay.Bills");
  await eventually(
    () => reader?.list("shop.Orders"),
    (list) => list === "10.0.0.0:80",
    30_000,
  );
  assert.equal(reader?.list("pay.Bills"), "");

  const register = (tls: object | undefined, app: string) =>
    new Promise<number>((resolve, reject) => {
      const { body, headers } = eurekaBody(app);
      const url = `https://127.0.0.1:${server.ports.eureka}/eureka/apps/${app.toUpperCase()}`;
      const asked = request(url, { method: "POST", headers: headers as Record<string, string>, ...tls }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.on("error", reject).end(body);
    });
  assert.equal(await register(SHOP, "shop.web"), 204);
  assert.equal(await register(SHOP, "pay.web"), 403);
  assert.equal(await register(PAY, "shop.web"), 403);
  assert.equal(await register({ ca: SHOP?.ca }, "shop.web"), 401);
});
