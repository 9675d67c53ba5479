import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../model/rule.ts";
import { RuleSet } from "../model/ruleSet.ts";
import { DynamicOptions } from "./dynamicOptions.ts";

function rules(...settings: readonly [string, string][]): RuleSet {
  const words = { setBy: "me", setMs: 0, reason: "" };
  const rule: Rule = { id: "a", effect: "changeSettings", match: {}, isInForce: true, ...words, epoch: 1n };
  return new RuleSet(1n, [{ ...rule, settings: new Map(settings) }]);
}

test("parts of a role see what operators set, and the configured value when that is gone", () => {
  const configured = { pushRetriesMax: 3, pushWindowMaxMs: 1_000, zone: "z1" };
  const dynamic = new DynamicOptions(configured, { zone: "z1", name: "s1" });
  const { options } = dynamic;
  dynamic.rulesChanged(rules(["push-retries-max", "1"], ["session-lease-ms", "5000"]));
  assert.deepEqual(options, { ...configured, pushRetriesMax: 1 }, "and nothing that is no option of the role");
  assert.deepEqual(dynamic.settings, { pushRetriesMax: 1, sessionLeaseMs: 5_000 });
  dynamic.rulesChanged(rules(["push-window-max-ms", "0"]));
  assert.deepEqual(options, { ...configured, pushWindowMaxMs: 0 });
  dynamic.rulesChanged(new RuleSet(2n, []));
  assert.deepEqual(options, configured);
  assert.deepEqual(dynamic.settings, {});
  assert.equal(configured.pushRetriesMax, 3);
});
