// Reading many records takes several steps, and so does looking at them when a session comes or goes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noMetrics } from "../base/metrics.ts";
import { nodeId } from "../model/ids.ts";
import { Keeper } from "./keeper.ts";
import { KEEPER_TIMES, type KeeperOutput } from "./keeperPorts.ts";
import { keeperBytes, keeperRecord, recordIdOf, registrationBytes, registrationRecord } from "./recordForm.ts";
import { registration } from "./testing/scene.ts";

const COUNT = 5_000;
const ID = nodeId("s1.a");

test("records that are read in parts are known at the end, and are all kept some steps later", () => {
  const output: KeeperOutput = {
    lease: () => undefined,
    commit: () => undefined,
    probe: () => () => undefined,
    pass: () => undefined,
  };
  const options = { id: ID, registrationsMax: COUNT, times: KEEPER_TIMES };
  const keeper = new Keeper(options, { output, random: { next: () => 0.5 }, metrics: noMetrics });
  const changes = Array.from({ length: COUNT }, (_, at) => {
    const one = registration(`r${at}`);
    return { key: registrationRecord(recordIdOf(one)), revision: BigInt(at + 2), value: registrationBytes(one) };
  });
  const own = { key: keeperRecord(ID), revision: 1n, value: keeperBytes() };
  const nowMs = 1_000;
  keeper.step({ kind: "members", sessions: [ID] }, nowMs);
  keeper.step({ kind: "read", changes: [own, ...changes.slice(0, 3_000)] }, nowMs);
  assert.equal(keeper.isKnown, false);
  keeper.step({ kind: "changed", changes: changes.slice(3_000), revision: BigInt(COUNT + 1) }, nowMs);
  assert.equal(keeper.isKnown, true);
  assert.ok([...keeper.keptHere()].length < COUNT, "a step looks at some");
  for (let steps = 0; steps < 5 && keeper.nextWakeMs() <= nowMs; steps++) keeper.step({ kind: "woken" }, nowMs);
  assert.equal([...keeper.keptHere()].length, COUNT);
  keeper.step({ kind: "members", sessions: [] }, nowMs);
  for (let steps = 0; steps < 5; steps++) keeper.step({ kind: "woken" }, nowMs);
  assert.equal([...keeper.keptHere()].length, 0);
});
