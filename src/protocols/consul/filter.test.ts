import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConsulError } from "./errors.ts";
import { parseFilter } from "./filter.ts";

const ROW = {
  Node: { Node: "n1", Meta: { rack: "r1" } },
  Service: { Port: 80, Tags: ["a", "b"], Meta: { "a.b": "c", ver: "1" }, EnableTagOverride: false, Address: "" },
  Checks: [{ Status: "passing" }, { Status: "critical" }],
};

const CASES: Record<string, boolean> = {
  "Service.Port == 80": true,
  "Service.Port != 80": false,
  'Service.Port == "80"': true,
  "Service.EnableTagOverride == false": true,
  "Service.Tags contains a": true,
  "Service.Tags not contains a": false,
  '"a" in Service.Tags': true,
  "a in Service.Tags": true,
  '"a" not in Service.Tags': false,
  "Service.Address is empty": true,
  "Service.Address is not empty": false,
  "Service.Meta.none is empty": true,
  'Service.Meta["a.b"] == c': true,
  '"ver" in Service.Meta': true,
  "Node.Node matches `^n[0-9]$`": true,
  "Node.Node not matches `^n[0-9]$`": false,
  "Checks.Status == critical": true,
  "Checks.Status == warning": false,
  "not Checks.Status == warning": true,
  "Service.Port == 1 or Node.Node == n1": true,
  "Service.Port == 1 or Node.Node == n1 and Node.Node == n2": false,
  "(Service.Port == 1 or Node.Node == n1) and Node.Meta.rack == r1": true,
};
for (const [filter, expected] of Object.entries(CASES)) {
  test(`${filter} is ${expected}`, () => assert.equal(parseFilter(filter)(ROW), expected));
}

const BAD = [
  "Service.Port",
  "Service.Port ==",
  "== 80",
  "Service.Port = 80",
  "Service.Port == 80 80",
  "(Service.Port == 80",
  "Service..Port == 80",
  'Service.Port == "80',
  "Service.Tags in",
  "Service.Port is full",
  "Node.Node matches `(?=n)`",
  "Node.Node matches `(`",
  `${"(".repeat(100)}Service.Port == 80`,
  "x".repeat(5_000),
];
for (const filter of BAD) {
  test(`${filter.slice(0, 40)} is refused`, () => assert.throws(() => parseFilter(filter)(ROW), ConsulError));
}

test("a selector of no row is refused, and any text is a filter or a refusal", () => {
  assert.throws(() => parseFilter("Nothing == 1")(ROW), ConsulError);
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      try {
        parseFilter(text)(ROW);
      } catch (error) {
        assert.ok(error instanceof ConsulError, String(error));
      }
    }),
  );
});
