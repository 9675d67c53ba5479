// The judge on histories made by hand: each wrong one breaks one rule, and that rule it must be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HistoryEvent, tokenOf } from "./event.ts";
import { type AllowedAbsence, judge } from "./judge.ts";
import { Records } from "./records.ts";

// A story is told in words; each is a millisecond later than the one before.
//   a+1      registration a publishes its version 1 (by client A)
//   a-2      takes itself back with version 2
//   a!1      is acknowledged in version 1
//   A†       client A dies
//   s:5=a1,b1   subscriber s is pushed v5 with a~1 and b~1; s/2:… on its second connection
//   rest     everything has converged
function story(words: string): HistoryEvent[] {
  const events: HistoryEvent[] = ["s", "z"].map((subscription) => ({
    kind: "subscribe",
    t: 0,
    client: subscription.toUpperCase(),
    subscription,
    service: "orders",
  }));
  for (const [at, word] of words.split(/\s+/).entries()) events.push(event(word, at + 1));
  return events;
}

function event(word: string, t: number): HistoryEvent {
  if (word === "rest") return { kind: "converged", t };
  if (word.endsWith("†")) return { kind: "died", t, client: word.slice(0, 1) };
  const push = /^(\w)(?:\/(\d))?:(\d+)=(.*)$/.exec(word);
  if (push !== null) {
    const [, subscription = "", connection = "1", version = "", list = ""] = push;
    const names = list === "" ? [] : list.split(",");
    const tokens = names.map((name) => tokenOf(name.slice(0, 1), Number(name.slice(1))));
    const client = subscription.toUpperCase();
    return { kind: "push", t, client, subscription, connection: Number(connection), version, tokens };
  }
  const [, registration = "", sign = "", digits = ""] = /^(\w)([+!-])(\d+)$/.exec(word) ?? [];
  const version = Number(digits);
  const client = registration.toUpperCase();
  if (sign === "!") return { kind: "ack", t, client, registration, version };
  const token = sign === "+" ? tokenOf(registration, version) : null;
  return { kind: "call", t, client, registration, service: "orders", version, token };
}

function rulesBroken(words: string, absences: AllowedAbsence[] = []): string[] {
  return judge(story(words), absences).map(({ rule }) => rule);
}

const RIGHT: readonly (readonly [name: string, words: string])[] = [
  ["publish, push", "a+1 a!1 s:5=a1 z:5=a1"],
  ["an empty list comes first", "s:1= z:1= a+1 a!1 s:5=a1 z:5=a1"],
  ["a change", "a+1 a!1 s:5=a1 a+2 a!2 s:6=a2 z:6=a2"],
  ["a push overtakes the answer", "a+1 s:5=a1 a!1 z:5=a1"],
  ["taken back", "a+1 a!1 b+1 b!1 s:5=a1,b1 a-2 s:6=b1 a!2 z:6=b1"],
  ["taken back and published anew", "a+1 a!1 s:5=a1 a-2 a!2 s:6= a+3 a!3 s:7=a3 z:7=a3"],
  ["a dead client goes", "a+1 a!1 b+1 b!1 s:5=a1,b1 A† s:6=b1 z:6=b1"],
  ["the same push again", "a+1 a!1 s:5=a1 s:5=a1 z:5=a1"],
  ["an older list at another session, which the client drops", "a+1 a!1 b+1 b!1 s:6=a1,b1 s/2:5=a1 z:6=a1,b1"],
  ["a dead subscriber is not waited for", "a+1 a!1 s:5=a1 Z†"],
];

for (const [name, words] of RIGHT) {
  test(`right: ${name}`, () => assert.deepEqual(rulesBroken(words), []));
}

const WRONG: readonly (readonly [name: string, words: string, rules: readonly string[]])[] = [
  ["a registration never arrives", "a+1 a!1 b+1 b!1 s:5=a1 z:6=a1,b1", ["lost registration"]],
  ["nobody is told anything", "a+1 a!1", ["lost registration", "lost registration"]],
  ["a change is never acknowledged", "a+1 a!1 a+2 s:6=a2 z:6=a2", ["not converged"]],
  ["a list is old at the end", "a+1 a!1 a+2 a!2 s:5=a1 z:6=a2", ["lost registration", "ghost"]],
  ["what was taken back stays", "a+1 a!1 s:5=a1 a-2 a!2 z:6=", ["ghost"]],
  ["a dead client stays", "a+1 a!1 s:5=a1 A† z:6=", ["ghost"]],
  ["what was taken back returns", "a+1 a!1 b+1 b!1 s:5=a1,b1 a-2 a!2 s:6=b1 s:7=a1,b1 s:8=b1 z:8=b1", ["ghost"]],
  ["a dead client returns", "a+1 a!1 s:5=a1 A† s:6= s:7=a1 s:8= z:8=", ["ghost"]],
  ["a lower version on one connection", "a+1 a!1 s:6=a1 s:5=a1 z:6=a1", ["version went back"]],
  ["an empty list in between", "a+1 a!1 s:5=a1 s:6= s:7=a1 z:7=a1", ["removal seen"]],
  ["one is missing in between", "a+1 a!1 b+1 b!1 s:5=a1,b1 s:6=a1 s:7=a1,b1 z:7=a1,b1", ["removal seen"]],
  ["taken back only later", "a+1 a!1 s:5=a1 s:6= a-2 a!2 z:6=", ["removal seen"]],
  ["the first list after rest is short", "a+1 a!1 s:5=a1 rest z:4= z:5=a1", ["removal seen"]],
  ["a mixture: twice the same", "a+1 a!1 a+2 a!2 s:6=a1,a2 s:7=a2 z:7=a2", ["list not whole"]],
  ["from nowhere", "a+1 a!1 s:6=a1,x1 s:7=a1 z:7=a1", ["list not whole", "removal seen"]],
  ["before it was published", "s:5=a1 a+1 a!1 z:5=a1", ["list not whole"]],
  ["one version with two contents", "a+1 a!1 b+1 b!1 s:5=a1 z:5=b1 s:6=a1,b1 z:6=a1,b1", ["list not whole", "removal"]],
  ["the value before under a higher version", "a+1 a!1 a+2 a!2 s:5=a2 s:6=a1 s:7=a2 z:7=a2", ["old content again"]],
];

for (const [name, words, rules] of WRONG) {
  test(`wrong: ${name}`, () => {
    const broken = rulesBroken(words);
    assert.ok(broken.length > 0, "nothing was found");
    for (const rule of broken) {
      assert.ok(
        rules.some((expected) => rule.startsWith(expected)),
        `found ${rule}`,
      );
    }
    assert.equal(broken[0]?.startsWith(rules[0] ?? ""), true, `found ${broken.join(", ")}`);
  });
}

test("an absence that the scenario allows is no removal, before and after it is one", () => {
  const words = "a+1 a!1 s:5=a1 s:6= s:7=a1 z:7=a1";
  const during = { clients: new Set(["A"]), fromMs: 4, untilMs: 4 };
  assert.deepEqual(rulesBroken(words, [during]), []);
  assert.deepEqual(rulesBroken(words, [{ ...during, untilMs: 3, fromMs: 0 }]), ["removal seen"]);
  assert.deepEqual(rulesBroken(words, [{ ...during, clients: new Set(["B"]) }]), ["removal seen"]);
});

test("while it runs the records say what is missing", () => {
  const records = new Records();
  const said = story("a+1 a!1 s:5=a1 z:5=a1").map((each) => {
    records.see(each);
    return records.difference();
  });
  assert.deepEqual(said, [
    "s of S shows [nothing yet], expected []",
    "s of S shows [nothing yet], expected []",
    "a of A is not acknowledged",
    "s of S shows [nothing yet], expected [a~1]",
    "z of Z shows [nothing yet], expected [a~1]",
    undefined,
  ]);
});
