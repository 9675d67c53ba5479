import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { brandServiceKey } from "./ids.ts";
import { type DigestedRegistration, RegistrationDigest } from "./registrationDigest.ts";

const registrations: fc.Arbitrary<DigestedRegistration> = fc.record({
  serviceKey: fc.string().map(brandServiceKey),
  registId: fc.string(),
  version: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  registeredMs: fc.integer({ min: 0, max: 2 ** 45 }),
});

function digestOf(all: readonly DigestedRegistration[]): RegistrationDigest {
  const digest = new RegistrationDigest();
  for (const one of all) digest.add(one);
  return digest;
}

test("the order in which registrations come does not matter", () => {
  fc.assert(
    fc.property(fc.array(registrations), (all) => {
      assert.equal(digestOf(all).value, digestOf(all.toReversed()).value);
    }),
  );
});

test("what is taken out leaves no trace", () => {
  fc.assert(
    fc.property(fc.array(registrations), registrations, (all, one) => {
      const digest = digestOf([one, ...all]);
      digest.remove(one);
      assert.deepEqual([digest.count, digest.value], [all.length, digestOf(all).value]);
    }),
  );
});

const one: DigestedRegistration = { serviceKey: brandServiceKey("ab"), registId: "c", version: 7n, registeredMs: 5 };

for (const [what, other] of [
  ["the version", { ...one, version: 8n }],
  ["the upper half of the version", { ...one, version: 7n + 2n ** 32n }],
  ["the time", { ...one, registeredMs: 6 }],
  ["the upper half of the time", { ...one, registeredMs: 5 + 2 ** 32 }],
  ["the registId", { ...one, registId: "d" }],
  ["where the registId ends", { ...one, registId: "ca", serviceKey: brandServiceKey("b") }],
] as const) {
  test(`another digest comes of ${what}`, () => {
    assert.notEqual(digestOf([one]).value, digestOf([other]).value);
  });
}
