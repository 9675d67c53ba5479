import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../cluster/messages/membership.ts";
import { nodeId } from "../model/ids.ts";
import type { Rule, RuleDraft, RuleEdit } from "../model/rule.ts";
import { RuleKeeper } from "./ruleKeeper.ts";

const NOW_MS = 1_700_000_000_000;
const D1: Member = { id: nodeId("d1.1"), role: "data" };

function draft(changes: Partial<RuleDraft> = {}): RuleDraft {
  const match = { addresses: ["10.0.0.1"] };
  return { id: "off-1", effect: "hidePublications", match, isInForce: true, setBy: "me", reason: "", ...changes };
}

function edit(changes: Partial<RuleEdit> = {}): RuleEdit {
  return { put: [], removed: [], expected: new Map(), ...changes };
}

/** A keeper of these rules, saved one after the other. */
function keeperOf(...drafts: readonly RuleDraft[]): RuleKeeper {
  const keeper = new RuleKeeper();
  keeper.load({ epoch: 0n, rules: [] }, NOW_MS);
  for (const one of drafts) save(keeper, edit({ put: [one] }));
  return keeper;
}

/** Makes a change and saves it. Returns the answer, or the message to members. */
function save(keeper: RuleKeeper, change: RuleEdit, nowMs = NOW_MS) {
  const refusal = keeper.edit(1, change, nowMs);
  if (refusal !== undefined) return { refusal };
  const [refused] = keeper.refuseNext();
  const begun = keeper.begin(1, nowMs);
  if (begun === undefined) return { refusal: refused?.error };
  assert.equal(keeper.ended()?.request, 1);
  return { message: keeper.saved(begun, NOW_MS) };
}

test("a change is published once it is saved, as a change of the rules before", () => {
  const keeper = keeperOf();
  assert.equal(keeper.edit(7, edit({ put: [draft()] }), NOW_MS), undefined);
  const begun = keeper.begin(3, NOW_MS);
  assert.ok(begun !== undefined);
  assert.equal(keeper.rules.size, 0);
  assert.deepEqual(keeper.ended(), { term: 3, request: 7, save: begun });
  const message = keeper.saved(begun, NOW_MS);
  assert.deepEqual(message, { kind: "rules", epoch: begun.epoch, base: 0n, put: begun.put, removed: [] });
  assert.equal(keeper.rules.get("off-1")?.setMs, NOW_MS);
  assert.equal(keeper.rules.epoch, begun.epoch);
});

test("of two operators at once the second is told", () => {
  const keeper = keeperOf(draft());
  const epoch = keeper.rules.get("off-1")?.epoch;
  const expected = new Map([["off-1", epoch]]);
  const first = edit({ put: [draft({ reason: "first" })], expected });
  const second = edit({ put: [draft({ reason: "second" })], expected });
  assert.equal(keeper.edit(1, first, NOW_MS), undefined);
  assert.equal(keeper.edit(2, second, NOW_MS), undefined);
  const begun = keeper.begin(1, NOW_MS);
  assert.ok(begun !== undefined);
  keeper.ended();
  keeper.saved(begun, NOW_MS);
  const refused = keeper.refuseNext();
  assert.equal(keeper.begin(1, NOW_MS), undefined);
  assert.deepEqual(
    refused.map(({ request, error }) => [request, error?.code]),
    [[2, "RULE_CHANGED"]],
  );
  assert.equal(keeper.rules.get("off-1")?.reason, "first");
});

test("a rule that must not exist yet is not put twice, and one that is gone is not changed", () => {
  const keeper = keeperOf(draft());
  const isNew = save(keeper, edit({ put: [draft()], expected: new Map([["off-1", undefined]]) }));
  assert.match(String(isNew.refusal), /RULE_CHANGED.*rule=off-1.*epoch=/);
  const isGone = save(keeper, edit({ removed: ["off-2"], expected: new Map([["off-2", 5n]]) }));
  assert.match(String(isGone.refusal), /RULE_CHANGED.*rule=off-2/);
  assert.ok(save(keeper, edit({ removed: ["off-2"] })).message !== undefined);
});

test("a rule that can't be is refused before it waits", () => {
  const keeper = keeperOf();
  const refused = (changes: Partial<RuleDraft>) => String(save(keeper, edit({ put: [draft(changes)] })).refusal);
  assert.match(refused({ match: { addresses: ["10.0.0.1", "10.0.0"] } }), /FIELD_INVALID.*address=10\.0\.0\b/);
  assert.match(refused({ match: {} }), /FIELD_INVALID.*a condition/);
  assert.match(refused({ untilMs: NOW_MS }), /FIELD_INVALID.*untilMs/);
  assert.match(refused({ id: "" }), /FIELD_INVALID.*id/);
  assert.match(refused({ reason: "a\nb" }), /FIELD_INVALID.*reason/);
});

test("a rule ends by itself, unless it was put anew meanwhile", () => {
  const keeper = keeperOf(draft({ untilMs: NOW_MS + 1_000 }));
  assert.equal(keeper.nextMs(), NOW_MS + 1_000);
  assert.equal(keeper.begin(1, NOW_MS + 999), undefined);
  const put = edit({ put: [draft({ untilMs: NOW_MS + 5_000 })] });
  assert.equal(keeper.edit(1, put, NOW_MS + 999), undefined);
  // Both wait; the end comes last and finds another rule.
  const first = keeper.begin(1, NOW_MS + 1_000);
  assert.ok(first !== undefined);
  assert.equal(keeper.nextMs(), Number.POSITIVE_INFINITY);
  keeper.ended();
  keeper.saved(first, NOW_MS);
  assert.deepEqual(
    keeper.refuseNext().map(({ request }) => request),
    [0],
  );
  assert.equal(keeper.begin(1, NOW_MS + 1_001), undefined);
  assert.equal(keeper.nextMs(), NOW_MS + 5_000);
  const end = keeper.begin(1, NOW_MS + 5_000);
  assert.deepEqual(end?.removed, ["off-1"]);
  assert.equal(keeper.ended()?.request, 0);
});

test("a member is told all rules, then only changes, and nothing twice", () => {
  const keeper = keeperOf(draft());
  const { epoch } = keeper.rules;
  const whole = keeper.toTell(D1, 0n, NOW_MS);
  assert.equal(whole?.base, undefined);
  assert.deepEqual(
    whole?.put.map(({ id }: Rule) => id),
    ["off-1"],
  );
  assert.equal(keeper.toTell(D1, 0n, NOW_MS + 1_000), undefined);
  const { message } = save(keeper, edit({ put: [draft({ id: "off-2" })] }));
  assert.ok(message !== undefined);
  assert.equal(keeper.changeToTell(D1, message, epoch, NOW_MS), message);
  assert.equal(keeper.toTell(D1, epoch, NOW_MS + 1_000), undefined);
  assert.equal(keeper.toTell(D1, keeper.rules.epoch, NOW_MS + 9_000), undefined);
  assert.equal(keeper.toTell(D1, epoch, NOW_MS + 9_000)?.put.length, 2);
});

test("what was on its way to a member whose link is new is sent again, and whole", () => {
  const keeper = keeperOf(draft());
  assert.ok(keeper.toTell(D1, 0n, NOW_MS) !== undefined);
  keeper.forget(D1);
  assert.ok(keeper.toTell(D1, 0n, NOW_MS) !== undefined);
  keeper.forget(D1);
  const { message } = save(keeper, edit({ removed: ["off-1"] }));
  assert.ok(message !== undefined);
  assert.deepEqual(keeper.changeToTell(D1, message, 0n, NOW_MS), {
    kind: "rules",
    epoch: message.epoch,
    put: [],
    removed: [],
  });
});

test("rules that were never there are not told", () => {
  assert.equal(keeperOf().toTell(D1, 0n, NOW_MS), undefined);
});

test("a member with later rules than the store has makes the leader read it, and give a later epoch", () => {
  const keeper = keeperOf(draft());
  const { epoch } = keeper.rules;
  assert.equal(keeper.heard(epoch), false);
  assert.equal(keeper.heard(epoch + 5n), true);
  assert.equal(keeper.heard(epoch + 5n), false);
  keeper.load({ epoch, rules: [...keeper.rules.rules()] }, NOW_MS);
  assert.ok(keeper.rules.epoch > epoch + 5n);
  const { message } = save(keeper, edit({ removed: ["off-1"] }));
  assert.ok((message?.epoch ?? 0n) > epoch + 5n);
});

test("a change whose answer comes after the store was read again is published above that", () => {
  const keeper = keeperOf(draft());
  const { epoch } = keeper.rules;
  keeper.edit(1, edit({ put: [draft({ id: "off-2" })] }), NOW_MS);
  const begun = keeper.begin(1, NOW_MS);
  assert.ok(begun !== undefined);
  keeper.load({ epoch, rules: [...keeper.rules.rules()] }, NOW_MS);
  const read = keeper.rules.epoch;
  assert.ok(read > begun.epoch);
  keeper.ended();
  const message = keeper.saved(begun, NOW_MS);
  assert.ok(message.epoch > read && message.base === read);
  assert.equal(keeper.rules.size, 2);
  keeper.edit(2, edit({ removed: ["off-1"] }), NOW_MS);
  assert.ok((keeper.begin(1, NOW_MS)?.epoch ?? 0n) > message.epoch);
});

test("another leader continues with the epoch of the store", () => {
  const rules = [...keeperOf(draft()).rules.rules()];
  const epoch = rules[0]?.epoch ?? 0n;
  const next = new RuleKeeper();
  next.heard(epoch);
  next.load({ epoch, rules }, NOW_MS);
  assert.equal(next.rules.epoch, epoch);
});

test("what is too much is refused with the bound", () => {
  const many = (count: number, match: (at: number) => RuleDraft["match"]) =>
    Array.from({ length: count }, (_, at) => draft({ id: `off-${at}`, match: match(at) }));
  const refused = (put: readonly RuleDraft[]) => String(save(keeperOf(), edit({ put })).refusal);
  const hosts = Array.from({ length: 120_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  assert.match(
    refused([draft({ match: { addresses: hosts.slice(0, 115_000) } })]),
    /RULES_EXHAUSTED.*rule=off-1.*bytesMax/,
  );
  assert.match(refused(many(91, () => ({ addresses: [] }))), /RULES_EXHAUSTED.*rules=91/);
  const keeper = keeperOf();
  const zoned = many(101, (at) => ({ zones: [`z${at}`] }));
  assert.equal(save(keeper, edit({ put: zoned.slice(0, 90) })).refusal, undefined);
  assert.match(String(save(keeper, edit({ put: zoned.slice(90) })).refusal), /RULES_EXHAUSTED.*wide=101.*wideMax=100/);
  assert.match(refused(many(4, () => ({ addresses: hosts.slice(0, 80_000) }))), /RULES_EXHAUSTED.*bytes=.*bytesMax/);
});
