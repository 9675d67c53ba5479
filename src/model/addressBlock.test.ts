import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RegistryError } from "../base/errors.ts";
import { AddressBlocks, isBlock, readAddressOrBlock } from "./addressBlock.ts";

const FORMS: readonly [text: string, form: string][] = [
  ["10.0.0.1", "10.0.0.1"],
  ["[2001:DB8::1]", "[2001:db8::1]"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["10.0.0.1/32", "10.0.0.1/32"],
  ["2001:db8::/32", "[2001:db8::]/32"],
  ["::/0", "[::]/0"],
  ["::1/128", "[::1]/128"],
];

for (const [text, form] of FORMS) {
  test(`${text} has the one form ${form}`, () => {
    assert.equal(readAddressOrBlock(text), form);
    assert.equal(readAddressOrBlock(form), form);
    assert.equal(isBlock(form), text.includes("/"));
  });
}

for (const text of [
  "",
  "/8",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/08",
  "10.0.0.0/-1",
  "10.0.0.0/8/8",
  "::/129",
  "a/8",
]) {
  test(`"${text}" is neither an address nor a block`, () => {
    const error = readAddressOrBlock(text);
    assert.ok(error instanceof RegistryError);
    assert.match(error.message, /FIELD_INVALID.*10\.0\.0\.0\/8/);
  });
}

test("a block with bits behind its prefix is refused with the block that was probably meant", () => {
  assert.match(String(readAddressOrBlock("10.1.2.3/8")), /the first address of the block: 10\.0\.0\.0\/8/);
  assert.match(String(readAddressOrBlock("2001:db8::1/32")), /2001:db8::/);
});

test("a set of blocks has the addresses of each of them and no others", () => {
  const blocks = new AddressBlocks([
    "10.0.0.0/8",
    "192.168.1.128/25",
    "[2001:db8::]/33",
    "1.2.3.4/32",
    "10.0.0.1",
    "x/y",
  ]);
  for (const host of ["10.0.0.0", "10.255.255.255", "192.168.1.128", "1.2.3.4", "[2001:db8:7fff::1]"]) {
    assert.ok(blocks.has(host), host);
  }
  for (const host of [
    "11.0.0.0",
    "9.255.255.255",
    "192.168.1.127",
    "1.2.3.5",
    "[2001:db8:8000::1]",
    "[::a00:1]",
    "",
    "c1",
  ]) {
    assert.ok(!blocks.has(host), host);
  }
});

test("the block of everything of IPv4 has no IPv6", () => {
  const blocks = new AddressBlocks(["0.0.0.0/0"]);
  assert.deepEqual([blocks.has("8.8.8.8"), blocks.has("[2001:db8::1]")], [true, false]);
  assert.ok(new AddressBlocks(["[::]/0"]).has("8.8.8.8"));
});

test("a block has exactly the addresses that begin with its bits", () => {
  const numbers = fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }));
  fc.assert(
    fc.property(numbers, ([network, host, bits]) => {
      const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
      const first = (network & mask) >>> 0;
      const block = readAddressOrBlock(`${dotted(first)}/${bits}`);
      assert.ok(typeof block === "string");
      assert.equal(new AddressBlocks([block]).has(dotted(host)), (host & mask) >>> 0 === first);
    }),
  );
});

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}
