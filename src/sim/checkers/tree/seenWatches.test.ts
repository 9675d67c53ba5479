import assert from "node:assert/strict";
import { test } from "node:test";
import { OPEN_ACL } from "../../../records/tree/acl.ts";
import { EVENT, type EventKind } from "../../../records/tree/treeRecords.ts";
import { WATCH_EVENT } from "../../../records/tree/watchTable.ts";
import { SeenWatches } from "./seenWatches.ts";
import type { TrueEvent } from "./treeTruth.ts";

const event = (kind: EventKind, path: string, zxid: number): TrueEvent => ({ kind, path, zxid, acl: OPEN_ACL });
const CHANGED = { event: EVENT.dataChanged, path: "/r", zxid: 3 };
const LISTED = { event: WATCH_EVENT.childrenChanged, path: "/q", zxid: 4 };

/** Watches of `/r` and of the list of `/q`, set as of 2, and what has happened to both. */
function watching(): SeenWatches {
  const events = [event(EVENT.dataChanged, "/r", 1)];
  const watches = new SeenWatches(events);
  watches.set("data", "/r", 2);
  watches.set("child", "/q", 2);
  events.push(event(EVENT.dataChanged, "/r", 3), event(EVENT.created, "/q/a", 4), event(EVENT.dataChanged, "/r", 5));
  return watches;
}

test("watches that fire once and in order, before the answers", () => {
  const watches = watching();
  assert.deepEqual([watches.fired(CHANGED), watches.answered(3)], [undefined, undefined]);
  assert.deepEqual([watches.fired(LISTED), watches.answered(5)], [undefined, undefined]);
});

test("found: an event that comes twice, in the wrong order, or behind an answer", () => {
  const twice = watching();
  twice.fired(CHANGED);
  assert.match(twice.fired({ ...CHANGED, zxid: 5 }) ?? "", /event 3 at \/r of 5 was told/);
  assert.match(watching().fired(LISTED) ?? "", /event 3 at \/r of 3 was due/);
  assert.match(watching().answered(3) ?? "", /was not told before an answer as of 3/);
});

test("a recursive watch hears of everything below its path, again and again", () => {
  const events: TrueEvent[] = [];
  const watches = new SeenWatches(events);
  watches.set("recursive", "/q", 0);
  events.push(event(EVENT.created, "/q/a", 1), event(EVENT.deleted, "/q/a", 2), event(EVENT.created, "/p", 3));
  for (const { kind, path, zxid } of events.slice(0, 2))
    assert.equal(watches.fired({ event: kind, path, zxid }), undefined);
  assert.equal(watches.answered(3), undefined);
});

test("a client that has seen the first of two events of a change is told the other one after a reconnect", () => {
  const created = { event: EVENT.created, path: "/q/a", zxid: 4 };
  const halfSeen = () => {
    const watches = watching();
    watches.set("recursive", "/q", 2);
    assert.deepEqual(
      [watches.fired(CHANGED), watches.answered(3), watches.fired(created)],
      [undefined, undefined, undefined],
    );
    watches.reconnected(3);
    return watches;
  };
  const right = halfSeen();
  assert.deepEqual([right.fired({ ...LISTED, zxid: 5 }), right.setAgain(5)], [undefined, undefined]);
  assert.match(halfSeen().setAgain(5) ?? "", /a child watch at \/q was not told of 4 after a reconnect/);
});

test("after a reconnect an event is told of what was missed, and of nothing else", () => {
  const right = watching();
  right.reconnected(2);
  assert.deepEqual([right.fired({ ...CHANGED, zxid: 5 }), right.fired({ ...LISTED, zxid: 5 })], [undefined, undefined]);
  assert.equal(right.setAgain(5), undefined);
  const missed = watching();
  missed.reconnected(2);
  assert.match(missed.setAgain(5) ?? "", /a data watch at \/r was not told of 3/);
  const untrue = watching();
  untrue.reconnected(5);
  assert.match(untrue.fired({ ...CHANGED, zxid: 5 }) ?? "", /had not happened/);
});
