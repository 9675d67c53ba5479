import assert from "node:assert/strict";
import { test } from "node:test";
import { type NetworkFault, rulesetOf } from "./rules.ts";

const ADDRESSES = new Map([
  ["data1", "10.231.0.11"],
  ["meta1", "10.231.0.21"],
]);

function rules(host: string, ...faults: NetworkFault[]): string[] {
  const lines = rulesetOf(host, faults, ADDRESSES).split("\n");
  return lines.slice(lines.findIndex((line) => line.includes('"lo"')) + 1, -3).map((line) => line.trim());
}

test("a cut drops what arrives, at the receiver only", () => {
  const cut: NetworkFault = { kind: "drop", from: "data1", to: "meta1" };
  assert.deepEqual(rules("meta1", cut), ["ip saddr 10.231.0.11 drop"]);
  assert.deepEqual(rules("data1", cut), []);
});

test("loss takes a share of all packets", () => {
  assert.deepEqual(rules("data1", { kind: "loss", to: "data1", percent: 5 }), ["numgen random mod 100 < 5 drop"]);
});

test("a healed host has a ruleset too, an empty one that replaces the one before", () => {
  assert.deepEqual(rules("data1"), []);
  assert.match(rulesetOf("data1", [], ADDRESSES), /delete table inet faults/);
});
