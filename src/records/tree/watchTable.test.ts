import assert from "node:assert/strict";
import { test } from "node:test";
import { OPEN_ACL } from "./acl.ts";
import { EVENT, type EventKind } from "./treeRecords.ts";
import { WATCH_EVENT, type WatchEvent, type WatchKind, type WatchOwner, WatchTable } from "./watchTable.ts";

const NAMES = new Map<number, string>(Object.entries(WATCH_EVENT).map(([name, kind]) => [kind, name]));

class Owner implements WatchOwner {
  readonly heard: string[] = [];

  watched({ kind, path }: WatchEvent): void {
    this.heard.push(`${NAMES.get(kind)} ${path}`);
  }
}

const event = (kind: EventKind, path: string) => ({ kind, path, acl: OPEN_ACL });

/** Which watch hears of what, as ZooKeeper's documentation has it. The znode is `/a/b`. */
const RULES: readonly (readonly [watch: WatchKind, at: string, kind: keyof typeof EVENT, heard: readonly string[]])[] =
  [
    ["data", "/a/b", "created", ["created /a/b"]],
    ["data", "/a/b", "dataChanged", ["dataChanged /a/b"]],
    ["data", "/a/b", "deleted", ["deleted /a/b"]],
    ["data", "/a", "created", []],
    ["child", "/a", "created", ["childrenChanged /a"]],
    ["child", "/a", "deleted", ["childrenChanged /a"]],
    ["child", "/a", "dataChanged", []],
    ["child", "/a/b", "deleted", ["deleted /a/b"]],
    ["child", "/a/b", "dataChanged", []],
    ["child", "/", "created", []],
    ["persistent", "/a/b", "created", ["created /a/b"]],
    ["persistent", "/a/b", "dataChanged", ["dataChanged /a/b"]],
    ["persistent", "/a/b", "deleted", ["deleted /a/b"]],
    ["persistent", "/a", "created", ["childrenChanged /a"]],
    ["persistent", "/a", "dataChanged", []],
    ["recursive", "/a/b", "dataChanged", ["dataChanged /a/b"]],
    ["recursive", "/a", "created", ["created /a/b"]],
    ["recursive", "/a", "deleted", ["deleted /a/b"]],
    ["recursive", "/", "dataChanged", ["dataChanged /a/b"]],
    ["recursive", "/a/b/c", "deleted", []],
    ["recursive", "/a/bc", "created", []],
  ];

for (const [watch, at, kind, heard] of RULES) {
  const what = heard.length === 0 ? "nothing" : heard.join();
  test(`a ${watch} watch at ${at} hears ${what} when /a/b is ${kind}`, () => {
    const watches = new WatchTable();
    const owner = new Owner();
    watches.add(watch, at, owner);
    watches.happened([event(EVENT[kind], "/a/b")], 1);
    assert.deepEqual(owner.heard, heard);
    const isOneShot = watch === "data" || watch === "child";
    assert.equal(watches.size, isOneShot && heard.length > 0 ? 0 : 1);
  });
}

test("a connection is told once of a change, however many of its watches hear of it", () => {
  const watches = new WatchTable();
  const owner = new Owner();
  for (const kind of ["data", "child", "persistent"] as const) watches.add(kind, "/a/b", owner);
  for (const path of ["/", "/a", "/a/b"]) watches.add("recursive", path, owner);
  watches.happened([event(EVENT.deleted, "/a/b")], 1);
  assert.deepEqual(owner.heard, ["deleted /a/b"]);
});

test("a watch that is set twice is one, and taken back once", () => {
  const watches = new WatchTable();
  const owner = new Owner();
  assert.deepEqual([watches.add("data", "/a", owner), watches.add("data", "/a", owner)], [true, false]);
  assert.deepEqual([watches.remove("data", "/a", owner), watches.remove("data", "/a", owner)], [true, false]);
  assert.equal(watches.size, 0);
});

test("a connection that ends while it is told takes its watches along, and the others are told", () => {
  const watches = new WatchTable();
  const [first, last] = [new Owner(), new Owner()];
  const ending: WatchOwner = { watched: () => watches.removeAll(ending) };
  for (const owner of [first, ending, last]) {
    for (const path of ["/", "/a"]) watches.add("persistent", path, owner);
  }
  watches.happened([event(EVENT.created, "/a"), event(EVENT.dataChanged, "/a")], 1);
  for (const { heard } of [first, last]) assert.deepEqual(heard, ["created /a", "childrenChanged /", "dataChanged /a"]);
  assert.deepEqual(watches.heldBy(ending), { watches: 0, pathUnits: 0 });
  assert.equal(watches.size, 4);
});

test("what a connection holds is its watches and the lengths of their paths", () => {
  const watches = new WatchTable();
  const owner = new Owner();
  watches.add("data", "/a", owner);
  watches.add("child", "/a", owner);
  watches.add("recursive", "/abc", owner);
  const held = () => [watches.heldBy(owner).watches, watches.heldBy(owner).pathUnits];
  assert.deepEqual(held(), [3, 8]);
  watches.happened([event(EVENT.deleted, "/a")], 1);
  assert.deepEqual(held(), [1, 4]);
});
