// Every request by gRPC and every path by HTTP asks before it does anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import { noMetrics } from "../../base/metrics.ts";
import { asked } from "../../base/testing/asked.ts";
import { closedAccess } from "../kit/testing/fakeAccess.ts";
import type { NacosEnvironment } from "./environment.ts";
import { openNaming } from "./openNaming.ts";

const PLAIN = { nacosUdpPush: true, tlsCertFile: "", tlsPorts: ["clients"] };

function naming(udp: Pick<NacosEnvironment["config"], "nacosUdpPush" | "tlsCertFile" | "tlsPorts"> = PLAIN) {
  const access = closedAccess();
  const step = () => assert.fail("a caller who is refused does not reach the registry");
  const config = { zone: "", registrationBytesMax: 1_000_000, ...udp } as NacosEnvironment["config"];
  const node = { nowMs: () => 1_000 } as NacosEnvironment["node"];
  const parts = { config, node, access, registry: { step }, budget: unlimitedBudget(), metrics: noMetrics };
  const opened = openNaming({ ...parts, later: (run: () => void) => run() } as unknown as NacosEnvironment);
  return { access, opened };
}

test("no path of naming lets a caller in who may do nothing", async () => {
  const { opened } = naming();
  const query = { serviceName: "some", ip: "10.0.0.1", port: "80" };
  assert.ok(opened.routes.length > 20);
  for (const { method, path } of opened.routes) {
    const { status, text } = await asked(opened.routes, `${method} ${path}`, { query });
    assert.deepEqual([status, /PERMISSION_NEEDED/.test(text)], [403, true], path);
  }
});

test("every request of naming says what it asks for", () => {
  const { opened } = naming();
  const asks = Object.entries(opened.requests).map(([name, handler]) => `${name} ${handler.asks}`);
  assert.deepEqual(asks.sort(), [
    "BatchInstanceRequest publish",
    "InstanceRequest publish",
    "NamingFuzzyWatchRequest list",
    "PersistentInstanceRequest publish",
    "ServiceListRequest list",
    "ServiceQueryRequest list",
    "SubscribeServiceRequest subscribe",
  ]);
});

test("lists are pushed by UDP where they may be read on the way, and an operator does not forbid it", () => {
  assert.notEqual(naming().opened.udp, undefined);
  assert.notEqual(naming({ ...PLAIN, tlsCertFile: "cert.pem", tlsPorts: ["admin"] }).opened.udp, undefined);
  assert.equal(naming({ ...PLAIN, tlsCertFile: "cert.pem" }).opened.udp, undefined);
  assert.equal(naming({ ...PLAIN, nacosUdpPush: false }).opened.udp, undefined);
});
