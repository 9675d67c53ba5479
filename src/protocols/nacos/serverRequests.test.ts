import assert from "node:assert/strict";
import { test } from "node:test";
import { ANSWER_MS, ServerRequests } from "./serverRequests.ts";

function scene() {
  const requests = new ServerRequests();
  const happened: string[] = [];
  const add = (name: string, nowMs: number) =>
    requests.add((answer, atMs) => void happened.push(`${name} ${answer?.get("a") ?? "none"} at ${atMs}`), nowMs);
  return { requests, happened, add };
}

test("an answer goes to its request, once", () => {
  const { requests, happened, add } = scene();
  const [one, other] = [add("one", 0), add("other", 0)];
  assert.notEqual(one, other);
  assert.equal(requests.answered(other, new Map([["a", 1]]), 10), true);
  assert.equal(requests.answered(other, new Map(), 11), false);
  assert.equal(requests.answered("unknown", new Map(), 11), false);
  assert.deepEqual(happened, ["other 1 at 10"]);
});

test("requests without an answer end in time, the rest with the connection", () => {
  const { requests, happened, add } = scene();
  add("early", 0);
  add("late", 100);
  requests.expire(ANSWER_MS - 1);
  assert.deepEqual(happened, []);
  requests.expire(ANSWER_MS);
  assert.deepEqual(happened, [`early none at ${ANSWER_MS}`]);
  requests.close(ANSWER_MS + 1);
  assert.deepEqual(happened.slice(1), [`late none at ${ANSWER_MS + 1}`]);
});

test("ids are none of the numbers of pushed lists", () => {
  const { add } = scene();
  assert.ok(Number(add("one", 0)) > 0x7fff_ffff);
});
