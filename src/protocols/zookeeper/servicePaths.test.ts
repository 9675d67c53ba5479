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
      ...{ host: "10.0.0.1", port: 80, securePort: undefined, weight: 1, metadata, zone: "", source: "eureka" },
      ...{ isEnabled: true, isHealthy: true, isPersistent: false, bags: new Map<string, string>() },
    };
    const child = childOf(service, instance) ?? assert.fail("a child");
    const back = instanceOfChild(service, `${path}/${child.name}`, child.data);
    assert.deepEqual([back?.host, back?.port, back?.metadata.get("version")], ["10.0.0.1", 80, "1 & 2"]);
    assert.equal(childOf(service, { ...instance, isHealthy: false }), undefined);
    assert.equal(childOf(service, { ...instance, source: "zookeeper" }), undefined);
  }
});
