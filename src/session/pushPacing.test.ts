// The parts that decide when a push goes and when its answer is overdue, each at its bounds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answerDueMs, hasLeft, type SentPush } from "./answerDueMs.ts";
import { Breaker } from "./breaker.ts";
import { PushGap } from "./pushGap.ts";
import { Channel } from "./testing/harness.ts";
import { NOW_MS } from "./testing/parts.ts";

const KIB = 1024;

function sent(changes: Partial<SentPush> = {}): SentPush {
  return { endByte: 100, unreadBytes: 0, leftMs: NOW_MS, ...changes };
}

/** A receiver of 100 bytes, of which `unsentBytes` wait. */
function receiver({ unsentBytes = 0, answerMs = 0 } = {}) {
  const channel = new Channel();
  channel.writtenBytes = 100;
  channel.unsentBytes = unsentBytes;
  return { channel, answerMs };
}

const due = (push: SentPush, client: ReturnType<typeof receiver>, atMs = 0) =>
  answerDueMs(push, client, { timeoutMs: 2_000, nowMs: NOW_MS + atMs }) - NOW_MS;

test("the time of an answer begins when the last byte has left, which is now as long as it waits", () => {
  const push = sent();
  assert.equal(due(push, receiver(), 500), 2_000);
  assert.equal(due(push, receiver({ unsentBytes: 1 }), 500), 2_500);
  assert.equal(due(push, receiver(), 900), 2_500, "and that is kept");
  assert.deepEqual([hasLeft(push, receiver()), hasLeft(push, receiver({ unsentBytes: 1 }))], [true, false]);
});

test("what fits a kernel's buffer needs no time to be read, what is more needs a second for 40,000 bytes", () => {
  assert.equal(due(sent({ unreadBytes: 64 * KIB }), receiver()), 2_000);
  assert.equal(due(sent({ unreadBytes: 64 * KIB + 40_000 }), receiver()), 3_000);
  assert.equal(due(sent({ unreadBytes: 1e9 }), receiver()), 242_000, "four minutes at the most");
});

test("a client that has shown to be slow has the longer of its time and the setting", () => {
  assert.deepEqual(
    [due(sent(), receiver({ answerMs: 1_000 })), due(sent(), receiver({ answerMs: 9_000 }))],
    [2_000, 9_000],
  );
});

test("the fifth push in a row without an answer pauses a client, each time twice as long, up to a minute", () => {
  const breaker = new Breaker();
  for (let at = 0; at < 4; at++) breaker.failed(NOW_MS);
  assert.deepEqual([breaker.isOpen, breaker.allows(NOW_MS)], [false, true]);
  breaker.failed(NOW_MS);
  let nowMs = NOW_MS;
  for (const pauseMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    assert.deepEqual([breaker.isOpen, breaker.trialMs - nowMs], [true, pauseMs]);
    assert.deepEqual([breaker.allows(nowMs + pauseMs - 1), breaker.allows(nowMs + pauseMs)], [false, true]);
    nowMs += pauseMs;
    breaker.sent();
    breaker.failed(nowMs);
  }
});

test("while a push is on trial no other goes, and what was under way before says nothing new", () => {
  const breaker = new Breaker();
  for (let at = 0; at < 8; at++) breaker.failed(NOW_MS);
  assert.equal(breaker.trialMs, NOW_MS + 5_000);
  breaker.sent();
  assert.deepEqual([breaker.trialMs, breaker.allows(NOW_MS + 1e9)], [Number.POSITIVE_INFINITY, false]);
});

test("while changes follow each other the gaps grow from 50 ms by half each, up to the setting", () => {
  const gap = new PushGap();
  let nowMs = NOW_MS;
  for (const gapMs of [50, 75, 112.5, 168.75, 200, 200]) {
    gap.changed(nowMs);
    gap.begin(nowMs, 200);
    assert.equal(gap.endMs - nowMs, gapMs);
    nowMs += 100;
  }
});

test("half a second without a change ends a burst: what was gathered goes, and the next gap is the first", () => {
  const gap = new PushGap();
  gap.changed(NOW_MS);
  for (let at = 0; at < 10; at++) gap.begin(NOW_MS, 5_000);
  assert.equal(gap.endMs, NOW_MS + 500);
  gap.changed(NOW_MS + 499);
  assert.equal(gap.endMs, NOW_MS + 999);
  gap.changed(NOW_MS + 999);
  assert.ok(gap.endMs <= NOW_MS + 999, "an isolated change goes at once");
  gap.begin(NOW_MS + 999, 5_000);
  assert.equal(gap.endMs, NOW_MS + 1_049);
});
