import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { brandServiceKey, clientId } from "../model/ids.ts";
import { LEASE_KEEPER } from "../model/publication.ts";
import { dueAt, LeaseTable } from "./leaseTable.ts";
import { publication } from "./testing/harness.ts";

const SERVICES = ["a", "b", "c"].map((name) => brandServiceKey(`${name}#@#I#@#G`));
const LATE_MS = 250;

const registration = fc.record({ service: fc.nat(2), registId: fc.constantFrom("1", "2", "3") });
const change = fc.oneof(
  fc.record({
    kind: fc.constant("put" as const),
    of: registration,
    removedAfterMs: fc.constantFrom(1_000, 10_000, 60_000),
    unhealthyAfterMs: fc.option(fc.constantFrom(500, 5_000, 90_000), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("renew" as const), of: registration }),
  fc.record({ kind: fc.constant("remove" as const), of: registration }),
  fc.record({ kind: fc.constant("drop" as const), of: registration }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
);

test("each lease is looked at when it is due, at most a quarter of a second late, and none that is gone", () => {
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 60, size: "max" }), (changes) => {
    let now = 0;
    const table = new LeaseTable({ read: () => now });
    const alive = new Map<string, { due: number; slot: number }>();
    const nameOf = (service: number, registId: string) => `${SERVICES[service]} ${registId}`;
    const look = () => {
      for (let lease = table.take(now); lease !== undefined; lease = table.take(now)) {
        const { service, registId } = lease;
        const name = `${service.serviceKey} ${registId}`;
        assert.ok(alive.has(name), `${name} is gone`);
        if (dueAt(lease) > now) table.wait(lease, dueAt(lease));
        else if (lease.isUnhealthy || lease.terms.unhealthyAfterMs === undefined) {
          assert.ok((alive.get(name)?.due ?? 0) <= now);
          alive.delete(name);
          table.removed(service.serviceKey, registId);
        } else {
          table.setUnhealthy(lease, true);
          alive.set(name, { due: dueAt(lease), slot: service.slot });
        }
      }
    };
    for (const one of changes) {
      if (one.kind === "pass") {
        const end = now + one.ms;
        while (table.next() <= end) {
          now = Math.max(now, table.next());
          look();
        }
        now = end;
        for (const [name, { due }] of alive) assert.ok(due + LATE_MS > now, `${name} was due at ${due}, it is ${now}`);
        continue;
      }
      const { service, registId } = one.of;
      const serviceKey = SERVICES[service] ?? assert.fail("there are three");
      const name = nameOf(service, registId);
      if (one.kind === "put") {
        const { removedAfterMs, unhealthyAfterMs } = one;
        const lease = { removedAfterMs, ...(unhealthyAfterMs !== undefined && { unhealthyAfterMs }) };
        const owner = { session: LEASE_KEEPER, client: clientId("c") };
        table.put(publication({ serviceKey, registId, owner, lease }), {
          slot: service,
          nowMs: now,
          isDoubtful: false,
        });
      } else if (one.kind === "renew") {
        const lease = table.find(serviceKey, registId);
        if (lease !== undefined) lease.renewed = now;
      } else if (one.kind === "remove") table.removed(serviceKey, registId);
      else table.dropSlot(service);
      if (one.kind === "drop") for (const key of alive.keys()) if (key.startsWith(serviceKey)) alive.delete(key);
      const lease = table.find(serviceKey, registId);
      if (lease === undefined) alive.delete(name);
      else alive.set(name, { due: dueAt(lease), slot: service });
      assert.equal(table.size, alive.size);
    }
    assert.equal(
      table.unhealthy,
      SERVICES.flatMap((key) => [...(table.service(key)?.leases.values() ?? [])].filter((each) => each.isUnhealthy))
        .length,
    );
  });
  fc.assert(property, { numRuns: 300 });
});
