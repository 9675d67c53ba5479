import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../../base/budget.ts";
import { clientId } from "../../../model/ids.ts";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import { anInstance } from "../../../model/testing/instances.ts";
import type { KeptRegistration } from "../../../registry/persistent.ts";
import { NACOS } from "./instance.ts";
import { PersistentInstances } from "./persistent.ts";

const serviceKey = makeServiceKey({ name: "orders", namespace: "", group: "" });

/** What the gateway says to an ephemeral instance of a service in which these protocols have persistent ones. */
function refusalBeside(...sources: readonly string[]) {
  const kept = sources.map((source): KeptRegistration => {
    const instance = anInstance({ source, isPersistent: true });
    const registration = { serviceKey, registId: source, holder: clientId("10.0.0.1:80_"), instance };
    return {
      registration: { ...registration, zone: "", appName: "", checks: [] },
      ...{ revision: 1n, keeper: undefined, checks: [], isHealthy: true },
    };
  });
  const unused = () => assert.fail("only the list is asked for");
  const persistent = { put: unused, remove: unused, find: unused, list: () => kept };
  const parts = { persistent, budget: unlimitedBudget(), zone: "", nowMs: () => 0 };
  return new PersistentInstances(parts).ephemeralRefusal(serviceKey);
}

test("an ephemeral instance is refused in a service with persistent ones of Nacos' clients, and in no other", () => {
  assert.equal(refusalBeside("consul", "operator"), undefined);
  assert.equal(refusalBeside("consul", NACOS)?.code, "FIELD_INVALID");
  assert.equal(refusalBeside(), undefined);
});
