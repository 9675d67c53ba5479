import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { ABSENT_MAP, type ConfiguratorRegister } from "../../codec/sofa/messages.ts";
import { registrationKeyOf } from "./map.ts";

const REGISTER: ConfiguratorRegister = {
  kind: "configuratorRegister",
  instanceId: null,
  zone: null,
  appName: "app",
  dataId: "orders",
  group: "G",
  processId: null,
  registId: "r1",
  clientId: null,
  dataInfoId: null,
  ip: null,
  port: null,
  eventType: "REGISTER",
  version: 1n,
  timestamp: 1n,
  attributes: ABSENT_MAP,
};

test("a version has a newer one always: the largest that is taken is 2^62", () => {
  assert.equal(registrationKeyOf({ ...REGISTER, version: 1n << 62n }).version, 1n << 62n);
  for (const version of [(1n << 62n) + 1n, (1n << 63n) - 1n, -1n]) {
    const isRefusal = (error: unknown) => error instanceof RegistryError && error.code === "FIELD_INVALID";
    assert.throws(() => registrationKeyOf({ ...REGISTER, version }), isRefusal);
  }
});

test("a client's process is what it says, and nothing where it says nothing", () => {
  assert.equal("processId" in registrationKeyOf(REGISTER), false);
  assert.equal(registrationKeyOf({ ...REGISTER, processId: "4711" }).processId, "4711");
});
