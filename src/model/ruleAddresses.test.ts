import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAddressOrBlock } from "./addressBlock.ts";
import { brandServiceKey } from "./ids.ts";
import type { RuleMatch } from "./rule.ts";
import { AddressList, withoutAddresses } from "./ruleAddresses.ts";
import { RuleMatcher } from "./ruleSet.ts";

const CASES: readonly (readonly [
  behaviour: string,
  match: RuleMatch,
  taken: readonly string[],
  expected: RuleMatch | "none" | "same",
])[] = [
  ["one of two addresses", { addresses: ["10.0.0.1", "10.0.0.2"] }, ["10.0.0.1"], { addresses: ["10.0.0.2"] }],
  ["the only address", { addresses: ["10.0.0.1"] }, ["10.0.0.1"], "none"],
  ["an address that is not named", { addresses: ["10.0.0.1"] }, ["10.0.0.3"], "same"],
  [
    "an address within a block",
    { addresses: ["10.0.0.0/24"] },
    ["10.0.0.7"],
    { addresses: ["10.0.0.0/24"], exceptAddresses: ["10.0.0.7"] },
  ],
  [
    "an address within a block that is excepted already",
    { addresses: ["10.0.0.0/24"], exceptAddresses: ["10.0.0.7"] },
    ["10.0.0.7"],
    "same",
  ],
  [
    "an address that is named and within a block",
    { addresses: ["10.0.0.7", "10.0.0.0/24"] },
    ["10.0.0.7"],
    { addresses: ["10.0.0.0/24"], exceptAddresses: ["10.0.0.7"] },
  ],
  ["a block, with the addresses in it", { addresses: ["10.0.0.7", "10.0.0.0/25"] }, ["10.0.0.0/24"], "none"],
  [
    "a block, with the exceptions in it",
    { addresses: ["10.0.0.0/24", "10.1.0.0/24"], exceptAddresses: ["10.0.0.7", "10.1.0.7"] },
    ["10.0.0.0/24"],
    { addresses: ["10.1.0.0/24"], exceptAddresses: ["10.1.0.7"] },
  ],
  [
    "a block within a block, which covers an earlier exception",
    { addresses: ["10.0.0.0/16"], exceptAddresses: ["10.0.1.7"] },
    ["10.0.1.0/24"],
    { addresses: ["10.0.0.0/16"], exceptAddresses: ["10.0.1.0/24"] },
  ],
  ["an address of a rule for all", {}, ["10.0.0.1"], { exceptAddresses: ["10.0.0.1"] }],
  ["an address of IPv6 within a block of IPv4", { addresses: ["0.0.0.0/0"] }, ["[2001:db8::1]"], "same"],
  [
    "the other conditions stay",
    { addresses: ["10.0.0.1", "10.0.0.2"], zones: ["z"] },
    ["10.0.0.1"],
    { addresses: ["10.0.0.2"], zones: ["z"] },
  ],
];

for (const [behaviour, match, taken, expected] of CASES) {
  test(`addresses are taken out of a rule: ${behaviour}`, () => {
    const out = withoutAddresses(match, new AddressList(taken));
    assert.deepEqual(out === "same" ? out : (out.match ?? "none"), expected);
  });
}

// A small part of all addresses, so that they meet.
const host = fc.integer({ min: 0, max: 15 }).map((last) => `10.0.0.${last}`);
const block = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 28, max: 32 }))
  .map(([last, bits]) => String(readAddressOrBlock(`10.0.0.${last & (0xff << (32 - bits)) & 15}/${bits}`)));
const addresses = fc.array(fc.oneof(host, block), { maxLength: 5 });

function holdsFor(match: RuleMatch | undefined, address: string): boolean {
  const subject = { serviceKey: brandServiceKey("a#@#b#@#c"), zone: "", session: "", registeredMs: 0 };
  return match !== undefined && new RuleMatcher(match).matches({ ...subject, host: address });
}

test("the rule holds for none of those that were taken out, and for all others as before", () => {
  fc.assert(
    fc.property(addresses, addresses, addresses, fc.boolean(), (named, except, taken, isForAll) => {
      const match = { ...(!isForAll && { addresses: named }), ...(except.length > 0 && { exceptAddresses: except }) };
      const out = withoutAddresses(match, new AddressList(taken));
      const after = out === "same" ? match : out.match;
      for (let last = 0; last < 16; last++) {
        const address = `10.0.0.${last}`;
        const isTaken = taken.length > 0 && holdsFor({ addresses: taken }, address);
        assert.equal(holdsFor(after, address), holdsFor(match, address) && !isTaken, address);
      }
    }),
  );
});

test("a mebibyte of addresses is taken out of ten thousand rules in less than a second", () => {
  const many = Array.from({ length: 140_000 }, (_, at) => `11.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  const taken = new AddressList(many);
  const begunMs = performance.now();
  for (let at = 0; at < 10_000; at++) {
    assert.equal(withoutAddresses({ addresses: [`10.0.${at >> 8}.${at & 255}`] }, taken), "same");
  }
  assert.ok(performance.now() - begunMs < 1_000);
});
