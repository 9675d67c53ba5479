// Eureka's clients at several sessions: any of them takes any request.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { askEureka, eurekaBody, eurekaPath } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

const status = async (at: RunningServer, what: string, init?: RequestInit) => (await askEureka(at, what, init)).status;

async function isListed(at: RunningServer, app: string, expected: number): Promise<void> {
  await eventually(
    () => status(at, `GET ${eurekaPath(app)}`),
    (found) => found === expected,
  );
}

test("an instance lives while heartbeats come to any session, and outlives the one that it registered at", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const [one, other] = [
    await nodes.start(["session"], { metaAddresses }),
    await nodes.start(["session"], { metaAddresses }),
  ];
  const lease = { leaseInfo: { renewalIntervalInSecs: 1, durationInSecs: 3 } };
  await isListed(one, "orders", 404);
  assert.equal(await status(one, "POST /apps/ORDERS", eurekaBody("orders", lease)), 204);
  assert.equal(await status(one, `GET ${eurekaPath("orders")}`), 200);
  await isListed(other, "orders", 200);
  assert.equal(await status(other, `PUT ${eurekaPath("orders")}?status=UP&lastDirtyTimestamp=1000`), 200);
  assert.equal(await status(other, `PUT ${eurekaPath("orders")}/status?value=OUT_OF_SERVICE`), 200);
  await eventually(
    async () => (await askEureka(one, `GET ${eurekaPath("orders")}`)).json?.instance.status,
    (found) => found === "OUT_OF_SERVICE",
  );
  await nodes.stop(one);
  const untilMs = Date.now() + 4_000;
  await eventually(
    async () => {
      assert.equal(await status(other, `PUT ${eurekaPath("orders")}?status=UP`), 200);
      assert.equal(await status(other, `GET ${eurekaPath("orders")}`), 200);
      return Date.now();
    },
    (nowMs) => nowMs > untilMs,
  );
  await isListed(other, "orders", 404);
});

test("after a restart of everything a heartbeat is answered 404, and its client registers again", async () => {
  const dataDir = nodes.newDirectory();
  const roles = ["meta", "data", "session"] as const;
  const before = await nodes.start(roles, { dataDir });
  assert.equal(await status(before, "POST /apps/ORDERS", eurekaBody("orders")), 204);
  await nodes.stop(before);
  const server = await nodes.start(roles, { dataDir });
  await eventually(
    () => status(server, `PUT ${eurekaPath("orders")}?status=UP`),
    (found) => found === 404,
  );
  assert.equal(await status(server, "POST /apps/ORDERS", eurekaBody("orders")), 204);
  assert.equal(await status(server, `PUT ${eurekaPath("orders")}?status=UP&lastDirtyTimestamp=1000`), 200);
  await isListed(server, "orders", 200);
});
