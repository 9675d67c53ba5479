import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringOf } from "../../base/text.ts";
import { boxesOf, instancesOf } from "../../model/content.ts";
import { packInstance, unpackInstance } from "../../model/instance.ts";
import { anInstance } from "../../model/testing/instances.ts";
import type { EurekaInstance } from "./codec/instance.ts";
import { fromInstance, leaseOf, serviceKeyOf, toInstance } from "./map.ts";
import { anEurekaInstance, eurekaInstances } from "./testing/instances.ts";
import { ownPublication } from "./testing/publications.ts";

/** The instance as it comes back from the registry. */
function back(instance: EurekaInstance, change = {}): EurekaInstance {
  const packed = unpackInstance(packInstance(toInstance(instance)));
  assert.ok(packed !== undefined);
  return fromInstance({ serviceName: instance.app.toLowerCase(), instance: { ...packed, ...change }, registeredMs: 5 });
}

test("an instance comes back from the registry as its client registered it", () => {
  const instances = eurekaInstances.filter(({ app }) => app.toLowerCase().toUpperCase() === app);
  fc.assert(fc.property(instances, (instance) => assert.deepEqual(back(instance), instance)));
});

for (const [status, isEnabled, isHealthy] of [
  ["UP", true, true],
  ["OUT_OF_SERVICE", false, true],
  ["DOWN", true, false],
  ["STARTING", true, false],
  ["UNKNOWN", true, false],
] as const) {
  test(`an instance that is ${status} is known to other protocols by its flags`, () => {
    const instance = toInstance(anEurekaInstance({ status }));
    assert.deepEqual([instance.isEnabled, instance.isHealthy], [isEnabled, isHealthy]);
  });
}

test("an operator of the registry takes an instance out of service, and back", () => {
  const instance = anEurekaInstance();
  const out = back(instance, { isEnabled: false });
  assert.deepEqual([out.status, out.overriddenStatus], ["OUT_OF_SERVICE", "OUT_OF_SERVICE"]);
  const returned = back(anEurekaInstance({ status: "OUT_OF_SERVICE" }), { isEnabled: true });
  assert.equal(returned.status, "UP");
  assert.equal(back(instance, { isHealthy: false }).status, "DOWN");
  assert.equal(back(anEurekaInstance({ status: "STARTING" })).status, "STARTING");
});

test("address, ports, weight, zone and metadata are those that other protocols know", () => {
  const metadata = new Map([
    ["weight", "3"],
    ["zone", "z1"],
    ["color", "blue"],
  ]);
  const securePort = { number: 8_443, isEnabled: true };
  const instance = toInstance(anEurekaInstance({ metadata, securePort }));
  const { host, port, weight, zone, source } = instance;
  assert.deepEqual(
    { host, port, weight, zone, source },
    { host: "10.0.0.1", port: 8_080, weight: 3, zone: "z1", source: "eureka" },
  );
  assert.equal(instance.securePort, 8_443);
  assert.deepEqual(instance.metadata, metadata);
  const onlySecure = toInstance(anEurekaInstance({ securePort, port: { number: 80, isEnabled: false } }));
  assert.equal(onlySecure.port, 8_443);
});

test("a weight that an operator has set is shown in the metadata", () => {
  assert.equal(back(anEurekaInstance(), { weight: 5 }).metadata.get("weight"), "5");
  assert.equal(back(anEurekaInstance()).metadata.get("weight"), undefined);
});

test("SOFARegistry's clients see an instance that is up as an address, and one that is not not at all", () => {
  const texts = (instance: EurekaInstance) => boxesOf(ownPublication(instance)).map((box) => box && stringOf(box));
  assert.deepEqual(texts(anEurekaInstance()), ["10.0.0.1:8080?color=blue"]);
  assert.deepEqual(texts(anEurekaInstance({ status: "STARTING" })), []);
});

test("an instance of another protocol is an instance of its service's application", () => {
  const instance = anInstance({
    host: "10.0.0.9",
    port: 20_880,
    weight: 2,
    zone: "cn",
    metadata: new Map([["a", "b"]]),
  });
  const shown = fromInstance({ serviceName: "com.example.Orders", instance, registeredMs: 77 });
  assert.equal(shown.instanceId, "10.0.0.9:com.example.Orders:20880");
  assert.deepEqual([shown.app, shown.hostName, shown.ipAddr], ["COM.EXAMPLE.ORDERS", "10.0.0.9", "10.0.0.9"]);
  assert.deepEqual([...shown.metadata].sort(), [
    ["a", "b"],
    ["weight", "2"],
    ["zone", "cn"],
  ]);
  assert.equal(shown.urls.get("vipAddress"), "com.example.Orders");
  assert.deepEqual([shown.status, shown.port], ["UP", { number: 20_880, isEnabled: true }]);
  const ill = fromInstance({ serviceName: "a", instance: { ...instance, isHealthy: false }, registeredMs: 0 });
  assert.equal(ill.status, "DOWN");
  const v6 = fromInstance({ serviceName: "a", instance: { ...instance, host: "::1" }, registeredMs: 0 });
  assert.deepEqual([v6.hostName, v6.ipAddr], ["[::1]", "::1"]);
});

test("a bag that can't be read makes the instance one of another protocol", () => {
  for (const bag of ["", "{", "[]", '{"instanceId":"x"}']) {
    const instance = { ...toInstance(anEurekaInstance()), bags: new Map([["eureka", bag]]) };
    assert.equal(fromInstance({ serviceName: "orders", instance, registeredMs: 1 }).instanceId, "10.0.0.1:orders:8080");
  }
});

test("an application is the service of its name in lower case", () => {
  assert.equal(serviceKeyOf("ORDERS"), "orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
  assert.throws(() => serviceKeyOf("A\u202eB"), /FIELD_INVALID.*field=app/);
});

test("a lease is as long as the client says, and a day at the most", () => {
  const { leaseInfo } = anEurekaInstance();
  assert.deepEqual(leaseOf({ leaseInfo }), { removedAfterMs: 90_000 });
  assert.deepEqual(leaseOf({ leaseInfo: { ...leaseInfo, durationInSecs: 1e9 } }), { removedAfterMs: 86_400_000 });
});

test("the same instance has the same content, in whatever order its metadata came", () => {
  const one = anEurekaInstance({
    metadata: new Map([
      ["a", "1"],
      ["b", "2"],
    ]),
  });
  const other = anEurekaInstance({
    metadata: new Map([
      ["b", "2"],
      ["a", "1"],
    ]),
  });
  assert.deepEqual(packInstance(toInstance(one)), packInstance(toInstance(other)));
  assert.equal(instancesOf(ownPublication(one)).length, 1);
});
