import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceKey } from "../../model/ids.ts";
import { OPEN_ACCESS } from "../../protocols/kit/clientAccess.ts";
import { EMPTY_META } from "../../protocols/kit/testing/views.ts";
import { configWith } from "../config/load.ts";
import { GatewayQuestions } from "../gatewayQuestions.ts";
import { GATEWAYS } from "../gateways.ts";
import { loadGateways } from "../loadGateways.ts";
import { createLog } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { type MetaStatus, metaHttp } from "./metaHttp.ts";

const GATEWAY_CODE = await loadGateways();

/** The port of a leading meta node, and the changes made through it. */
function port(changes: Partial<MetaStatus> = {}) {
  const stored: [key: ServiceKey, data: string | null][] = [];
  const app = metaHttp(
    {
      page: createMetrics(GATEWAYS),
      hostNames: new Set<string>(),
      hasStarted: () => true,
      isStopping: () => false,
      configValueBytesMax: 1_024,
      config: () => undefined,
      putConfig: async (key, data) => void stored.push([key, data]),
      compareServices: () => undefined,
      isLeading: () => true,
      leaderAddress: () => undefined,
      isStoreReachable: () => true,
      hasSlotTable: () => false,
      notReady: () => undefined,
      ...EMPTY_META,
      ...changes,
    },
    GATEWAY_CODE,
    {
      questions: new GatewayQuestions({ ask: () => undefined }, createLog({ level: "silent", format: "json" })),
      ...{ config: configWith(), access: OPEN_ACCESS, audit: () => undefined },
    },
  );
  const post = async (url: string, payload: object) => {
    const answer = await app.inject({ method: "POST", url, payload });
    return { status: answer.statusCode, message: answer.json<{ message: string | null }>().message ?? "" };
  };
  return { app, stored, post };
}

for (const [what, body, named] of [
  ["a field that there is not", { dataId: "a", data: "b", gruop: "G" }, "gruop"],
  ["a key that ends in a blank", { dataId: "a ", data: "b" }, "dataId"],
  ["a group that begins with a blank", { dataId: "a", group: " G", data: "b" }, "group"],
  ["an empty value", { dataId: "a", data: "" }, "data"],
  ["a version that is no number", { dataId: "a", data: "b", version: "new" }, "version"],
  ["no value", { dataId: "a" }, "data"],
  ["a value that is no text", { dataId: "a", data: 1 }, "data"],
] as const) {
  test(`${what} in a put is refused with its name`, async () => {
    const { post, stored } = port();
    const { status, message } = await post("/persistentData/put", body);
    assert.equal(status, 400);
    assert.match(message, new RegExp(`FIELD_INVALID.*field=${named}`));
    assert.deepEqual(stored, []);
  });
}

test("a value is put as a query prints it, version and all", async () => {
  const { post, stored } = port();
  const body = { dataId: "a", instanceId: "I", group: "G", version: "9007199254740993", data: "b" };
  assert.equal((await post("/persistentData/put", body)).status, 200);
  assert.deepEqual(stored, [["a#@#I#@#G", "b"]]);
});

test("what is mistyped in a removal is refused too", async () => {
  const { message } = await port().post("/persistentData/remove", { dataId: "a", goup: "G" });
  assert.match(message, /FIELD_INVALID.*field=goup/);
});
