// Changes of rules against a meta role that the test plays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, RegistryError } from "../base/errors.ts";
import type { Rule, RuleEdit } from "../model/rule.ts";
import { RuleSet } from "../model/ruleSet.ts";
import { changeRules, type RulePlan } from "./changeRules.ts";
import type { OperatedNode } from "./operatedNode.ts";
import type { Json } from "./schema.ts";

const MESSAGE = { done: "done", preview: "would be done" };

function rule(id: string, epoch: bigint): Rule {
  return { id, effect: "holdPushes", match: {}, isInForce: true, setBy: "", setMs: 0, reason: "", epoch };
}

/** A node with one rule, whose epoch is one more for each change; and the changes that it was asked for. */
function scene({ outcomes = [] as readonly (RegistryError | undefined)[], isReady = true } = {}) {
  const edits: RuleEdit[] = [];
  let epoch = 1n;
  const meta = {
    isReady: () => isReady,
    rules: () => new RuleSet(epoch, [rule("r", epoch)]),
    changeRules: async (edit: RuleEdit) => {
      const outcome = outcomes[edits.length];
      edits.push(edit);
      epoch++;
      if (outcome !== undefined) throw outcome;
    },
  };
  const counted: Json = { registrations: 1, clients: 1, isAtLeast: false };
  const ask = async () => ({ status: 200, body: counted });
  const node = { meta, nowMs: () => 1_000, ask } as unknown as OperatedNode;
  return { node, edits };
}

const plan = (rules: RuleSet): RulePlan => {
  const { effect, match, isInForce, setBy } = rules.get("r") ?? rule("r", 0n);
  const put = [{ id: "r", effect, match, isInForce, setBy, reason: `after ${rules.epoch}` }];
  return { put, removed: [], message: MESSAGE };
};

const change = (node: OperatedNode, isPreview = false, worked = plan) => changeRules(node, worked, { isPreview });

const codeOf = async (changing: Promise<unknown>) =>
  changing.then(
    () => "done",
    (error: unknown) => (error instanceof RegistryError ? error.code : String(error)),
  );

test("a change is worked out anew when another operator was faster, from the rules as they are then", async () => {
  const { node, edits } = scene({ outcomes: [fail("RULE_CHANGED", { rule: "r" }), undefined] });
  await change(node);
  assert.deepEqual(
    edits.map(({ put, expected }) => [put[0]?.reason, expected.get("r")]),
    [
      ["after 1", 1n],
      ["after 2", 2n],
    ],
  );
});

test("a change that is overtaken again and again is given up, and says why", async () => {
  const { node, edits } = scene({ outcomes: new Array(100).fill(fail("RULE_CHANGED", { rule: "r" })) });
  assert.equal(await codeOf(change(node)), "RULE_CHANGED");
  assert.equal(edits.length, 20);
});

for (const code of ["STORE_UNAVAILABLE", "STORE_OUTCOME_UNKNOWN", "RULES_EXHAUSTED"] as const) {
  test(`after ${code} nothing is tried again, and the operator is told`, async () => {
    const { node, edits } = scene({ outcomes: [fail(code)] });
    assert.equal(await codeOf(change(node)), code);
    assert.equal(edits.length, 1);
  });
}

test("a leader that has not read its rules yet changes and shows none", async () => {
  const { node, edits } = scene({ isReady: false });
  assert.equal(await codeOf(change(node)), "STORE_UNAVAILABLE");
  assert.equal(await codeOf(change(node, true)), "STORE_UNAVAILABLE");
  assert.equal(edits.length, 0);
});

test("the answer has each rule that was put or removed, with its new epoch", async () => {
  const { node } = scene();
  const { items } = (await change(node)) as { items: { id: string; change: string; epoch: string }[] };
  assert.deepEqual(
    items.map(({ id, change: its, epoch }) => [id, its, epoch]),
    [["r", "changed", "2"]],
  );
  const both = (rules: RuleSet) => {
    const put = plan(rules).put.map((draft) => ({ ...draft, id: "new", untilMs: 5_000 }));
    return { put, removed: ["r", "gone"], message: MESSAGE };
  };
  const other = (await change(node, false, both)) as { items: { id: string; change: string; until: string | null }[] };
  assert.deepEqual(
    other.items.map(({ id, change: its, until }) => [id, its, until]),
    [
      ["new", "created", "1970-01-01T00:00:05.000Z"],
      ["r", "removed", null],
    ],
  );
});

test("a preview counts what a rule for few would concern, and no more", async () => {
  const { node } = scene();
  const countOf = async (count: number) => {
    const match = { services: new Array(count).fill(""), registeredBeforeMs: 7 };
    const counted = { effect: "holdPushes", match } as const;
    return ((await changeRules(node, plan, { isPreview: true, counted })) as { concerned: object | null }).concerned;
  };
  assert.notEqual(await countOf(500), null);
  assert.equal(await countOf(501), null);
});

test("a preview is checked like the change, and changes nothing", async () => {
  const { node, edits } = scene();
  const answer = (await changeRules(node, plan, {
    isPreview: true,
    counted: { effect: "holdPushes", match: {} },
  })) as { isDone: boolean; concerned: object };
  assert.deepEqual([answer.isDone, answer.concerned], [false, { registrations: 1, clients: 1, isAtLeast: false }]);
  const bad = (rules: RuleSet) => ({ ...plan(rules), put: plan(rules).put.map((draft) => ({ ...draft, id: "a b" })) });
  assert.equal(await codeOf(change(node, true, bad)), "FIELD_INVALID");
  assert.equal(await codeOf(change(node, false, bad)), "FIELD_INVALID");
  assert.equal(edits.length, 0);
});

test("a change of too many rules is refused as a whole", async () => {
  const { node, edits } = scene();
  const removed = Array.from({ length: 91 }, (_, at) => `r${at}`);
  const many = () => ({ put: [], removed, message: MESSAGE });
  assert.equal(await codeOf(change(node, false, many)), "FIELD_INVALID");
  assert.equal(edits.length, 0);
});

test("a change that has nothing to change asks the store for nothing", async () => {
  const { node, edits } = scene();
  const answer = (await change(node, false, () => ({ put: [], removed: [], message: MESSAGE }))) as { isDone: boolean };
  assert.deepEqual([answer.isDone, edits.length], [true, 0]);
});
