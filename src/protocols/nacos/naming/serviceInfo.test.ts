import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId, nodeId } from "../../../model/ids.ts";
import { packInstance } from "../../../model/instance.ts";
import type { Publication } from "../../../model/publication.ts";
import { versionAt } from "../../../model/version.ts";
import type { ServiceView } from "../../../registry/registry.ts";
import { checkedInstance, fromInstance, type NacosInstance, registIdOf, toInstance } from "./instance.ts";
import { groupedName, serviceKeyOf, serviceNameOf } from "./names.ts";
import { PushBodies } from "./pushBodies.ts";
import { instancesIn, selected } from "./serviceInfo.ts";

const SERVICE = serviceKeyOf({ namespace: "public", group: "G", name: "orders" });
const OWNER = { session: nodeId("s.1"), client: clientId("10.0.0.1:1_10.0.0.2:2") };

function nacos(changes: Partial<NacosInstance> = {}): NacosInstance {
  return {
    ip: "10.0.0.1",
    port: 80,
    weight: 1,
    isHealthy: true,
    isEnabled: true,
    isEphemeral: true,
    cluster: "DEFAULT",
    metadata: new Map(),
    instanceId: "",
    ...changes,
  };
}

function publication(instance: NacosInstance, changes: Partial<Publication> = {}): Publication {
  return {
    serviceKey: SERVICE,
    registId: registIdOf(instance),
    version: 1n,
    registeredMs: 1_000,
    owner: OWNER,
    zone: "",
    appName: "",
    attributes: new Map(),
    payload: packInstance(toInstance(instance)),
    ...changes,
  };
}

function viewOf(publications: readonly Publication[], nowMs = 1_700_000_000_000): ServiceView {
  const all = new Map(publications.map((each) => [each.registId, each]));
  return { serviceKey: SERVICE, version: versionAt(nowMs), publications: all };
}

test("an instance comes back as it was sent", () => {
  const sent = nacos({ cluster: "c1", weight: 0.5, isHealthy: false, isEphemeral: false, instanceId: "mine" });
  assert.deepEqual(fromInstance(toInstance(sent)), sent);
  assert.deepEqual(fromInstance(toInstance(nacos())), nacos());
});

test("of two registrations of one address the later one is shown", () => {
  const old = publication(nacos({ weight: 1 }), { registId: "one", registeredMs: 2 });
  const late = publication(nacos({ weight: 2 }), { registId: "two", registeredMs: 3 });
  for (const order of [
    [old, late],
    [late, old],
  ]) {
    assert.deepEqual(
      instancesIn(viewOf(order)).map(({ weight }) => weight),
      [2],
    );
  }
});

const ALL = [
  nacos({ port: 1, cluster: "a" }),
  nacos({ port: 2, cluster: "b", isHealthy: false }),
  nacos({ port: 3, cluster: "b", isEnabled: false }),
];

for (const [what, selection, ports] of [
  ["all that are enabled", { clusters: "" }, [1, 2]],
  ["those of clusters", { clusters: "b,c" }, [2]],
  ["those that are healthy", { clusters: "", isHealthyOnly: true }, [1]],
  ["those that are not enabled too", { clusters: "b", hasDisabled: true }, [2, 3]],
  ["none", { clusters: "x" }, []],
] as const) {
  test(`a selection has ${what}`, () => {
    const { hosts, isProtected } = selected(ALL, selection, undefined);
    assert.deepEqual(
      hosts.map(({ port }) => port),
      ports,
    );
    assert.equal(isProtected, false);
  });
}

test("with as few healthy instances as the threshold says, all are shown as healthy", () => {
  const healthOf = (threshold: number | undefined, isHealthyOnly = false) => {
    const { hosts, isProtected } = selected(ALL, { clusters: "", isHealthyOnly }, threshold);
    return [hosts.map(({ isHealthy }) => isHealthy), isProtected];
  };
  assert.deepEqual(healthOf(undefined), [[true, false], false]);
  assert.deepEqual(healthOf(0.4), [[true, false], false]);
  assert.deepEqual(healthOf(0.5), [[true, true], true]);
  assert.deepEqual(healthOf(0.5, true), [[true, true], true]);
});

test("the time of a list is that of its version, and later than that of the version before", () => {
  const bodies = new PushBodies({ protectThreshold: () => undefined, nowMs: () => 0 });
  const timeOf = (view: ServiceView) =>
    JSON.parse(new TextDecoder().decode(bodies.serviceInfo(view, "").json)).lastRefTime;
  const view = viewOf([], 1_700_000_000_000);
  const next = { ...view, version: view.version + 64n };
  assert.deepEqual([timeOf(view), timeOf(view)], [1_700_000_000_000, 1_700_000_000_000]);
  assert.deepEqual([timeOf(next), timeOf(next)], [1_700_000_000_001, 1_700_000_000_001]);
  assert.equal(timeOf(viewOf([], 1_700_000_000_500)), 1_700_000_000_500);
});

test("names are those of Nacos, and the default namespace has both of its names", () => {
  for (const namespace of ["", "public"]) {
    const key = serviceKeyOf({ namespace, group: "", name: "G2@@orders" });
    assert.deepEqual(serviceNameOf(key), { namespace: "public", group: "G2", name: "orders" });
    assert.equal(groupedName(serviceNameOf(key)), "G2@@orders");
  }
});

test("what no host can be is refused by its field", () => {
  for (const ip of ["", "a b", "主机", "x".repeat(129)]) {
    assert.throws(() => checkedInstance(nacos({ ip }), 1_000), { code: "FIELD_INVALID" });
  }
  assert.throws(() => checkedInstance(nacos({ metadata: new Map([["k", "v".repeat(1_000)]]) }), 1_000), {
    code: "REGISTRATION_TOO_LARGE",
  });
});

test("a body is made once for a version and selection, and goes when it is not asked for", () => {
  let nowMs = 0;
  const bodies = new PushBodies({ protectThreshold: () => undefined, nowMs: () => nowMs });
  const view = viewOf([publication(nacos())]);
  const first = bodies.serviceInfo(view, "");
  const again = bodies.serviceInfo(view, "");
  assert.ok(first.costMs > 0);
  assert.deepEqual([again.json === first.json, again.costMs], [true, 0]);
  assert.notEqual(bodies.serviceInfo(view, "a").json, first.json);
  assert.notEqual(bodies.serviceInfo(viewOf([], 1_700_000_000_001), "").json, first.json);
  nowMs = 59_999;
  bodies.check(nowMs);
  assert.ok(bodies.bytes > 0);
  nowMs = 60_000;
  bodies.check(nowMs);
  assert.equal(bodies.bytes, 0);
});

test("bodies keep within their bound, the least recently used go first", () => {
  const bodies = new PushBodies({ protectThreshold: () => undefined, nowMs: () => 0, bytesMax: 3_000 });
  const views = ["a", "b", "c", "d"].map((name) => ({
    ...viewOf([publication(nacos())]),
    serviceKey: serviceKeyOf({ namespace: "", group: "", name }),
  }));
  const jsons = views.map((view) => bodies.serviceInfo(view, "").json);
  assert.ok(bodies.bytes <= 3_000);
  const [first, , , last] = views;
  assert.ok(first !== undefined && last !== undefined);
  assert.equal(bodies.serviceInfo(last, "").json, jsons[3]);
  assert.notEqual(bodies.serviceInfo(first, "").json, jsons[0]);
});
