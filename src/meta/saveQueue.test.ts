import assert from "node:assert/strict";
import { test } from "node:test";
import { SAVES_WAITING_MAX, SaveQueue } from "./saveQueue.ts";

test("changes are saved one at a time and in order, and each request gets its answer", () => {
  const queue = new SaveQueue<string, string>();
  queue.add(1, "a");
  queue.add(2, "b");
  assert.equal(
    queue.begin((change) => `${change}!`),
    "a!",
  );
  assert.equal(
    queue.begin((change) => `${change}!`),
    undefined,
    "one is under way",
  );
  assert.deepEqual(queue.ended(), { request: 1, saved: "a!" });
  assert.equal(queue.ended(), undefined);
  assert.equal(
    queue.begin((change) => `${change}!`),
    "b!",
  );
});

test("what waits can be given up, what is under way can not", () => {
  const queue = new SaveQueue<string, string>();
  for (const request of [1, 2, 3]) queue.add(request, "a");
  queue.begin((change) => change);
  assert.deepEqual(queue.clear(), [2, 3]);
  assert.equal(queue.ended()?.request, 1);
  assert.deepEqual([queue.begin((change) => change), queue.waiting, queue.clear()], [undefined, [], []]);
});

test("too many changes at once are refused", () => {
  const queue = new SaveQueue<string, string>();
  for (let request = 0; request < SAVES_WAITING_MAX; request++) assert.ok(queue.add(request, "a"));
  assert.ok(!queue.add(SAVES_WAITING_MAX, "a"));
});
