import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import { unpackInstance } from "../../../model/instance.ts";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import type { ClientEvent, Outcome } from "../../../registry/registry.ts";
import type { NacosClient } from "../part.ts";
import { type NacosInstance, registIdOf } from "./instance.ts";
import { type Done, Registrations } from "./registrations.ts";

const ORDERS = makeServiceKey({ name: "orders", namespace: "", group: "" });

/** A registry that answers at once: with the next refusal, if there is one. */
function scene() {
  const told: string[] = [];
  const published: string[] = [];
  const weights = new Map<string, number>();
  const refusals: ("OVERLOADED" | "REGISTRATION_HELD" | undefined)[] = [];
  const outcomes = new Map<number, (outcome: Outcome) => void>();
  const channel = {
    request(done: (outcome: Outcome) => void) {
      outcomes.set(outcomes.size, done);
      return outcomes.size - 1;
    },
  };
  const client = { id: "c", connectionId: "1_a_2", isEnded: false, channel };
  const asClient = client as unknown as NacosClient;
  const step = (event: ClientEvent) => {
    if (event.kind !== "published" && event.kind !== "unpublished") return;
    const { registId } = event.kind === "published" ? event.publication : event.key;
    const instance = event.kind === "published" ? unpackInstance(event.publication.payload) : undefined;
    if (instance !== undefined) published.push(`${instance.port} weight ${instance.weight}`);
    const code = refusals.shift();
    told.push(`${event.kind} ${registId}${code === undefined ? "" : ` ${code}`}`);
    const outcome =
      code === undefined ? { kind: "accepted" as const } : { kind: "failed" as const, error: fail(code, {}) };
    outcomes.get(event.request)?.({ ...outcome, registId, version: 1n });
  };
  const registrations = new Registrations({
    registry: { step: step as never },
    zone: "",
    nowMs: () => 0,
    later: (run) => run(),
    records: {
      changed(_service, address, instance) {
        const weight = weights.get(address);
        return weight === undefined ? instance : { ...instance, weight };
      },
    },
  });
  const codes: string[] = [];
  const done: Done = (error) => void codes.push(error?.code ?? "done");
  const register = (...ports: number[]) =>
    registrations.register(asClient, { serviceKey: ORDERS, instances: ports.map(instanceAt), appName: "" }, done);
  const deregister = () => registrations.deregister(asClient, ORDERS, done);
  const change = (port: number, weight: number | undefined) => {
    if (weight === undefined) weights.delete(registIdOf(instanceAt(port)));
    else weights.set(registIdOf(instanceAt(port)), weight);
  };
  const changed = (port: number) => registrations.changed(ORDERS, registIdOf(instanceAt(port)));
  const registered = () => [...registrations.registeredBy(asClient)];
  return { told, published, refusals, codes, client, register, deregister, change, changed, registered };
}

function instanceAt(port: number): NacosInstance {
  const rest = { weight: 1, isHealthy: true, isEnabled: true, isEphemeral: true, metadata: new Map(), instanceId: "" };
  return { ip: "10.0.0.1", port, cluster: "DEFAULT", ...rest };
}

test("an instance whose change was refused can still be taken back", () => {
  const { told, refusals, codes, register, deregister } = scene();
  register(80);
  refusals.push("OVERLOADED");
  register(80);
  refusals.push("OVERLOADED");
  register(81);
  deregister();
  assert.deepEqual(codes, ["done", "OVERLOADED", "OVERLOADED", "done"]);
  assert.equal(told.at(-1), "unpublished nacos:10.0.0.1#80");
});

test("a client is told that its instance could not be taken back, and takes it back later", () => {
  const { told, refusals, codes, register, deregister } = scene();
  register(80, 81);
  refusals.push(undefined, "OVERLOADED");
  register(80);
  refusals.push("OVERLOADED");
  deregister();
  deregister();
  deregister();
  assert.deepEqual(codes, ["done", "OVERLOADED", "OVERLOADED", "done", "done"]);
  assert.deepEqual(told.slice(3), [
    "unpublished nacos:10.0.0.1#81 OVERLOADED",
    "unpublished nacos:10.0.0.1#80 OVERLOADED",
    "unpublished nacos:10.0.0.1#81",
    "unpublished nacos:10.0.0.1#80",
  ]);
});

test("where another connection has the address the instance is registered beside it, and taken back there", () => {
  const { told, refusals, codes, register, deregister } = scene();
  refusals.push("REGISTRATION_HELD");
  register(80);
  deregister();
  assert.deepEqual(told, [
    "published nacos:10.0.0.1#80 REGISTRATION_HELD",
    "published nacos:10.0.0.1#80#1_a_2",
    "unpublished nacos:10.0.0.1#80#1_a_2",
  ]);
  assert.deepEqual(codes, ["done", "done"]);
});

test("what another client holds by now is taken back", () => {
  const { refusals, codes, register, deregister } = scene();
  register(80);
  refusals.push("REGISTRATION_HELD");
  deregister();
  assert.deepEqual(codes, ["done", "done"]);
});

test("what operators want is published in place of the client's words, which come back after it", () => {
  const { published, change, register, changed } = scene();
  register(80, 81);
  change(80, 5);
  changed(80);
  change(80, undefined);
  changed(80);
  assert.deepEqual(published, ["80 weight 1", "81 weight 1", "80 weight 5", "80 weight 1"]);
});

test("for a client that has gone while its request was judged nothing is registered", () => {
  const { told, client, register, registered } = scene();
  client.isEnded = true;
  register(80);
  assert.deepEqual([told, registered()], [[], []]);
});
