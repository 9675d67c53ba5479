import assert from "node:assert/strict";
import { test } from "node:test";
import { GATEWAYS } from "../gateways.ts";
import { loadGateways } from "../loadGateways.ts";
import { createMetrics } from "../metrics.ts";
import { type DataStatus, dataHttp } from "./dataHttp.ts";

const GATEWAY_CODE = await loadGateways();

/** The HTTP port of a data node that serves seven slots. */
function port(changes: Partial<DataStatus> = {}) {
  const status = {
    page: createMetrics(GATEWAYS),
    isStopping: () => false,
    hasSlotTable: () => true,
    notReady: () => undefined,
    isServing: () => true,
    slotsLed: () => 7,
    blocked: () => undefined,
    ...changes,
  };
  return dataHttp(status, GATEWAY_CODE);
}

test("a data node without a slot table is not ready; with one it says what it leads", async () => {
  const health = async (changes: Partial<DataStatus>) => (await port(changes).inject("/health/check")).json();
  const { success, message } = await health({});
  assert.deepEqual([success, message], [true, "DataServerBoot slotTable:true, slotsLed:7, serving:true"]);
  const notReady = () => "no slot table yet";
  const before = await health({ hasSlotTable: () => false, isServing: () => false, notReady });
  assert.deepEqual(
    [before.success, before.message],
    [false, "DataServerBoot slotTable:false, slotsLed:7, serving:false"],
  );
});

for (const [method, url] of [
  ["POST", "/drain"],
  ["POST", "/held/release?service=orders"],
  ["POST", "/v1/nodes/drain"],
] as const) {
  test(`${method} ${url} is for operators, and not at a port that others reach`, async () => {
    assert.equal((await port().inject({ method, url })).statusCode, 404);
  });
}
