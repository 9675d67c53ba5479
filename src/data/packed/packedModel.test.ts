// The packed store against the obvious one: after any operations, both must have the same content.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { brandServiceKey, clientId, hostNumberOf, nodeId } from "../../model/ids.ts";
import type { Condition, Publication } from "../../model/publication.ts";
import { PackedMemory } from "./packedStore.ts";
import { PlainMemory } from "./plainStore.ts";
import type { PublicationMemory, ServicePublications } from "./publicationStore.ts";

const SERVICES = 4;
const KEYS = Array.from({ length: SERVICES }, (_, at) => brandServiceKey(`service ${at}#@#DEFAULT#@#G`));
const UUID = "01234567-89ab-cdef-0123-456789abcdef";

const oddIds = [
  "",
  "\0",
  "a\0",
  "\ud800",
  "\udc00\ud800",
  "Ünïcode",
  "\ufeffmark",
  "x".repeat(10_000),
  "é".repeat(10_000),
  UUID.toUpperCase(),
  `${UUID} `,
  UUID.replace("a", "g"),
  UUID.replaceAll("-", "_"),
  UUID.replace("01234567-", "0123456-7"),
  UUID.replace("f", "\u0166"),
];
const id = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 9 }).map((digit) => UUID.replace("0", String(digit))) },
  { weight: 2, arbitrary: fc.constantFrom(...oddIds) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)) },
);
const version = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc.constantFrom(-1n, 255n, 256n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const registeredMs = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom(0.1, -0, 1_763_800_000_000.25, Number.MAX_VALUE, Number.NEGATIVE_INFINITY),
);
const NOISE = Uint8Array.from({ length: 2 ** 20 + 100 }, (_, at) => (at * at * 37 + (at >> 4)) & 0xff);
// Similar for one seed, so that differences find matches, and of every size that is stored in its own way.
const payload = fc
  .record({
    length: fc.oneof(
      { weight: 60, arbitrary: fc.constantFrom(0, 1, 7, 40, 150, 151, 158, 300) },
      { weight: 4, arbitrary: fc.constantFrom(4_096, 4_097, 16_000, 17_000) },
      { weight: 1, arbitrary: fc.constant(2 ** 20 + 1) },
    ),
    seed: fc.integer({ min: 0, max: 3 }),
    changed: fc.array(fc.nat(), { maxLength: 4 }),
  })
  .map(({ length, seed, changed }) => {
    const bytes = NOISE.slice(seed * 9, seed * 9 + length);
    for (const at of changed) if (length > 0) bytes[at % length] = at & 0xff;
    return bytes;
  });
const text = fc.constantFrom("", "a", "cell-1", "\ud800", "orders\0");
const owner = fc.record(
  {
    session: fc.constantFrom("s1", "s2").map(nodeId),
    client: fc.constantFrom("c1", "c2", "c3", "\udfff", "10.0.0.1:1_", "10.0.0.2:1_", "10.0.0.2:2_").map(clientId),
  },
  { noNullPrototype: true },
);
const attributes = fc.array(fc.tuple(text, text), { maxLength: 2 }).map((entries) => new Map(entries));
const service = fc.nat({ max: SERVICES - 1 });

type Change =
  | {
      readonly kind: "set";
      readonly at: number;
      readonly publication: Omit<Publication, "serviceKey">;
      readonly isHidden: boolean;
    }
  | { readonly kind: "mark"; readonly at: number; readonly registId: string; readonly isHidden: boolean }
  | {
      readonly kind: "condition";
      readonly at: number;
      readonly registId: string;
      readonly condition: Condition | undefined;
    }
  | { readonly kind: "delete"; readonly at: number; readonly registId: string }
  | { readonly kind: "clear"; readonly at: number }
  | { readonly kind: "tidy" };

const condition = fc.constantFrom<Condition>(
  { isHealthy: false },
  { isHealthy: false, weight: 2 },
  { isEnabled: false },
  { weight: 2 },
);
const lease = fc.constantFrom({ removedAfterMs: 30_000 }, { removedAfterMs: 30_000, unhealthyAfterMs: 15_000 });
const plainFields = { registId: id, version, registeredMs, owner, zone: text, appName: text, attributes, payload };
const publication = fc.record(
  { ...plainFields, condition, lease },
  { noNullPrototype: true, requiredKeys: Object.keys(plainFields) as (keyof typeof plainFields)[] },
);
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant("set" as const), at: service, publication, isHidden: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("mark" as const), at: service, registId: id, isHidden: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("condition" as const),
      at: service,
      registId: id,
      condition: fc.option(condition, { nil: undefined }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("delete" as const), at: service, registId: id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), at: service }) },
  { weight: 1, arbitrary: fc.constant({ kind: "tidy" as const }) },
);

/** Two slots with two services each. */
function servicesOf(memory: PublicationMemory): ServicePublications[] {
  const stores = [memory.store(), memory.store()] as const;
  return KEYS.map((key, at) => (at % 2 === 0 ? stores[0] : stores[1]).service(key));
}

function apply(memory: PublicationMemory, services: readonly ServicePublications[], one: Change): unknown {
  if (one.kind === "tidy") return void memory.tidy(10_000);
  const at = services[one.at] as ServicePublications;
  if (one.kind === "clear") return at.clear();
  if (one.kind === "delete") return at.delete(one.registId);
  if (one.kind === "mark") return at.mark(one.registId, one.isHidden);
  if (one.kind === "condition") return at.setCondition(one.registId, one.condition);
  const serviceKey = KEYS[one.at] as Publication["serviceKey"];
  const known = at.shows({ ...one.publication, serviceKey });
  at.set({ ...one.publication, serviceKey }, one.isHidden);
  return known;
}

function assertSame(packed: ServicePublications, plain: ServicePublications): void {
  assert.equal(packed.size, plain.size);
  assert.equal(packed.listBytes, plain.listBytes);
  const expected = [...plain.values()];
  assert.deepEqual([...packed.values()], expected);
  assert.deepEqual([...packed.shown()], [...plain.shown()]);
  assert.deepEqual([...packed.marked()], [...plain.marked()]);
  const registrations = expected.map(({ serviceKey, registId, version, registeredMs, owner }) => {
    return { serviceKey, registId, version, registeredMs, owner };
  });
  assert.deepEqual([...packed.registrations()], registrations);
  const ofC1 = registrations.filter(({ owner }) => owner.client === "c1");
  assert.deepEqual([...packed.registrations(({ client }) => client === "c1")], ofC1);
  for (const host of expected.slice(0, 3).map(({ owner }) => hostNumberOf(owner.client))) {
    const atHost = registrations.filter(({ owner }) => hostNumberOf(owner.client) === host);
    assert.deepEqual([...packed.marked(new Set([host]))], [...plain.marked(new Set([host]))]);
    for (const service of [packed, plain]) {
      const search = service.searchAt(new Set([host]));
      const told: string[] = [];
      let looked = 0;
      while (!search.isDone) {
        const found = search.next(2);
        looked += search.looked;
        if (found !== undefined) told.push(found.registId);
      }
      assert.deepEqual(
        told,
        atHost.map(({ registId }) => registId),
      );
      assert.equal(looked, expected.length);
    }
  }
  for (const [at, held] of expected.entries()) {
    assert.deepEqual(packed.get(held.registId), held);
    assert.deepEqual(packed.registration(held.registId), registrations[at]);
    assert.equal(packed.isHidden(held.registId), plain.isHidden(held.registId));
    assert.equal(packed.shows(held), true);
    assert.equal(packed.shows({ ...held, zone: `${held.zone}2` }), false);
    assert.equal(packed.shows({ ...held, condition: { weight: 3 } }), false);
    assert.equal(packed.shows({ ...held, payload: Uint8Array.of(...held.payload.subarray(0, 9), 1) }), false);
  }
  for (const registId of oddIds) assert.deepEqual(packed.get(registId), plain.get(registId));
}

for (const payloadDifference of [false, true]) {
  const form = payloadDifference ? "packed with differences" : "packed";
  test(`publications that are ${form} come back as they went in, in the same order`, () => {
    const changes = fc.array(change, { minLength: 1, maxLength: 120, size: "max" });
    const property = fc.property(changes, (all) => {
      const memory = new PackedMemory({ payloadDifference }, { next: Math.random });
      const plainMemory = new PlainMemory();
      const packed = servicesOf(memory);
      const plain = servicesOf(plainMemory);
      for (const one of all) assert.deepEqual(apply(memory, packed, one), apply(plainMemory, plain, one));
      for (const [at, service] of packed.entries()) assertSame(service, plain[at] as ServicePublications);
      for (const service of packed) service.clear();
      while (memory.tidy(1_000));
      assert.deepEqual(memory.shared, { owners: 0, profiles: 0, bases: 0, services: 0 });
    });
    fc.assert(property, { numRuns: 100 });
  });
}

test("a search finds the same while publications are set, marked, removed and moved", () => {
  const changes = fc.array(
    change.filter(({ kind }) => kind !== "clear"),
    { maxLength: 120, size: "max" },
  );
  const hosts = new Set(["c1", "10.0.0.1:1_", "10.0.0.2:1_"].map((client) => hostNumberOf(clientId(client))));
  const property = fc.property(changes, changes, (before, meanwhile) => {
    const memory = new PackedMemory({ payloadDifference: true }, { next: Math.random });
    const plainMemory = new PlainMemory();
    const packed = servicesOf(memory);
    const plain = servicesOf(plainMemory);
    const both = (one: Change) => void [apply(memory, packed, one), apply(plainMemory, plain, one)];
    before.forEach(both);
    const search = (packed[0] as ServicePublications).searchAt(hosts);
    const plainSearch = (plain[0] as ServicePublications).searchAt(hosts);
    const goOn = () => {
      // A search in a Map that has come to its end stays there.
      if (!search.isDone) assert.equal(search.next(1)?.registId, plainSearch.next(1)?.registId);
    };
    for (const one of meanwhile) {
      both(one);
      goOn();
    }
    while (!search.isDone) goOn();
    assert.equal(plainSearch.next(1), undefined);
    assert.equal(plainSearch.isDone, true);
  });
  fc.assert(property, { numRuns: 200 });
});
