import assert from "node:assert/strict";
import { test } from "node:test";
import { Loading } from "./loading.ts";

test("the store is read once, until it is needed again", () => {
  const loading = new Loading();
  assert.ok(!loading.begin(0), "nobody needs it yet");
  loading.need(0);
  assert.ok(loading.begin(0));
  assert.ok(!loading.begin(1), "one question at a time");
  assert.ok(loading.answered(true, 5));
  assert.ok(loading.isDone && !loading.begin(6));
  loading.need(10);
  assert.ok(!loading.isDone && loading.begin(10));
});

test("an answer does not count if it may not show what has happened since it was asked for", () => {
  const loading = new Loading();
  loading.need(0);
  loading.begin(0);
  loading.need(3);
  assert.ok(!loading.answered(true, 5));
  assert.ok(!loading.isDone && loading.begin(5));
  assert.ok(loading.answered(true, 9));
});

test("an answer that nobody asked for does not count", () => {
  const loading = new Loading();
  loading.need(0);
  assert.ok(!loading.answered(true, 5));
  assert.ok(!loading.isDone);
});

test("a store that could not be read is asked again a second later", () => {
  const loading = new Loading();
  loading.need(0);
  loading.begin(0);
  assert.ok(!loading.answered(false, 50));
  assert.equal(loading.nextMs(), 1_050);
  assert.ok(!loading.begin(1_049));
  assert.ok(loading.begin(1_050));
});

test("after a statement whose outcome is not known the store is read twice: it may still be carried out", () => {
  const loading = new Loading();
  loading.needTwice(0);
  assert.ok(loading.begin(0));
  assert.ok(loading.answered(true, 5));
  assert.equal(loading.nextMs(), 10_000);
  assert.ok(loading.isDone && !loading.begin(9_999));
  assert.ok(loading.begin(10_000));
  assert.ok(!loading.isDone);
  assert.ok(loading.answered(true, 10_005));
  assert.equal(loading.nextMs(), Number.POSITIVE_INFINITY);
});
