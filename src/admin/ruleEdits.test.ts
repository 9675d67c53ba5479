import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey } from "../model/ids.ts";
import type { Rule, RuleEffect, RuleMatch } from "../model/rule.ts";
import { RuleSet } from "../model/ruleSet.ts";
import { isBlacklistRule, isOfflineRule, isStopRule, ruleIdFor, rulesInForce, withoutNames } from "./ruleEdits.ts";

const ORDERS = brandServiceKey("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");

function rule(id: string, effect: RuleEffect, match: RuleMatch, changes: Partial<Rule> = {}): Rule {
  return { id, effect, match, isInForce: true, setBy: "", setMs: 0, reason: "", epoch: 1n, ...changes };
}

const KINDS: readonly (readonly [what: string, rule: Rule, kind: "offline" | "stop" | "blacklist" | "none"])[] = [
  ["hides addresses", rule("any", "hidePublications", { addresses: ["10.0.0.1"] }), "offline"],
  ["hides all addresses but some", rule("any", "hidePublications", { exceptAddresses: ["10.0.0.1"] }), "offline"],
  ["holds pushes beside it", rule("any:sub", "holdPushes", { addresses: ["10.0.0.1"] }), "offline"],
  [
    "is SOFARegistry's list of clients",
    rule("registry.client.off.list:sub", "holdPushes", { addresses: [] }),
    "offline",
  ],
  ["holds pushes of addresses", rule("stop-push-x", "holdPushes", { addresses: ["10.0.0.1"] }), "stop"],
  ["holds all pushes", rule("session.stop.push.data.switch", "holdPushes", {}), "stop"],
  ["hides services", rule("any", "hidePublications", { services: [ORDERS] }), "blacklist"],
  ["hides beginnings", rule("any", "hidePublications", { servicePrefixes: ["com."] }), "blacklist"],
  [
    "hides services at addresses",
    rule("any", "hidePublications", { services: [ORDERS], addresses: ["10.0.0.1"] }),
    "none",
  ],
  ["hides a zone", rule("any", "hidePublications", { zones: ["z"] }), "none"],
];

for (const [what, each, kind] of KINDS) {
  test(`a rule that ${what} is ${kind === "none" ? "of no kind" : `of the kind ${kind}`}`, () => {
    const kinds = { offline: isOfflineRule(each), stop: isStopRule(each), blacklist: isBlacklistRule(each) };
    assert.deepEqual(kinds, { offline: kind === "offline", stop: kind === "stop", blacklist: kind === "blacklist" });
  });
}

test("a rule has its effect while it is in force, its time is not over, and it is for somebody", () => {
  const rules = new RuleSet(1n, [
    rule("a", "holdPushes", {}),
    rule("b", "holdPushes", {}, { isInForce: false }),
    rule("c", "holdPushes", {}, { untilMs: 1_000 }),
    rule("d", "holdPushes", {}, { untilMs: 1_001 }),
    rule("e", "holdPushes", { addresses: [] }),
    rule("f", "holdPushes", { exceptAddresses: [] }),
    rule("g", "holdPushes", { addresses: ["10.0.0.1"], registeredBeforeMs: 5 }),
  ]);
  assert.deepEqual(
    rulesInForce(rules, 1_000).map(({ id }) => id),
    ["a", "d", "f", "g"],
  );
});

test("a rule is named by what it is for; the same again is the same rule, and another one gets a number", () => {
  const effect = "hidePublications";
  const named = (rules: readonly Rule[], addresses: readonly string[]) =>
    ruleIdFor(new RuleSet(1n, rules), { word: "offline", effect, match: { addresses }, names: addresses });
  assert.equal(named([], ["10.0.0.7"]), "offline-10.0.0.7");
  assert.equal(named([], ["10.0.0.0/8"]), "offline-10.0.0.0-8");
  assert.equal(named([], ["[2001:db8::1]"]), "offline-2001:db8::1");
  const three = ["10.0.0.7", "10.0.0.8", "10.0.0.9"];
  assert.equal(named([], three), "offline-10.0.0.7-and-2-more");
  const first = rule("offline-10.0.0.7-and-2-more", effect, { addresses: three, exceptAddresses: ["10.0.0.8"] });
  assert.equal(named([first], [...three].reverse()), "offline-10.0.0.9-and-2-more");
  assert.equal(named([first], ["10.0.0.7", "10.0.0.9", "10.0.0.8"]), first.id);
  assert.equal(named([first], ["10.0.0.7", "10.0.0.9", "10.0.0.1"]), `${first.id}-2`);
  assert.equal(named([], ["x".repeat(300)]).length, 88);
});

test("names are taken out of a list", () => {
  assert.deepEqual(withoutNames(["a", "b"], ["a", "c"]), ["b"]);
  assert.equal(withoutNames(["a"], ["a"]), undefined);
  assert.equal(withoutNames(["a"], ["b"]), "same");
  assert.equal(withoutNames(undefined, ["b"]), "same");
});
