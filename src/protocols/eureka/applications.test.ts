import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textOf } from "../../base/text.ts";
import { packBoxes } from "../../model/payload.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { anInstance } from "../../model/testing/instances.ts";
import { Applications, instancesIn, isOwn } from "./applications.ts";
import { type EurekaInstance, STATUSES } from "./codec/instance.ts";
import { serviceKeyOf } from "./map.ts";
import { anEurekaInstance } from "./testing/instances.ts";
import { foreignPublication, listOf, ownPublication } from "./testing/publications.ts";

const ORDERS = serviceKeyOf("orders");

/** The changes as `ACTION id STATUS`. */
function changesOf(applications: Applications, nowMs: number): string[] {
  const changes = [...(applications.changes(nowMs)?.values() ?? [])].flat();
  return changes.map(({ actionType, instanceId, status }) => `${actionType} ${instanceId} ${status}`);
}

test("the hash counts all instances by their status, in alphabetical order", () => {
  const applications = new Applications();
  assert.equal(applications.hashCode, "");
  const instances = ["UP", "UP", "DOWN", "STARTING"].map((status, at) =>
    anEurekaInstance({ instanceId: `i${at}`, status: status as "UP" }),
  );
  applications.set(ORDERS, listOf(...instances.map((instance) => ownPublication(instance))), 0);
  applications.set(serviceKeyOf("pay"), listOf(foreignPublication(anInstance({ isEnabled: false }))), 0);
  assert.equal(applications.hashCode, "DOWN_1_OUT_OF_SERVICE_1_STARTING_1_UP_2_");
  applications.set(ORDERS, undefined, 1);
  assert.equal(applications.hashCode, "OUT_OF_SERVICE_1_");
  assert.equal(applications.find("Orders"), undefined);
});

test("a change is told for three minutes, each instance once with its last state", () => {
  const applications = new Applications();
  const [one, other] = [anEurekaInstance(), anEurekaInstance({ instanceId: "other" })];
  applications.set(ORDERS, listOf(ownPublication(one)), 1_000);
  applications.set(ORDERS, listOf(ownPublication({ ...one, status: "DOWN" })), 2_000);
  applications.set(ORDERS, listOf(ownPublication(other)), 3_000);
  const told = ["ADDED other UP", "DELETED 10.0.0.1:orders:8080 DOWN"];
  assert.deepEqual(changesOf(applications, 3_000), told);
  applications.tidy(182_999);
  assert.deepEqual(changesOf(applications, 182_999), told);
  const { version } = applications;
  applications.tidy(183_000);
  assert.deepEqual(changesOf(applications, 183_000), told, "an answer is the same for 30 s if nothing changes");
  applications.tidy(212_999);
  assert.deepEqual(changesOf(applications, 213_000), []);
  assert.ok(applications.version > version);
});

test("a list that was only fetched anew is no change", () => {
  const applications = new Applications();
  assert.ok(applications.set(ORDERS, listOf(ownPublication(anEurekaInstance())), 1));
  const { version } = applications;
  const again = ownPublication(anEurekaInstance(), { registeredMs: 5_000 });
  assert.ok(!applications.set(ORDERS, listOf(again), 2));
  assert.equal(applications.version, version);
});

test("services whose names differ by case are one application; texts that are no addresses are none", () => {
  const applications = new Applications();
  const key = (name: string) => makeServiceKey({ name, namespace: "", group: "" });
  applications.set(ORDERS, listOf(ownPublication(anEurekaInstance())), 0);
  const boxes = packBoxes([textOf("10.0.0.7:12200?side=sofa"), textOf("hello")]);
  applications.set(key("Orders"), listOf(foreignPublication(anInstance({}), { payload: boxes })), 0);
  applications.set(key("texts"), listOf(foreignPublication(anInstance({}), { payload: packBoxes([textOf("hi")]) })), 0);
  const application = applications.find("orders");
  assert.ok(application !== undefined);
  const ids = [...instancesIn(application)].map(({ instanceId }) => instanceId);
  assert.deepEqual(ids, ["10.0.0.1:orders:8080", "10.0.0.7:Orders:12200"]);
  assert.deepEqual(
    [...applications.all()].map(({ name }) => name),
    ["ORDERS"],
  );
  const own = applications.instance("orders", "10.0.0.1:orders:8080");
  const other = applications.instanceById("10.0.0.7:Orders:12200");
  assert.deepEqual([own && isOwn(own), other && isOwn(other)], [true, false]);
});

test("an instance that several protocols have registered is listed as its Eureka client did", () => {
  const applications = new Applications();
  const own = ownPublication(anEurekaInstance({ status: "DOWN" }));
  const foreign = foreignPublication(anInstance({ host: "10.0.0.1", port: 8_080 }), { registId: "a" });
  for (const order of [
    [own, foreign],
    [foreign, own],
  ]) {
    applications.set(ORDERS, listOf(...order), 0);
    assert.equal(applications.hashCode, "DOWN_1_");
  }
});

test("an instance is found by each name of its virtual hosts", () => {
  const applications = new Applications();
  const urls = new Map([
    ["vipAddress", "a,b"],
    ["secureVipAddress", "s"],
  ] as const);
  applications.set(ORDERS, listOf(ownPublication(anEurekaInstance({ urls }))), 0);
  const names = (field: "vipAddress" | "secureVipAddress", vip: string) => [...applications.ofVip(field, vip).keys()];
  assert.deepEqual(
    [names("vipAddress", "a"), names("vipAddress", "b"), names("vipAddress", "a,b"), names("secureVipAddress", "s")],
    [["ORDERS"], ["ORDERS"], [], ["ORDERS"]],
  );
  assert.deepEqual(names("vipAddress", "s"), []);
});

test("beyond the bound of changes there are none for three minutes, and clients fetch everything", () => {
  const applications = new Applications();
  const many = Array.from({ length: 20_001 }, (_, at) => foreignPublication(anInstance({ port: at })));
  applications.set(ORDERS, listOf(...many), 1_000);
  assert.equal(applications.changes(180_999), undefined);
  assert.deepEqual(applications.changes(181_000), new Map());
});

/** A client of Eureka that applies the changes to what it has, as Netflix' own does. */
class DeltaClient {
  readonly #instances = new Map<string, EurekaInstance>();

  apply(changes: Iterable<readonly EurekaInstance[]>): void {
    for (const instance of [...changes].flat()) {
      if (instance.actionType === "DELETED") this.#instances.delete(instance.instanceId);
      else this.#instances.set(instance.instanceId, instance);
    }
  }

  get hashCode(): string {
    const statuses = [...this.#instances.values()].map(({ status }) => status).sort();
    return [...new Set(statuses)].map((status) => `${status}_${statuses.filter((s) => s === status).length}_`).join("");
  }

  get ids(): string[] {
    return [...this.#instances.keys()].sort();
  }
}

test("a client that applies the changes has what is listed, and the same hash", () => {
  const state = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(...STATUSES)), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(state), (states) => {
      const [applications, client] = [new Applications(), new DeltaClient()];
      let nowMs = 0;
      for (const instances of states) {
        const publications = instances.map(([id, status]) => {
          return ownPublication(anEurekaInstance({ instanceId: `i${id}`, status }));
        });
        nowMs += 1_000;
        applications.set(ORDERS, listOf(...publications), nowMs);
        client.apply(applications.changes(nowMs)?.values() ?? []);
        const application = applications.find("orders");
        const listed = application === undefined ? [] : [...instancesIn(application)];
        assert.deepEqual(client.ids, listed.map(({ instanceId }) => instanceId).sort());
        assert.equal(client.hashCode, applications.hashCode);
        assert.equal(applications.size, listed.length);
      }
    }),
  );
});
