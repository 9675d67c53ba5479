import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRoute } from "../../../base/http.ts";
import { asked } from "../../../base/testing/asked.ts";
import { dataHealthRoute, metaHealthRoute, sessionHealthRoute } from "./healthRoutes.ts";

const READY = {
  isStopping: () => false,
  notReady: () => undefined,
  hasSlotTable: () => true,
  blocked: () => undefined,
  slotsLed: () => 7,
  isServing: () => true,
  isLeading: () => true,
  isStoreReachable: () => true,
  leaderAddress: () => "10.0.0.1:9615",
};
const SESSION = "SessionServerBoot , ConnectMetaServer:true, SessionServerStart:true";

async function health(route: HttpRoute) {
  const { status, json } = await asked([route], "GET /health/check");
  return [status, json];
}

test("each role that does its work says so in SOFARegistry's words", async () => {
  assert.deepEqual(await health(sessionHealthRoute(READY)), [200, { success: true, message: SESSION }]);
  const data = "DataServerBoot slotTable:true, slotsLed:7, serving:true";
  assert.deepEqual(await health(dataHealthRoute(READY)), [200, { success: true, message: data }]);
  const meta = "role:leader, warmuped:true, storeReachable:true, leader:10.0.0.1:9615";
  const message = `MetaServerBoot httpServerStart:true, ${meta}`;
  assert.deepEqual(await health(metaHealthRoute(READY)), [200, { success: true, message }]);
});

test("a role that does not do its work is 500, and one whose process stops 503, whether it does or not", async () => {
  const notReady = () => "no slot table yet";
  assert.deepEqual(await health(sessionHealthRoute({ ...READY, notReady })), [
    500,
    { success: false, message: SESSION },
  ]);
  const stopping = [503, { success: false, message: `${SESSION}, stopping` }];
  assert.deepEqual(await health(sessionHealthRoute({ ...READY, isStopping: () => true })), stopping);
  assert.deepEqual(await health(sessionHealthRoute({ ...READY, notReady, isStopping: () => true })), stopping);
});

test("the reason why a node is blocked stands in its health", async () => {
  const blocked = () => "an operator has blocked it";
  for (const route of [sessionHealthRoute, dataHealthRoute]) {
    const [status, json] = await health(route({ ...READY, blocked, notReady: blocked }));
    assert.equal(status, 500);
    assert.match(JSON.stringify(json), /, an operator has blocked it"/);
  }
});

test("a meta node that stands by, and knows of nobody who leads, says both", async () => {
  const role = { ...READY, isLeading: () => false, hasSlotTable: () => false, leaderAddress: () => undefined };
  const [, json] = await health(metaHealthRoute(role));
  assert.match(JSON.stringify(json), /role:follower, warmuped:false, storeReachable:true, leader:unknown/);
});
