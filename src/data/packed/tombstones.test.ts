import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UNKNOWN_HOST } from "../../model/ids.ts";
import type { Stamp } from "../../model/publication.ts";
import { Tombstones } from "./tombstones.ts";

const LIFE_MS = 100;
const AMPLE = { held: 2 ** 30, nothing: 2 ** 30 };
const UUID = "01234567-89ab-cdef-0123-456789abcdef";
const HELD = { found: "held", host: UNKNOWN_HOST } as const;
const NOTHING = { found: "nothing", host: UNKNOWN_HOST } as const;
const IDS = ["", "a", "b", "Ünïcode", "\ud800", UUID, UUID.toUpperCase(), "x".repeat(1_600)];

/** The obvious one: Maps of objects, walked whole whenever time passes. */
class PlainTombstones {
  readonly #services = new Map<number, Map<string, { stamp: Stamp; endMs: number }>>();
  nowMs = 0;

  of(service: number): Map<string, { stamp: Stamp; endMs: number }> {
    const known = this.#services.get(service) ?? new Map<string, { stamp: Stamp; endMs: number }>();
    this.#services.set(service, known);
    return known;
  }

  bury(service: number, registId: string, stamp: Stamp): void {
    this.of(service).set(registId, { stamp, endMs: this.nowMs + LIFE_MS });
  }

  expire(): number[] {
    const emptied: number[] = [];
    for (const [service, buried] of this.#services) {
      const before = buried.size;
      for (const [registId, { endMs }] of buried) if (endMs <= this.nowMs) buried.delete(registId);
      if (before > 0 && buried.size === 0) emptied.push(service);
    }
    return emptied.sort();
  }
}

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("bury" as const),
      service: fc.nat(2),
      registId: fc.constantFrom(...IDS),
      version: fc.constantFrom(0n, 1n, 2n ** 63n - 1n, -(2n ** 63n)),
      registeredMs: fc.constantFrom(0, 0.5, 1_763_800_000_000.25),
      found: fc.constantFrom("held", "nothing"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      service: fc.nat(2),
      registId: fc.constantFrom(...IDS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), service: fc.nat(2) }) },
);

test("packed tombstones say what plain ones would", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const plain = new PlainTombstones();
      const packed = new Tombstones<number>({ tombstoneMs: LIFE_MS, tombstoneBytesMax: AMPLE }, { next: Math.random });
      const handles = [0, 1, 2].map((service) => packed.service(service));
      packed.beginStep(0);
      for (const step of commands) {
        if (step.kind === "pass") {
          plain.nowMs += step.ms;
          packed.beginStep(plain.nowMs);
          plain.expire();
          packed.expire(1_000, () => undefined);
          continue;
        }
        const { service } = step;
        if (step.kind === "clear") {
          plain.of(service).clear();
          handles[service]?.clear();
        } else if (step.kind === "delete") {
          plain.of(service).delete(step.registId);
          handles[service]?.delete(step.registId);
        } else {
          plain.bury(service, step.registId, step);
          handles[service]?.bury(step.registId, step, { found: step.found, host: UNKNOWN_HOST });
        }
        const { size } = plain.of(service);
        assert.equal(handles[service]?.size, size);
        const expected = new Map(Array.from(plain.of(service), ([id, { stamp }]) => [id, plainStamp(stamp)]));
        assert.deepEqual(
          new Map([...(handles[service]?.all() ?? [])].map(([id, buried]) => [id, buried] as const)),
          expected,
        );
        for (const id of IDS) assert.deepEqual(handles[service]?.get(id), expected.get(id));
      }
    }),
  );
});

test("a service that has lost its last tombstone is told of once, and the rest of a long work is due at once", () => {
  const packed = new Tombstones<string>({ tombstoneMs: LIFE_MS, tombstoneBytesMax: AMPLE }, { next: Math.random });
  packed.beginStep(0);
  const orders = packed.service("orders");
  for (const registId of ["a", "b", "c"]) orders.bury(registId, stamp(1n), HELD);
  assert.equal(packed.nextMs(), LIFE_MS);
  packed.beginStep(5_000);
  const emptied: string[] = [];
  packed.expire(2, (service) => emptied.push(service));
  assert.deepEqual([packed.size, packed.nextMs(), emptied], [1, 5_000, []]);
  packed.expire(2, (service) => emptied.push(service));
  assert.deepEqual([packed.size, packed.nextMs(), emptied], [0, Number.POSITIVE_INFINITY, ["orders"]]);
});

test("removals that found nothing end early at their bound, the oldest first, and take nothing from the others", () => {
  const bytes = 64 * 1024;
  const packed = new Tombstones<string>(
    { tombstoneMs: LIFE_MS, tombstoneBytesMax: { held: bytes, nothing: bytes } },
    { next: Math.random },
  );
  packed.beginStep(0);
  const [orders, flooded] = [packed.service("orders"), packed.service("flooded")];
  orders.bury("honest", stamp(1n), HELD);
  orders.bury("early", stamp(1n), NOTHING);
  for (let at = 0; at < 10_000; at++) flooded.bury(`r${at}`, stamp(1n), NOTHING);
  assert.ok(packed.size < 1_000 && packed.takeEndedEarly() > 9_000);
  assert.equal(flooded.get("r0"), undefined);
  assert.deepEqual(flooded.get("r9999"), stamp(1n));
  assert.deepEqual(orders.get("honest"), stamp(1n));
  assert.deepEqual(orders.get("early"), stamp(1n), "one service has half of the room and not more");
});

test("a hundred thousand tombstones are less than 10 MB off the heap, and give it back", () => {
  const packed = new Tombstones<string>({ tombstoneMs: LIFE_MS, tombstoneBytesMax: AMPLE }, { next: Math.random });
  packed.beginStep(0);
  const services = Array.from({ length: 100 }, (_, at) => packed.service(`s${at}`));
  for (let at = 0; at < 100_000; at++) {
    services[at % 100]?.bury(UUID.replace("01234567", String(10_000_000 + at)), stamp(1n), HELD);
  }
  assert.ok(packed.bytes < 10_000_000, `${packed.bytes} bytes for 100,000`);
  packed.beginStep(LIFE_MS);
  packed.expire(100_000, () => undefined);
  assert.ok(packed.size === 0 && packed.bytes < 5 * 1024 * 1024);
});

test("a tombstone tells the host that left it from others, and what it found, until it is replaced", () => {
  const packed = new Tombstones<string>({ tombstoneMs: LIFE_MS, tombstoneBytesMax: AMPLE }, { next: Math.random });
  packed.beginStep(0);
  const orders = packed.service("orders");
  const hosts = [1, 2, 4_094, 4_095];
  const others = (id: string): readonly number[] => hosts.filter((host) => orders.isOfAnotherHost(id, host));
  for (const host of hosts) orders.bury(`r${host}`, stamp(7n), { found: "nothing", host });
  for (const host of hosts) {
    assert.deepEqual(
      others(`r${host}`),
      hosts.filter((other) => other !== host),
    );
    assert.ok(!orders.isOfAnotherHost(`r${host}`, UNKNOWN_HOST));
  }
  assert.deepEqual([orders.found("r1"), orders.get("r1")], ["nothing", stamp(7n)]);
  assert.deepEqual([...orders.all()][0], ["r1", stamp(7n), { found: "nothing", host: 1 }]);
  orders.bury("r1", stamp(8n), HELD);
  assert.deepEqual([orders.found("r1"), others("r1"), others("never")], ["held", [], []], "of whom nothing is known");
});

function stamp(version: bigint): Stamp {
  return { version, registeredMs: 7 };
}

function plainStamp({ version, registeredMs }: Stamp): Stamp {
  return { version, registeredMs };
}

test("tombstones that were moved while others ended are still found, in their order, and end in their time", () => {
  const all = new Tombstones<string>({ tombstoneMs: LIFE_MS, tombstoneBytesMax: AMPLE }, { next: Math.random });
  const [orders, stock] = [all.service("orders"), all.service("stock")];
  all.beginStep(0);
  const ids = Array.from({ length: 100_000 }, (_, at) => `r${at}`);
  const stampOf = (registId: string) => ({ version: BigInt(registId.slice(1)), registeredMs: 1 });
  const serviceOf = (registId: string) => (registId.endsWith("1") ? orders : stock);
  for (const registId of ids) serviceOf(registId).bury(registId, stampOf(registId), HELD);
  const before = all.bytes;
  const kept = ids.filter((_, at) => at % 10 === 1 || at % 100 === 0);
  const rest = new Set(kept);
  for (const registId of ids) if (!rest.has(registId)) stock.delete(registId);
  assert.ok(all.bytes < before * 0.75, "memory was given back, so the others have moved");
  for (const registId of kept) assert.deepEqual(serviceOf(registId).get(registId), stampOf(registId));
  assert.deepEqual(
    [...orders.all()].map(([registId]) => registId),
    kept.filter((registId) => serviceOf(registId) === orders),
  );
  all.beginStep(LIFE_MS);
  const emptied: string[] = [];
  all.expire(100_000, (owner) => emptied.push(owner));
  assert.deepEqual([all.size, orders.size, stock.size, emptied.sort()], [0, 0, 0, ["orders", "stock"]]);
});
