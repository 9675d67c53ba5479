import assert from "node:assert/strict";
import { test } from "node:test";
import { OPEN_ACCESS } from "../../protocols/kit/clientAccess.ts";
import { EMPTY_DATA } from "../../protocols/kit/testing/views.ts";
import { configWith } from "../config/load.ts";
import { GATEWAYS } from "../gateways.ts";
import { loadGateways } from "../loadGateways.ts";
import { createMetrics } from "../metrics.ts";
import { type DataStatus, dataHttp } from "./dataHttp.ts";

const GATEWAY_CODE = await loadGateways();
const nobody = () => Promise.reject(new Error("no other node is there"));
const NO_QUESTIONS = { otherNodes: () => ({ askLeader: nobody, askSession: nobody }) };

/** The HTTP port of a data node that serves seven slots. */
function port(changes: Partial<DataStatus> = {}) {
  const status = {
    page: createMetrics(GATEWAYS),
    hostNames: new Set<string>(),
    hasStarted: () => true,
    isStopping: () => false,
    hasSlotTable: () => true,
    notReady: () => undefined,
    isServing: () => true,
    slotsLed: () => 7,
    blocked: () => undefined,
    ...EMPTY_DATA,
    ...changes,
  };
  return dataHttp(status, GATEWAY_CODE, {
    ...{ questions: NO_QUESTIONS, config: configWith(), access: OPEN_ACCESS, audit: () => undefined },
  });
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

test("a process has started when all of it has, and stays so while it is not ready", async () => {
  const notReady = () => "no slot table yet";
  const paths = ["/livez", "/startupz", "/readyz"];
  const codes = async (changes: Partial<DataStatus>) =>
    Promise.all(paths.map(async (path) => (await port(changes).inject(path)).statusCode));
  assert.deepEqual(await codes({ hasStarted: () => false, notReady }), [200, 503, 503]);
  assert.deepEqual(await codes({ notReady }), [200, 200, 503]);
  assert.deepEqual(await codes({ isStopping: () => true }), [200, 200, 503]);
  assert.deepEqual(await codes({}), [200, 200, 200]);
});

test("metrics are in the format that the caller accepts", async () => {
  const app = port();
  const types = ["*/*", "application/openmetrics-text;version=1.0.0"].map(async (accept) => {
    const { headers } = await app.inject({ url: "/metrics", headers: { accept } });
    return headers["content-type"];
  });
  assert.deepEqual(await Promise.all(types), [
    "text/plain; version=0.0.4; charset=utf-8",
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
  ]);
});
