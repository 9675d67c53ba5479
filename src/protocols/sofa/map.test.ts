import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { textOf } from "../../base/text.ts";
import { boxesOf } from "../../model/content.ts";
import type { ConfiguratorRegister, PublisherRegister, SubscriberRegister, WireForm } from "./codec/messages.ts";
import { payloadBytesOf, publishRequest, registrationKeyOf, subscribeRequest } from "./map.ts";
import { baseRegister, CONFIG } from "./testing/handlerScene.ts";

const REGISTER: ConfiguratorRegister = { kind: "configuratorRegister", ...baseRegister() };

const publisher = (changes: Partial<PublisherRegister> = {}): PublisherRegister => ({
  ...{ kind: "publisherRegister", ...baseRegister(), dataList: [] },
  ...changes,
});
const subscriber = (changes: Partial<SubscriberRegister> = {}): SubscriberRegister => ({
  ...{ kind: "subscriberRegister", ...baseRegister(), scope: null, acceptEncoding: null, acceptMulti: false },
  ...changes,
});

/** The refused field, if any. */
function refusedField(map: () => unknown): unknown {
  try {
    map();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RegistryError && error.code === "FIELD_INVALID", String(error));
    return error.details["field"];
  }
}

test("a version has a newer one always: the largest that is taken is 2^62", () => {
  for (const version of [0n, 1n << 62n]) assert.equal(registrationKeyOf({ ...REGISTER, version }).version, version);
  for (const version of [(1n << 62n) + 1n, (1n << 63n) - 1n, -1n]) {
    assert.equal(
      refusedField(() => registrationKeyOf({ ...REGISTER, version })),
      "version",
    );
  }
});

test("a client's process is what it says, and nothing where it says nothing", () => {
  for (const processId of [null, ""]) assert.ok(!("processId" in registrationKeyOf({ ...REGISTER, processId })));
  assert.equal(registrationKeyOf({ ...REGISTER, processId: "4711" }).processId, "4711");
});

test("a service is what the client names, in the default instance if it names none", () => {
  const serviceOf = (instanceId: string | null) => registrationKeyOf({ ...REGISTER, instanceId }).serviceKey;
  assert.equal(serviceOf(null), "orders#@#DEFAULT_INSTANCE_ID#@#G");
  assert.equal(serviceOf(""), serviceOf(null));
  assert.equal(serviceOf("I"), "orders#@#I#@#G");
});

test("a name that can't be part of a key is refused, with the name of its field", () => {
  for (const field of ["dataId", "instanceId", "group", "registId", "processId"] as const) {
    assert.equal(
      refusedField(() => registrationKeyOf({ ...REGISTER, [field]: "a\nb" })),
      field,
    );
  }
  assert.equal(
    refusedField(() => registrationKeyOf({ ...REGISTER, registId: "" })),
    "registId",
  );
  for (const field of ["zone", "appName"] as const) {
    assert.equal(
      refusedField(() => publishRequest(publisher({ [field]: "a\nb" }), CONFIG)),
      field,
    );
  }
});

test("an application that is not named is none", () => {
  for (const appName of [null, ""]) assert.equal(publishRequest(publisher({ appName }), CONFIG).appName, "");
  assert.equal(publishRequest(publisher(), CONFIG).appName, "app");
});

test("a publication carries its boxes in their order, absent ones too, and its attributes", () => {
  const dataList = [textOf("a"), null, textOf("b")];
  const attributes = new Map([["k", "v"]]);
  const request = publishRequest(publisher({ dataList, attributes }), CONFIG);
  assert.deepEqual(boxesOf(request), dataList);
  assert.deepEqual([request.attributes, request.version], [attributes, 1n]);
});

test("the bytes of all boxes together are bounded, absent ones count for nothing", () => {
  const dataList = [textOf("x".repeat(600)), null, textOf("y".repeat(400))];
  const bytesOf = (registrationBytesMax: number) =>
    payloadBytesOf(publisher({ dataList }), { ...CONFIG, registrationBytesMax });
  assert.equal(bytesOf(1_000), 1_000);
  const isRefusal = (error: unknown) => error instanceof RegistryError && error.code === "REGISTRATION_TOO_LARGE";
  assert.throws(() => bytesOf(999), isRefusal);
});

test("a zone that a client did not choose is the node's", () => {
  for (const zone of [null, "", "DEFAULT_ZONE"]) {
    assert.equal(publishRequest(publisher({ zone }), CONFIG).zone, CONFIG.zone);
    assert.equal(subscribeRequest(subscriber({ zone }), "protobuf", CONFIG).zone, CONFIG.zone);
  }
  assert.equal(subscribeRequest(subscriber({ zone: "Y" }), "protobuf", CONFIG).zone, "Y");
});

test("a scope is one of three; one that is missing is the data center", () => {
  const scopeOf = (scope: string | null) => subscribeRequest(subscriber({ scope }), "protobuf", CONFIG).scope;
  assert.deepEqual(["zone", "dataCenter", "global", null, ""].map(scopeOf), [
    "zone",
    "dataCenter",
    "global",
    "dataCenter",
    "dataCenter",
  ]);
  assert.equal(
    refusedField(() => scopeOf("planet")),
    "scope",
  );
});

test("a subscriber is known by the compressions that it can read and wants, whatever is used now", () => {
  const variantOf = (acceptEncoding: string | null, form: WireForm = "protobuf", pushCompress = true) =>
    subscribeRequest(subscriber({ acceptEncoding }), form, { ...CONFIG, pushCompress }).variant;
  assert.deepEqual(
    [
      variantOf(null),
      variantOf("br"),
      variantOf("br, GZIP ,zstd"),
      variantOf("zstd,gzip"),
      variantOf("zstd", "hessian-final"),
      variantOf("zstd", "protobuf", false),
    ],
    [
      "protobuf plain",
      "protobuf plain",
      "protobuf gzip,zstd",
      "protobuf zstd,gzip",
      "hessian-final plain",
      "protobuf zstd",
    ],
  );
});

test("a subscriber that takes all data centers in one message is pushed to so", () => {
  const register = subscriber({ acceptMulti: true, scope: "global" });
  assert.equal(subscribeRequest(register, "hessian-draft", CONFIG).variant, "hessian-draft plain multi");
});
