import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldLoss } from "../../data/lossProtection.ts";
import { brandServiceKey, type ServiceKey } from "../../model/ids.ts";
import { GATEWAYS } from "../gateways.ts";
import { loadGateways } from "../loadGateways.ts";
import { createMetrics } from "../metrics.ts";
import { type DataStatus, dataHttp } from "./dataHttp.ts";

const ORDERS = brandServiceKey("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
const OTHER = brandServiceKey("other#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
const GATEWAY_CODE = await loadGateways();
const NOW_MS = 1_000_000;
const HELD: HeldLoss = { serviceKey: ORDERS, sinceMs: 990_000, untilMs: 1_590_000, lost: 3, publishers: 4 };

/** The port of a data node that holds one service, and the releases through it. */
function port(changes: Partial<DataStatus> = {}) {
  const released: ServiceKey[] = [];
  const app = dataHttp(
    {
      page: createMetrics(GATEWAYS),
      isStopping: () => false,
      stop: () => undefined,
      heldLosses: () => [HELD],
      releaseHeld: (serviceKey) => void released.push(serviceKey),
      nowMs: () => NOW_MS,
      hasSlotTable: () => true,
      isServing: () => true,
      slotsLed: () => 7,
      blocked: () => undefined,
      ...changes,
    },
    GATEWAY_CODE,
  );
  const release = (query: string) => app.inject({ method: "POST", url: `/held/release${query}` });
  const nameOf = (service: string) => `?service=${encodeURIComponent(service)}`;
  return { app, released, release, nameOf };
}

test("what is held back is shown with the reason, since when, and until when", async () => {
  const { app } = port();
  assert.deepEqual((await app.inject("/held")).json(), {
    success: true,
    data: [
      {
        service: ORDERS,
        reason: "3 of 4 publishers would be lost at once with their session nodes",
        heldMs: 10_000,
        releasedInMs: 590_000,
        lost: 3,
        publishers: 4,
      },
    ],
  });
});

test("a service whose time is over in this moment is released in nothing, not in less", async () => {
  const { app } = port({ nowMs: () => HELD.untilMs + 5 });
  const { data } = (await app.inject("/held")).json<{ data: { releasedInMs: number }[] }>();
  assert.equal(data[0]?.releasedInMs, 0);
});

test("an operator releases a service that is held back", async () => {
  const { released, release, nameOf } = port();
  const answer = await release(nameOf(ORDERS));
  assert.deepEqual([answer.statusCode, answer.json()], [200, { success: true, message: null }]);
  assert.deepEqual(released, [ORDERS]);
});

test("what is not held back, or no name of a service, is refused in words, and nothing is released", async () => {
  const { released, release, nameOf } = port();
  for (const query of [nameOf(OTHER), nameOf("orders"), "?service=", ""]) {
    const answer = await release(query);
    assert.equal(answer.statusCode, 400, `"${query}": ${answer.body}`);
    assert.equal(answer.json<{ success: boolean }>().success, false);
  }
  assert.match((await release(nameOf(OTHER))).json<{ message: string }>().message, /GET \/held/);
  assert.deepEqual(released, []);
});

test("releasing is no question: it is not done by GET", async () => {
  const { app, released, nameOf } = port();
  assert.equal((await app.inject(`/held/release${nameOf(ORDERS)}`)).statusCode, 404);
  assert.deepEqual(released, []);
});

test("a data node without a slot table is not ready; with one it says what it leads", async () => {
  const health = async (changes: Partial<DataStatus>) => (await port(changes).app.inject("/health/check")).json();
  const { success, message } = await health({});
  assert.deepEqual([success, message], [true, "DataServerBoot slotTable:true, slotsLed:7, serving:true"]);
  const before = await health({ hasSlotTable: () => false, isServing: () => false });
  assert.deepEqual(
    [before.success, before.message],
    [false, "DataServerBoot slotTable:false, slotsLed:7, serving:false"],
  );
});
