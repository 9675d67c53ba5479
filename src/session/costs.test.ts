import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../base/text.ts";
import { brandServiceKey } from "../model/ids.ts";
import { packBoxes } from "../model/payload.ts";
import type { PublishRequest } from "../registry/registry.ts";
import { Costs } from "./costs.ts";
import { publishRequest } from "./testing/parts.ts";

const [apart, together] = [new Costs(false), new Costs(true)];
const KEY = { serviceKey: brandServiceKey("orders#@#I#@#G"), registId: "r1", version: 1n };

/** The additional cost of a publication with these changes. */
function growth(changes: Partial<PublishRequest>, costs = apart): number {
  return costs.publication(publishRequest(changes)) - costs.publication(publishRequest());
}

test("each character of a publication's texts is two bytes", () => {
  const { serviceKey, registId, appName, zone } = publishRequest();
  const longer = (text: string) => `${text}${"x".repeat(10)}`;
  assert.equal(growth({ serviceKey: brandServiceKey(longer(serviceKey)) }), 20);
  assert.equal(growth({ registId: longer(registId) }), 20);
  assert.equal(growth({ appName: longer(appName) }), 20);
  assert.equal(growth({ zone: longer(zone) }), 20);
});

test("an attribute costs its texts and what it takes to keep it", () => {
  assert.equal(growth({ attributes: new Map([["key", "value"]]) }), 100 + 16);
});

test("each box costs its bytes and what it takes in a body", () => {
  const payload = packBoxes([textOf("abc"), textOf("d")]);
  assert.equal(growth({ payload }), 200 + payload.length);
});

test("where the role data is too, what it keeps costs beside", () => {
  const payload = packBoxes([textOf("abc")]);
  assert.equal(growth({ payload }, together) - growth({ payload }), payload.length);
  assert.equal(together.publication(publishRequest()) - apart.publication(publishRequest()), 150);
  assert.equal(together.subscriber(KEY) - apart.subscriber(KEY), 2_500);
  assert.equal(together.configWatch(KEY), apart.configWatch(KEY));
});

test("a subscriber and a watch cost their names beside what they are", () => {
  const named = 2 * (KEY.serviceKey.length + KEY.registId.length);
  assert.deepEqual([apart.subscriber(KEY), apart.configWatch(KEY)], [1_500 + named, 1_000 + named]);
});
