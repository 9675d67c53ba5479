import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { childOf, instanceOfChild, type ServicePath, ServicePaths } from "./servicePaths.ts";

const PATHS = new ServicePaths(["dubbo=/dubbo/*/providers", "curator=/services/*"]);
const bytes = (text: string) => new TextEncoder().encode(text);
const found = (path: string): ServicePath => PATHS.of(path) ?? assert.fail(`${path} is a service path`);

test("a path is a service's where the star of a pattern is one name", () => {
  assert.deepEqual([found("/dubbo/a.B/providers").service, found("/dubbo/a.B/providers").form], ["a.B", "dubbo"]);
  assert.equal(found("/services/orders").service, "orders");
  for (const path of [
    "/dubbo/a/b/providers",
    "/dubbo//providers",
    "/dubbo/providers",
    "/services",
    "/services/",
    "/x",
  ]) {
    assert.equal(PATHS.of(path), undefined, path);
  }
});

test("a URL of Dubbo is an instance, and other names are none", () => {
  const service = found("/dubbo/a.B/providers");
  const url = encodeURIComponent("dubbo://10.0.0.7:20880/a.B?weight=50&version=1.0");
  const instance = instanceOfChild(service, `${service.path}/${url}`, undefined);
  assert.deepEqual([instance?.host, instance?.port, instance?.weight], ["10.0.0.7", 20_880, 0.5]);
  assert.equal(instance?.metadata.get("version"), "1.0");
  for (const name of ["%", "x", "dubbo", "a%2"]) {
    assert.equal(instanceOfChild(service, `${service.path}/${name}`, undefined), undefined, name);
  }
});

test("a provider of Dubbo that is not enabled takes no calls", () => {
  const service = found("/dubbo/a.B/providers");
  for (const [query, isEnabled] of [
    ["enabled=false", false],
    ["enabled=true", true],
    ["version=1.0", true],
  ] as const) {
    const url = encodeURIComponent(`dubbo://10.0.0.7:20880/a.B?${query}`);
    assert.equal(instanceOfChild(service, `${service.path}/${url}`, undefined)?.isEnabled, isEnabled, query);
  }
});

test("an instance of Spring Cloud has the weight and the status of its metadata", () => {
  const service = found("/services/orders");
  const read = (metadata: object, more: object = {}) => {
    const record = { address: "10.0.0.8", port: 80, payload: { metadata }, ...more };
    const instance = instanceOfChild(service, "/services/orders/i", bytes(JSON.stringify(record)));
    return [instance?.weight, instance?.isEnabled, instance?.isHealthy];
  };
  assert.deepEqual(read({ weight: "2.5" }), [2.5, true, true]);
  for (const weight of ["0", "heavy", ""]) assert.deepEqual(read({ weight }), [1, true, true], weight);
  assert.deepEqual(read({ instance_status: "OUT_OF_SERVICE" }), [1, false, true]);
  assert.deepEqual(read({ instance_status: "down" }), [1, true, false]);
  assert.deepEqual(read({ instance_status: "UP" }), [1, true, true]);
  assert.deepEqual(read({}, { enabled: false }), [1, false, true]);
});

test("an instance that came by one service path is shown at those of other forms", () => {
  const dubbo = found("/dubbo/orders/providers");
  const curator = found("/services/orders");
  const record = { id: "i", address: "10.0.0.8", port: 80, payload: { metadata: { weight: "2" } } };
  const instance = instanceOfChild(curator, "/services/orders/i", bytes(JSON.stringify(record))) ?? assert.fail("read");
  assert.equal(childOf(curator, instance), undefined);
  const child = childOf(dubbo, instance) ?? assert.fail("a child");
  assert.match(decodeURIComponent(child.name), /^dubbo:\/\/10\.0\.0\.8:80\/orders\?.*&weight=200(?:&|$)/);
  const usual = { ...instance, weight: 1, metadata: new Map([["weight", "1"]]) };
  assert.doesNotMatch(childOf(dubbo, usual)?.name ?? "", /weight/);
});

test("any data of a child is an instance of Curator's form, or none", () => {
  const service = found("/services/orders");
  const data = fc.oneof(
    fc.uint8Array(),
    fc.json().map(bytes),
    fc
      .record({ address: fc.jsonValue(), port: fc.jsonValue(), payload: fc.jsonValue() })
      .map((each) => bytes(JSON.stringify(each))),
  );
  fc.assert(fc.property(data, (each) => void instanceOfChild(service, "/services/orders/i", each)));
});

test("an instance that is shown at a service path is read back as the same address, in both forms", () => {
  for (const path of ["/dubbo/orders/providers", "/services/orders"]) {
    const service = found(path);
    const metadata = new Map([["version", "1 & 2"]]);
    const instance = {
      ...{ host: "10.0.0.1", port: 80, securePort: undefined, weight: 2.5, metadata, zone: "", source: "eureka" },
      ...{ isEnabled: true, isHealthy: true, isPersistent: false, bags: new Map<string, string>() },
    };
    const child = childOf(service, instance) ?? assert.fail("a child");
    const back = instanceOfChild(service, `${path}/${child.name}`, child.data);
    assert.deepEqual([back?.host, back?.port, back?.weight], ["10.0.0.1", 80, 2.5]);
    assert.equal(back?.metadata.get("version"), "1 & 2");
    assert.equal(childOf(service, { ...instance, isHealthy: false }), undefined);
  }
});
