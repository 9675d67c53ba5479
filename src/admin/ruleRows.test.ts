import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous, type Principal } from "../access/principal.ts";
import { brandServiceKey } from "../model/ids.ts";
import type { Rule, RuleMatch } from "../model/rule.ts";
import { concernsOf, intentOf, matchRow, ruleRow } from "./ruleRows.ts";

const NOTHING = { reason: "", setBy: "", for: undefined, until: undefined };
const ANA: Principal = { kind: "user", name: "ana", roles: ["operator"], from: "10.0.0.9" };

const SETTERS: readonly (readonly [caller: Principal, named: string, setBy: string])[] = [
  [anonymous("10.0.0.9"), "", "an operator at 10.0.0.9"],
  [anonymous("10.0.0.9"), "bob", "bob"],
  [ANA, "", "ana"],
  [ANA, "ana", "ana"],
  [ANA, "bob", "bob (ana)"],
];

for (const [caller, named, setBy] of SETTERS) {
  test(`a rule of ${caller.name} who says to be "${named}" is set by ${setBy}`, () => {
    assert.equal(intentOf({ ...NOTHING, setBy: named }, { caller, nowMs: () => 0 }).setBy, setBy);
  });
}

test("a rule ends after a time, at a time, or not at all", () => {
  const end = (changes: object) => intentOf({ ...NOTHING, ...changes }, { caller: ANA, nowMs: () => 1_000 }).untilMs;
  assert.equal(end({}), undefined);
  assert.equal(end({ for: 60_000 }), 61_000);
  assert.equal(end({ until: 2_000 }), 2_000);
  assert.throws(() => end({ until: 1_000 }), /field=until.*a time after 1970-01-01T00:00:01/);
  assert.throws(() => end({ until: 2_000, for: 1 }), /field=until.*not both/);
});

const ORDERS = brandServiceKey("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
const STOCK = brandServiceKey("stock#@#i#@#g");

const WORDS: readonly (readonly [match: RuleMatch, words: string])[] = [
  [{}, "all clients"],
  [{ exceptAddresses: ["10.0.0.1"] }, "all clients; except those at 10.0.0.1"],
  [
    { addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"] },
    "clients at 10.0.0.1, 10.0.0.2, 10.0.0.3 and 1 more",
  ],
  [{ addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] }, "clients at 10.0.0.1, 10.0.0.2, 10.0.0.3"],
  [{ addresses: [] }, "clients at none"],
  [{ services: [ORDERS, STOCK], zones: ["z"] }, "service orders, stock#@#i#@#g; zone z"],
  [{ servicePrefixes: ["com."], sessions: ["s1"] }, "services that begin with com.; session s1"],
  [{ registeredBeforeMs: 0 }, "registered before 1970-01-01T00:00:00.000Z"],
];

for (const [match, words] of WORDS) {
  test(`conditions in words: ${words}`, () => assert.equal(concernsOf(match), words));
}

const RULE: Rule = {
  id: "r",
  effect: "changeSettings",
  match: {},
  settings: new Map([["push-window-max-ms", "250"]]),
  isInForce: true,
  setBy: "ana",
  setMs: 0,
  reason: "busy",
  epoch: 7n,
};

test("a rule is shown with its end and its epoch", () => {
  const { until, epoch, setAt } = ruleRow({ ...RULE, untilMs: 1_000 });
  assert.deepEqual([until, epoch, setAt], ["1970-01-01T00:00:01.000Z", "7", "1970-01-01T00:00:00.000Z"]);
  assert.equal(ruleRow(RULE)["until"], null);
});

test("a rule that changes settings is shown with their values and the nodes that take them", () => {
  assert.equal(ruleRow(RULE)["concerns"], "push-window-max-ms=250; all nodes");
  const some = { ...RULE, match: { zones: ["z1"], sessions: ["s1"] } };
  assert.equal(ruleRow(some)["concerns"], "push-window-max-ms=250; nodes of zone z1; node s1");
});

test("the conditions of a rule are shown whole; those that it does not have are null", () => {
  const none = { addresses: null, services: null, servicePrefixes: null, zones: null, sessions: null };
  assert.deepEqual(matchRow({}), { ...none, exceptAddresses: [], registeredBefore: null });
  const match: RuleMatch = {
    ...{ addresses: ["10.0.0.0/8"], exceptAddresses: ["10.0.0.1"], services: [ORDERS], servicePrefixes: ["com."] },
    ...{ zones: ["z1"], sessions: ["s1"], registeredBeforeMs: 0 },
  };
  const { registeredBeforeMs: _, ...lists } = match;
  assert.deepEqual(matchRow(match), { ...lists, registeredBefore: "1970-01-01T00:00:00.000Z" });
});
