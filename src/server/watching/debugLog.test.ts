import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "../../base/ports.ts";
import { ORDERS, publication } from "../../session/testing/parts.ts";
import { debugLog, logVersion } from "./debugLog.ts";
import { openObservers } from "./observers.ts";
import { SampledLines } from "./sampledLines.ts";
import { CLIENT, SCENE_MS, scene, VERSION } from "./testing/scene.ts";

const clock = { nowMs: () => SCENE_MS };

function loggedScene() {
  const written: [string, LogFields][] = [];
  const lines = new SampledLines({ debug: (event, fields = {}) => void written.push([event, fields]) }, clock);
  return { ...scene([debugLog(lines)]), lines, written };
}

test("a registration and the end of one are logged with their answer", () => {
  const { publish, unpublish, subscribe, answers, written } = loggedScene();
  publish(1);
  answers.isRefused = true;
  subscribe(2);
  answers.isRefused = false;
  unpublish(3);
  const of = (registId: string) => ({ client: CLIENT, service: ORDERS, registId, version: 1n });
  assert.deepEqual(written, [
    ["a publisher is registered", of("p1")],
    ["a subscriber is registered", { ...of("s1"), refused: "DATA_FULL" }],
    ["a publisher is unregistered", of("p1")],
  ]);
});

test("a push is logged when it is sent, and when it is answered; one that could not be sent is not", () => {
  const { push, confirm, channel, written } = loggedScene();
  push(7);
  confirm(7);
  confirm(8, false);
  channel.isBlocked = true;
  push(9);
  assert.deepEqual(written, [
    ["a list is pushed", { client: CLIENT, service: ORDERS, version: VERSION, publishers: 1, subscribers: 1, push: 7 }],
    ["a push is confirmed", { client: CLIENT, push: 7 }],
    ["a push is refused", { client: CLIENT, push: 8 }],
  ]);
});

test("a version is logged with the number of its changes", () => {
  const { lines, written } = loggedScene();
  const changes = [{ kind: "put", publication: publication() }] as const;
  logVersion(lines, { serviceKey: ORDERS, version: VERSION, changes });
  assert.deepEqual(written, [["a list has a new version", { service: ORDERS, version: VERSION, changes: 1 }]]);
});

test("observers change nothing of what passes", () => {
  const { events, channel, given, publish, push, disconnect } = loggedScene();
  publish(1);
  assert.equal(push(1), channel.pushCostMs);
  channel.isBlocked = true;
  assert.equal(push(2), "blocked");
  channel.unsentBytes = 30;
  const { writtenBytes, sentBytes, address, answersQuestions } = given();
  assert.deepEqual([writtenBytes, sentBytes, address, answersQuestions], [100, 70, "10.0.0.7", true]);
  given().ask(5);
  given().report("paused");
  assert.deepEqual([channel.questions, channel.reports, given().isSilentSince(5)], [[5], ["paused"], false]);
  const config = { id: 3, serviceKey: ORDERS, version: 1n, data: null, registIds: ["w1"] };
  assert.equal(given().pushConfig(config), "blocked");
  disconnect();
  assert.deepEqual([events, channel.outcomes.length], [["connected", "published", "disconnected"], 1]);
});

test("a node with its default configuration has no observers; at debug it has, and with traces", async () => {
  const nothing = () => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const counts = async (logLevel: "info" | "debug" | "trace" | "warn", traceOneIn = 0) => {
    const { clients, versions } = await openObservers({ logLevel, traceOneIn }, { clock, log });
    return [clients.length, versions.length];
  };
  assert.deepEqual(await counts("info"), [0, 0]);
  assert.deepEqual(await counts("warn"), [0, 0]);
  assert.deepEqual(await counts("debug"), [1, 1]);
  assert.deepEqual(await counts("trace"), [1, 1]);
  assert.deepEqual(
    [await counts("info", 7), await counts("debug", 7)],
    [
      [1, 1],
      [2, 2],
    ],
  );
});
