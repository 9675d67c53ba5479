// Arbitrary values of the kinds that fields have, and the ways to put them together.

import fc from "fast-check";

type OfKind<Message extends { kind: string }> = {
  [Kind in Message["kind"]]: fc.Arbitrary<Extract<Message, { kind: Kind }>>;
};

export function anyOf<Message extends { kind: string }>(kinds: OfKind<Message>): fc.Arbitrary<Message> {
  return fc.oneof(...(Object.values(kinds) as fc.Arbitrary<Message>[]));
}

/** Any sequence of UTF-16 units, lone surrogates with them. */
const units = fc.array(fc.nat(0xffff), { maxLength: 12 }).map((codes) => String.fromCharCode(...codes));
const fewStrings = fc.constantFrom(
  "",
  "zone",
  "a#@#b#@#c",
  "服务😀",
  "\ud800",
  "\udc00\ud800",
  "\ufeffa",
  "x".repeat(200),
);
export const string = fc.oneof(fewStrings, fc.string(), units);
export const long = fc.oneof(fc.bigInt(-5n, 5n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
export const digest = fc.oneof(fc.constantFrom(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n));
export const natural = fc.oneof(fc.nat(300), fc.maxSafeNat());
export const is = <const T>(value: T) => fc.constant(value);

/** Objects of these fields. An `optional` field may be missing from the object. */
export function record<T>(
  fields: { [Key in keyof T]-?: fc.Arbitrary<Exclude<T[Key], undefined>> },
  ...optional: (keyof T)[]
): fc.Arbitrary<T> {
  const requiredKeys = (Object.keys(fields) as (keyof T)[]).filter((key) => !optional.includes(key));
  return fc.record(fields, { noNullPrototype: true, requiredKeys }) as unknown as fc.Arbitrary<T>;
}

export const list = <T>(element: fc.Arbitrary<T>) => fc.array(element, { maxLength: 4 });
export const plain = fc.stringMatching(/^[ -~]{0,300}$/);
