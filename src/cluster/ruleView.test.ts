import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../model/rule.ts";
import type { RulesMessage } from "./messages/membership.ts";
import { RuleView } from "./ruleView.ts";

function rule(id: string, epoch: bigint): Rule {
  const words = { setBy: "me", setMs: 0, reason: "" };
  return { id, effect: "hidePublications", match: { addresses: ["10.0.0.1"] }, isInForce: true, ...words, epoch };
}

function rules(epoch: bigint, changes: Partial<RulesMessage> = {}): RulesMessage {
  return { kind: "rules", epoch, put: [], removed: [], ...changes };
}

function idsIn(view: RuleView): string[] {
  return [...view.rules.rules()].map(({ id }) => id);
}

test("all rules come first, then changes of them", () => {
  const view = new RuleView();
  assert.equal(typeof view.received(rules(3n, { put: [rule("a", 2n), rule("b", 3n)] })), "object");
  assert.equal(typeof view.received(rules(4n, { base: 3n, put: [rule("c", 4n)], removed: ["a"] })), "object");
  assert.deepEqual([idsIn(view), view.rules.epoch], [["b", "c"], 4n]);
});

test("rules of an earlier epoch, or of the same, change nothing", () => {
  const view = new RuleView();
  view.received(rules(3n, { put: [rule("a", 3n)] }));
  for (const message of [rules(2n), rules(3n), rules(3n, { base: 2n, removed: ["a"] })]) {
    assert.equal(view.received(message), "known");
  }
  assert.deepEqual(idsIn(view), ["a"]);
});

test("a change of other rules than those here can't be applied: the whole ones are needed", () => {
  const view = new RuleView();
  view.received(rules(3n, { put: [rule("a", 3n)] }));
  assert.equal(view.received(rules(6n, { base: 5n, removed: ["a"] })), "behind");
  assert.deepEqual([idsIn(view), view.rules.epoch], [["a"], 3n]);
});

test("of whole rules only what differs is a change, and what is the same stays the same object", () => {
  const view = new RuleView();
  view.received(rules(3n, { put: [rule("a", 2n), rule("b", 3n), rule("c", 3n)] }));
  const a = view.rules.get("a");
  const taken = view.received(rules(9n, { put: [rule("a", 2n), rule("b", 8n)] }));
  assert.ok(typeof taken === "object");
  assert.deepEqual([taken.change.put.map(({ id }) => id), taken.change.removed], [["b"], ["c"]]);
  assert.equal(view.rules.get("a"), a);
});
