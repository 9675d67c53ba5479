import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget, unlimitedBudget } from "../../../base/budget.ts";
import { pathOf } from "./configKey.ts";
import { LongPolls } from "./longPolls.ts";

const KEYS = ["a", "b"].map((dataId) => ({ namespace: "public", group: "g", dataId }));
const CHANGED = new Map(KEYS.map((key) => [pathOf(key), key]));

function scene(budget = unlimitedBudget()) {
  const shown = new Map(KEYS.map(({ dataId }) => [dataId, "1"]));
  const polls = new LongPolls({ md5Shown: ({ dataId }) => shown.get(dataId) ?? "" }, budget);
  const answers: (readonly string[])[] = [];
  const poll = (untilMs = 1_000) =>
    polls.add({
      polled: KEYS.map((key) => ({ key, md5: "1", words: key.dataId })),
      asker: { ip: "10.0.0.1", tag: "" },
      untilMs,
      answer: (changed) => void answers.push(changed),
    });
  return { budget, shown, polls, answers, poll };
}

test("a poll is answered once: with what has changed, or with nothing when its time is over", () => {
  const { shown, polls, answers, poll } = scene();
  poll();
  polls.changed(CHANGED);
  polls.check(999);
  assert.deepEqual(answers, []);
  polls.check(1_000);
  assert.deepEqual(answers, [[]]);
  poll();
  shown.set("b", "2");
  polls.changed(CHANGED);
  polls.check(1_000);
  assert.deepEqual(answers, [[], ["b"]]);
  poll();
  assert.deepEqual(answers, [[], ["b"], ["b"]]);
});

test("what is kept for a poll is charged to its address until it is answered or its caller goes", () => {
  const { budget, polls, poll } = scene();
  poll();
  const gone = poll(2_000);
  assert.ok(budget.heldBytes > 0);
  polls.check(1_000);
  assert.ok(budget.heldBytes > 0);
  gone();
  gone();
  assert.deepEqual([budget.heldBytes, budget.addresses, [...polls.listenersOf(KEYS[0] ?? assert.fail())]], [0, 0, []]);
});

test("a poll that its address has no room for is refused, and leaves nothing", () => {
  const budget = new Budget({ bytesMax: 100, clientBytesMax: 100, workPerSecondMax: 1_000 });
  const { polls, poll, answers } = scene(budget);
  assert.throws(() => poll(), /_EXHAUSTED/);
  polls.check(1_000);
  assert.deepEqual([budget.heldBytes, budget.addresses, answers], [0, 0, []]);
});
