import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import type { PersistentRegistration } from "../../registry/persistent.ts";
import { readService } from "./definition.ts";
import { Fields } from "./fields.ts";
import { nodeRegistration, serviceRegistration } from "./own.ts";
import { OwnIndex } from "./ownIndex.ts";
import { PersistentInMemory } from "./testing/persistentInMemory.ts";

const REQUEST = { account: unlimitedBudget().open("10.0.0.1"), untilMs: 0, done: () => undefined };

const NODE = { name: "n1", address: "10.0.0.1", id: "", taggedAddresses: null, meta: null };
const node = nodeRegistration(NODE, [], "");

function service(name: string, id: string): PersistentRegistration {
  const fields = new Fields({ Service: name, ID: id, Port: 80 });
  return serviceRegistration(readService(fields, { node: "n1", nodeAddress: "10.0.0.1", isAgent: false }), [], "");
}

/** An index of registrations, and the ids of those whose changes it has told. */
function scene(...registrations: readonly PersistentRegistration[]) {
  const persistent = new PersistentInMemory();
  const put = (registration: PersistentRegistration) => persistent.put({ registration, ...REQUEST });
  const remove = (key: PersistentRegistration) => persistent.remove({ key, ...REQUEST });
  for (const registration of registrations) put(registration);
  const told: string[] = [];
  const index = new OwnIndex(persistent, ({ registId }) => void told.push(registId));
  const names = () => [...index.servicesOf("n1")].map(([id, own]) => `${id} ${own.service.name}`);
  return { persistent, put, remove, index, told, names };
}

test("registrations that are there before the first question are known, and those of other protocols are not", () => {
  const foreign = { ...service("web", "web-2"), registId: "nacos:10.0.0.1#80" };
  const { index, names } = scene(service("web", "web-1"), foreign, node);
  assert.equal(index.isKnown, true);
  assert.deepEqual(names(), ["web-1 web"]);
  assert.equal(index.node("n1")?.node.address, "10.0.0.1");
  assert.equal([...index.nodes()].length, 1);
});

test("any first question reads the registrations", () => {
  const registrations = [service("web", "web-1"), node];
  assert.equal(scene(...registrations).index.servicesOf("n1").size, 1);
  assert.notEqual(scene(...registrations).index.node("n1"), undefined);
  assert.equal([...scene(...registrations).index.nodes()].length, 1);
});

test("nothing is known before the registrations have been read, and everything afterwards", () => {
  const { persistent, index, names } = scene(service("web", "web-1"));
  persistent.isKnown = false;
  assert.deepEqual([index.isKnown, names()], [false, []]);
  persistent.isKnown = true;
  assert.deepEqual([index.isKnown, names()], [true, ["web-1 web"]]);
});

test("changes are taken and told, in order, apart from those of other protocols", () => {
  const { index, put, remove, told, names } = scene();
  assert.equal(index.isKnown, true);
  put(service("web", "web-1"));
  put(node);
  put({ ...service("web", "web-2"), registId: "nacos:10.0.0.1#80" });
  remove(service("web", "web-1"));
  remove(node);
  assert.deepEqual(told, ["consul:n1/web-1", "consul:n1", "consul:n1/web-1", "consul:n1"]);
  assert.deepEqual([names(), index.node("n1")], [[], undefined]);
});

test("a service keeps its id when the one that had it before goes", () => {
  const { index, put, remove, names } = scene(service("old", "moving"));
  assert.equal(index.isKnown, true);
  put(service("new", "moving"));
  remove(service("old", "moving"));
  assert.deepEqual(names(), ["moving new"]);
  remove(service("new", "moving"));
  assert.deepEqual(names(), []);
});
