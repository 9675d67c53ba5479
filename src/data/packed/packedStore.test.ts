// The cost of packed publications, and the remains of those that are gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../base/assert.ts";
import { brandServiceKey, clientId, nodeId } from "../../model/ids.ts";
import type { Publication } from "../../model/publication.ts";
import { PackedMemory } from "./packedStore.ts";
import { PlainMemory } from "./plainStore.ts";
import type { ServicePublications } from "./publicationStore.ts";
import { SLAB_BYTES } from "./slabs.ts";

const MIB = 2 ** 20;
const SERVICES = 50;
const ENCODER = new TextEncoder();

/** Random numbers from a seed. */
function dice(seed: number): (max: number) => number {
  let state = seed;
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * max);
  };
}

const keyOf = (service: number) => brandServiceKey(`service ${service}#@#DEFAULT#@#G`);
const uuid = (number: number): string => `${number.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;

function publication(number: number, change: Partial<Publication> = {}): Publication {
  const client = Math.floor(number / 10);
  const address = `10.${client >> 8}.${client & 0xff}.7:${12_200 + (number % 9)}`;
  return {
    serviceKey: keyOf(number % SERVICES),
    registId: uuid(number),
    version: 1n,
    registeredMs: 1_763_800_000_000 + number,
    owner: { session: nodeId("s1"), client: clientId(`${address}_10.0.0.1:9600#${client}`) },
    zone: "cell-1",
    appName: `app-${client % 5}`,
    attributes: new Map([["weight", String(client % 3)]]),
    payload: ENCODER.encode(`${address}?v=4.0&startTime=${number * 7_919}&zone=cell-1&timeout=3000`.padEnd(150, "-")),
    ...change,
  };
}

function storeOf(payloadDifference: boolean): { memory: PackedMemory; services: ServicePublications[] } {
  const memory = new PackedMemory({ payloadDifference }, { next: Math.random });
  const slots = Array.from({ length: 16 }, () => memory.store());
  const services = Array.from({ length: SERVICES }, (_, at) => (slots[at % 16] ?? memory.store()).service(keyOf(at)));
  return { memory, services };
}

const serviceOf = (services: readonly ServicePublications[], number: number): ServicePublications =>
  services[number % SERVICES] as ServicePublications;

for (const [payloadDifference, bytesMax] of [
  [false, 240],
  [true, 150],
] as const) {
  const form = payloadDifference ? "with differences" : "whole";
  test(`a publication with a payload of 150 bytes, kept ${form}, takes ${bytesMax} bytes`, () => {
    const { memory, services } = storeOf(payloadDifference);
    const count = 80_000;
    for (let number = 0; number < count; number++) serviceOf(services, number).set(publication(number));
    assert.ok(memory.bytes <= bytesMax * count, `${memory.bytes / count} bytes each`);
  });

  test(`memory stays within 1.3 times what a new store takes, kept ${form}, whatever changes`, () => {
    const { services, memory } = storeOf(payloadDifference);
    const oracle = new PlainMemory().store();
    const expected = Array.from({ length: SERVICES }, (_, at) => oracle.service(keyOf(at)));
    changeALot([services, expected]);
    const fresh = storeOf(payloadDifference);
    for (const [at, plain] of expected.entries()) {
      const packed = services[at] as ServicePublications;
      assert.deepEqual(registIdsOf(packed), registIdsOf(plain));
      for (const one of plain.values()) {
        assert.ok(packed.shows(one));
        fresh.services[at]?.set(one);
      }
    }
    // A slab is open, two may be holes, two are spare: in a store of any size.
    const bytesMax = 1.3 * fresh.memory.bytes + 5 * SLAB_BYTES;
    assert.ok(memory.bytes <= bytesMax, `${memory.bytes / MIB} MiB for ${fresh.memory.bytes / MIB} MiB`);
  });
}

const registIdsOf = (service: ServicePublications): string[] =>
  [...service.registrations()].map(({ registId }) => registId);

/** Lengths change, then most go at random, then all are new, then whole services are cleared. */
function changeALot(stores: readonly (readonly ServicePublications[])[]): void {
  const numbersMax = 20_000;
  const roll = dice(1);
  const noise = Uint8Array.from({ length: 10_000 }, () => roll(256));
  const set = (number: number): void => {
    const start = roll(8_000);
    const payload = noise.subarray(start, start + roll(2_000));
    const one = publication(number, number % 2 === 0 ? { payload } : {});
    for (const services of stores) serviceOf(services, number).set(one);
  };
  const remove = (number: number): void => {
    for (const services of stores) serviceOf(services, number).delete(uuid(number));
  };
  for (let number = 0; number < numbersMax; number++) set(number);
  for (let change = 0; change < numbersMax; change++) set(roll(numbersMax));
  for (let change = 0; change < 2 * numbersMax; change++) remove(roll(numbersMax));
  for (let change = 0; change < 2 * numbersMax; change++) {
    remove(roll(2 * numbersMax));
    set(roll(2 * numbersMax));
  }
  for (const services of stores) for (let at = 0; at < SERVICES; at += 3) serviceOf(services, at).clear();
  for (let change = 0; change < 5_000; change++) set(roll(2 * numbersMax));
}

test("clients that come and go leave nothing behind", () => {
  const { memory, services } = storeOf(true);
  for (let round = 0; round < 20; round++) {
    for (let number = 0; number < 1_000; number++) {
      const one = publication(number);
      const client = clientId(`${one.owner.client} ${round}`);
      const attributes = new Map([[`round ${round}`, String(number % 7)]]);
      const appName = `app of ${round}`;
      serviceOf(services, number).set({ ...one, owner: { ...one.owner, client }, appName, attributes });
    }
    assert.deepEqual(memory.shared, { owners: 900, profiles: 7, bases: SERVICES, services: SERVICES });
  }
  for (let number = 0; number < 1_000; number++) serviceOf(services, number).delete(uuid(number));
  assert.deepEqual(memory.shared, { owners: 0, profiles: 0, bases: 0, services: 0 });
});

test("a base goes when payloads have become others, and its last difference with it", () => {
  const { memory, services } = storeOf(true);
  const numbers = Array.from({ length: 100 }, (_, at) => at * SERVICES);
  for (const number of numbers) serviceOf(services, number).set(publication(number));
  const other = (number: number): Uint8Array => ENCODER.encode(`{"host":"h${number}",${'"key":"value",'.repeat(9)}}`);
  for (const number of numbers) serviceOf(services, number).set(publication(number, { payload: other(number) }));
  for (const number of numbers) serviceOf(services, number).set(publication(number, { payload: other(number + 1) }));
  assert.equal(memory.shared.bases, 1);
  for (const number of numbers) {
    assert.deepEqual(serviceOf(services, number).get(uuid(number))?.payload, other(number + 1));
  }
});

test("a large service is cleared at once for who looks at it, and its memory is free a little later", () => {
  const { memory, services } = storeOf(false);
  for (let number = 0; number < 40_000; number++) serviceOf(services, number).set(publication(number));
  const before = memory.bytes;
  for (const service of services) service.clear();
  assert.ok(services.every((service) => service.size === 0 && [...service.values()].length === 0));
  serviceOf(services, 1).set(publication(1, { version: 9n }));
  assert.equal(serviceOf(services, 1).get(uuid(1))?.version, 9n);
  while (memory.tidy(1_000));
  assert.deepEqual(memory.shared, { owners: 1, profiles: 1, bases: 0, services: 1 });
  assert.ok(memory.bytes < before, `${memory.bytes} after ${before}`);
});

test("a slot that holds nothing takes nothing, and one publication some bytes and a part of a slab", () => {
  const memory = new PackedMemory({ payloadDifference: true }, { next: Math.random });
  const slots = Array.from({ length: 256 }, () => memory.store());
  const handles = slots.map((slot) => slot.service(keyOf(0)));
  const before = memory.bytes;
  assert.equal(slots[0]?.bytes, 0);
  for (const handle of handles) handle.set(publication(0));
  assert.ok((slots[0]?.bytes ?? 0) <= 300, `${slots[0]?.bytes} bytes`);
  assert.ok(memory.bytes - before <= SLAB_BYTES + 256 * 80, `${memory.bytes - before} bytes`);
  for (const handle of handles) handle.delete(uuid(0));
  assert.equal((memory.bytes - before) % SLAB_BYTES, 0, "of all that has gone only a slab is left");
});

test("what was read stays as it is, whatever happens to the store", () => {
  const { services } = storeOf(true);
  for (let number = 0; number < 2_000; number++) serviceOf(services, number).set(publication(number));
  const read = [...serviceOf(services, 0).values()];
  const expected = read.map(({ registId }) => publication(Number.parseInt(registId.slice(0, 8), 16)));
  for (const service of services) service.clear();
  for (let number = 0; number < 2_000; number++) {
    serviceOf(services, number).set(publication(number + 7, { serviceKey: keyOf(number % SERVICES) }));
  }
  assert.deepEqual(read, expected);
});

test("publications that are changed while they are iterated are a mistake that shows", () => {
  const { services } = storeOf(false);
  for (let number = 0; number < 200; number++) serviceOf(services, number).set(publication(number));
  assert.throws(() => {
    for (const { registId } of serviceOf(services, 0).registrations()) serviceOf(services, 0).delete(registId);
  }, InvariantError);
});
