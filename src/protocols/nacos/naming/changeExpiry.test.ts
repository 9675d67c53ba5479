import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId, nodeId, type ServiceKey } from "../../../model/ids.ts";
import { packInstance } from "../../../model/instance.ts";
import type { Rule } from "../../../model/rule.ts";
import { NO_RULES, RuleSet } from "../../../model/ruleSet.ts";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import { versionAt } from "../../../model/version.ts";
import type { QueryEvent } from "../../../registry/registry.ts";
import { openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import { ChangeExpiry } from "./changeExpiry.ts";
import { type NacosInstance, registIdOf, toInstance } from "./instance.ts";
import { NamingRecords } from "./namingRecords.ts";

const ORDERS = makeServiceKey({ name: "orders", namespace: "", group: "" });
const OWNER = { session: nodeId("s.1"), client: clientId("10.0.0.1:1_10.0.0.2:2") };
const HIDING: Rule = {
  ...{ id: "all", effect: "hidePublications", match: {}, isInForce: true },
  ...{ setBy: "o", setMs: 0, reason: "", epoch: 1n },
};
const silent = () => undefined;
const LOG = { debug: silent, info: silent, warn: silent, error: silent };

function instanceAt(port: number): NacosInstance {
  const rest = { weight: 1, isHealthy: true, isEnabled: true, isEphemeral: true, metadata: new Map(), instanceId: "" };
  return { ip: "10.0.0.1", port, cluster: "DEFAULT", ...rest };
}

/** A session whose lists are `ports`, by service; a service that is not there has no list at the moment. */
async function scene() {
  const records = new NamingRecords({ records: await openMemoryRecords(), log: LOG });
  records.check(0);
  const ports = new Map<ServiceKey, number[]>([[ORDERS, [80]]]);
  const state = { nowMs: 1_000, isSweeper: true, rules: NO_RULES };
  const viewOf = (serviceKey: ServiceKey) => {
    const all = (ports.get(serviceKey) ?? []).map(instanceAt).map((instance) => {
      const payload = packInstance(toInstance(instance));
      const registId = registIdOf(instance);
      const rest = { version: 1n, registeredMs: 1, owner: OWNER, zone: "", appName: "", attributes: new Map() };
      return [registId, { serviceKey, registId, payload, ...rest }] as const;
    });
    return { serviceKey, version: versionAt(state.nowMs), publications: new Map(all) };
  };
  const step = (event: QueryEvent) => {
    if (event.kind !== "asked" || !ports.has(event.serviceKey)) return;
    event.asker.answer({ kind: "list", view: viewOf(event.serviceKey), isNewer: true });
  };
  const expiry = new ChangeExpiry({
    registry: { step: step as never },
    ...{ log: LOG, records, isSweeper: () => state.isSweeper, node: { rules: () => state.rules } },
  });
  const put = (serviceKey: ServiceKey, port: number) =>
    records.putChange(serviceKey, registIdOf(instanceAt(port)), { weight: 7 });
  await put(ORDERS, 80);
  const pass = async (ms: number) => {
    for (const endMs = state.nowMs + ms; state.nowMs < endMs; state.nowMs += 500) {
      expiry.check(state.nowMs);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { state, ports, records, put, pass, left: () => records.changesAfter("", 1_000).length };
}

test("what operators have set of an instance goes a minute after the instance, and not before", async () => {
  const { ports, pass, left } = await scene();
  await pass(120_000);
  assert.equal(left(), 1);
  ports.set(ORDERS, [81]);
  await pass(59_000);
  assert.equal(left(), 1);
  await pass(7_000);
  assert.equal(left(), 0);
});

test("an instance that comes back within the minute keeps what operators have set", async () => {
  const { ports, pass, left } = await scene();
  for (const there of [[], [80], [], [80]]) {
    ports.set(ORDERS, there);
    await pass(50_000);
  }
  assert.equal(left(), 1);
});

test("a change that is made anew counts as one of an instance that has just gone", async () => {
  const { ports, put, pass, left } = await scene();
  ports.set(ORDERS, []);
  await pass(50_000);
  await put(ORDERS, 80);
  await pass(50_000);
  assert.equal(left(), 1);
  await pass(20_000);
  assert.equal(left(), 0);
});

test("a list that can't be had, a rule that hides instances, and a pause of this process say nothing", async () => {
  const { ports, state, pass, left } = await scene();
  ports.delete(ORDERS);
  await pass(120_000);
  assert.equal(left(), 1);
  ports.set(ORDERS, []);
  state.rules = new RuleSet(1n, [HIDING]);
  await pass(120_000);
  assert.equal(left(), 1);
  state.rules = NO_RULES;
  await pass(50_000);
  state.nowMs += 60_000;
  await pass(50_000);
  assert.equal(left(), 1);
});

test("one node removes the records, and begins anew when it becomes that node", async () => {
  const { ports, state, pass, left } = await scene();
  ports.set(ORDERS, []);
  state.isSweeper = false;
  await pass(120_000);
  state.isSweeper = true;
  await pass(50_000);
  assert.equal(left(), 1);
});

test("of more records than are looked at together all are found", async () => {
  const { ports, put, pass, left } = await scene();
  for (let at = 0; at < 30; at++) {
    const serviceKey = makeServiceKey({ name: `s${at}`, namespace: "", group: "" });
    ports.set(serviceKey, [81]);
    for (const port of [81, 82, 83]) await put(serviceKey, port);
  }
  assert.equal(left(), 91);
  await pass(80_000);
  assert.equal(left(), 31);
});
