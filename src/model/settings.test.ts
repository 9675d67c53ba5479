import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { settingRefusal } from "./dynamicKeys.ts";
import { checkedRule, type Rule, type RuleDraft } from "./rule.ts";
import { settingRules, settingsIn } from "./settings.ts";

const HERE = { zone: "z1", name: "s1" };

function rule(id: string, epoch: bigint, changes: Partial<Rule> & { settings: ReadonlyMap<string, string> }): Rule {
  const words = { setBy: "me", setMs: 0, reason: "" };
  return { id, effect: "changeSettings", match: {}, isInForce: true, ...words, epoch, ...changes };
}

const settings = (...entries: readonly [string, string][]) => new Map(entries);

test("a node has the values of the rules that are for it, as the configuration would read them", () => {
  const rules = [
    rule("a", 1n, { settings: settings(["push-compress", "0"], ["push-window-max-ms", "250"]) }),
    rule("b", 2n, { settings: settings(["push-encodings", "gzip"]), match: { zones: ["z1", "z2"], sessions: ["s1"] } }),
    rule("c", 3n, { settings: settings(["session-lease-ms", "9000"]), match: { zones: ["z2"] } }),
    rule("d", 4n, { settings: settings(["digest-interval-ms", "9000"]), match: { sessions: [] } }),
    rule("e", 5n, { settings: settings(["push-retries-max", "1"]), isInForce: false }),
  ];
  const expected = { pushCompress: false, pushWindowMaxMs: 250, pushEncodings: ["gzip"] };
  assert.deepEqual(settingsIn(rules, HERE), expected);
});

test("of several rules for one setting the one that was changed last decides, whatever the order", () => {
  const first = rule("z", 1n, { settings: settings(["push-retries-max", "1"]) });
  const last = rule("a", 2n, { settings: settings(["push-retries-max", "2"]) });
  const lastToo = rule("b", 2n, { settings: settings(["push-retries-max", "3"]) });
  assert.deepEqual(settingsIn([first, last], HERE), { pushRetriesMax: 2 });
  assert.deepEqual(settingsIn([last, first], HERE), { pushRetriesMax: 2 });
  assert.deepEqual(settingsIn([lastToo, last, first], HERE), { pushRetriesMax: 3 });
  assert.equal(settingRules([first, last], HERE).get("push-retries-max"), last);
});

test("a setting or a value that a later release knows is left out", () => {
  const later = settings(["push-lzma", "true"], ["push-encodings", "lzma"], ["push-compress", "false"]);
  assert.deepEqual(settingsIn([rule("a", 1n, { settings: later })], HERE), { pushCompress: false });
});

test("a setting that no operator can change, and a value that it can't have, are refused with what is allowed", () => {
  assert.match(settingRefusal("bolt-port", "1")?.message ?? "", /FIELD_INVALID.*value=bolt-port.*client-bytes-max/);
  assert.match(settingRefusal("__proto__", "1")?.message ?? "", /FIELD_INVALID/);
  for (const [name, value] of [
    ["push-compress", "maybe"],
    ["push-window-max-ms", "-1"],
    ["push-window-max-ms", "1e3"],
    ["push-window-max-ms", ""],
    ["push-window-max-ms", "99999999999999999999"],
    ["push-encodings", "lzma"],
    ["session-lease-ms", "999"],
  ] as const) {
    const refusal = settingRefusal(name, value);
    assert.equal(refusal?.details["field"], name);
    assert.equal(refusal?.details["value"], value);
    assert.ok(String(refusal?.details["expected"]).length > 10);
  }
  assert.equal(settingRefusal("push-encodings", ""), undefined);
});

test("a rule that changes settings names some, with values that they may have, and is for nodes", () => {
  const draft: RuleDraft = rule("a", 1n, { settings: settings(["push-compress", "false"]) });
  const refused = (changes: Partial<RuleDraft>) => {
    const checked = checkedRule({ ...draft, ...changes }, 0);
    return checked instanceof RegistryError ? checked.details["field"] : "none";
  };
  assert.equal(refused({}), "none");
  assert.equal(refused({ match: { zones: ["z1"], sessions: ["s1"] } }), "none");
  assert.equal(refused({ settings: new Map() }), "settings");
  const { settings: _, ...without } = draft;
  assert.ok(checkedRule(without, 0) instanceof RegistryError);
  assert.equal(refused({ settings: settings(["push-compress", "x"]) }), "push-compress");
  assert.equal(refused({ settings: settings(["zone", "z2"]) }), "setting");
  assert.equal(refused({ match: { addresses: ["10.0.0.1"] } }), "match");
  assert.equal(refused({ match: { registeredBeforeMs: 1 } }), "match");
  assert.equal(refused({ effect: "holdPushes" }), "settings");
});
