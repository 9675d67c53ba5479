import assert from "node:assert/strict";
import { after, test } from "node:test";
import { askEureka, eurekaBody } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNodes } from "./testing/testNodes.ts";
import { EPHEMERAL, ZooKeeperClient } from "./testing/zookeeperClient.ts";

const nodes = new TestNodes();
after(() => nodes.close());

const WAIT_MS = 10_000;

/** The addresses that Eureka's clients see of an application. */
async function addresses(server: Parameters<typeof askEureka>[0], app: string): Promise<string[]> {
  const { status, json } = await askEureka(server, `GET /apps/${app}`);
  if (status !== 200) return [];
  return [json.application.instance].flat().map((each: { ipAddr: string; port: { $: number } }) => {
    return `${each.ipAddr}:${each.port.$}`;
  });
}

const URL_OF = (host: string) => encodeURIComponent(`dubbo://${host}:20880/shop.Orders?application=shop&weight=200`);

test("providers of Dubbo and of Spring Cloud are instances for others, until their session ends", async () => {
  const server = await nodes.start(["session", "data", "meta"]);
  const client = await ZooKeeperClient.connect(server.ports.zookeeper);
  assert.equal(await client.create(`/dubbo/shop.Orders/providers/${URL_OF("10.0.0.7")}`, "", EPHEMERAL), 0);
  const stock = { name: "stock", id: "i-1", address: "10.0.0.8", port: 8080, payload: { metadata: { a: "b" } } };
  const json = JSON.stringify(stock);
  assert.equal(await client.create("/services/stock/i-1", json, EPHEMERAL), 0);
  await eventually(
    () => addresses(server, "SHOP.ORDERS"),
    (found) => found[0] === "10.0.0.7:20880",
    WAIT_MS,
  );
  await eventually(
    () => addresses(server, "STOCK"),
    (found) => found[0] === "10.0.0.8:8080",
    WAIT_MS,
  );
  await client.close();
  for (const app of ["SHOP.ORDERS", "STOCK"]) {
    await eventually(
      () => addresses(server, app),
      (found) => found.length === 0,
      WAIT_MS,
    );
  }
});

test("instances of other protocols are children of the service paths in use, and go when they go", async () => {
  const server = await nodes.start(["session", "data", "meta"]);
  const client = await ZooKeeperClient.connect(server.ports.zookeeper);
  await client.create("/dubbo/orders/providers");
  assert.equal((await askEureka(server, "POST /apps/ORDERS", eurekaBody("orders"))).status, 204);
  const [child = ""] = await eventually(
    () => client.children("/dubbo/orders/providers"),
    (names) => names.length === 1,
    WAIT_MS,
  );
  assert.match(decodeURIComponent(child), /^dubbo:\/\/10\.0\.0\.1:8080\/orders\?/);
  // It is asked for and not there: then it is made.
  const [id = ""] = await eventually(
    () => client.children("/services/orders"),
    (names) => names.length === 1,
    WAIT_MS,
  );
  const { address, port } = JSON.parse(await client.get(`/services/orders/${id}`));
  assert.deepEqual([address, port], ["10.0.0.1", 8080]);
  assert.equal((await askEureka(server, "DELETE /apps/ORDERS/10.0.0.1:orders:8080")).status, 200);
  for (const path of ["/dubbo/orders/providers", "/services/orders"]) {
    await eventually(
      () => client.children(path),
      (names) => names.length === 0,
      WAIT_MS,
    );
  }
  await client.close();
});
