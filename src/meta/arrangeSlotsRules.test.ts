// Single decisions of arrangeSlots, each on a table of one slot or a few. Tables are written as text: the leader, then
// its followers, as in "a bc"; a leader under the new epoch is written in capitals.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defined } from "../base/assert.ts";
import { type NodeId, nodeId } from "../model/ids.ts";
import { arrangeSlots } from "./arrangeSlots.ts";
import { type DataNode, lowest, type SlotFacts } from "./slotDraft.ts";

interface Scene {
  /** The nodes that are heard, `leaving`, or only `presumed` to live; a letter each. */
  readonly heard: string;
  /** Nodes that are heard, and that no list has named yet. */
  readonly unlisted?: string;
  readonly leaving?: string;
  readonly presumed?: string;
  readonly replicas?: number;
  readonly movesMax?: number;
  readonly facts?: Partial<SlotFacts>;
}

const node = (letter: string): NodeId => nodeId(`${letter}.1`);
const letterOf = (id: NodeId): string => id.slice(0, 1);
const letters = (ids: readonly NodeId[]): string => ids.map(letterOf).join("");

const WELL: SlotFacts = {
  isInSync: () => true,
  inSyncMs: () => 0,
  isServing: () => true,
  isHeld: () => false,
  isSilent: () => false,
};

function arranged(slots: readonly string[], scene: Scene) {
  const { heard, unlisted = "", leaving = "", presumed = "", replicas = 2, movesMax = 8, facts = {} } = scene;
  const nodes = new Map<NodeId, DataNode>();
  for (const one of heard) nodes.set(node(one), { isLeaving: false, isHeard: true, isListed: true });
  for (const one of unlisted) nodes.set(node(one), { isLeaving: false, isHeard: true, isListed: false });
  for (const one of leaving) nodes.set(node(one), { isLeaving: true, isHeard: true, isListed: true });
  for (const one of presumed) nodes.set(node(one), { isLeaving: false, isHeard: false, isListed: true });
  const owners = slots.map((owner) => {
    const [leader = "", followers = ""] = owner.split(" ");
    return { leader: node(leader), leaderEpoch: 1n, followers: Array.from(followers, node) };
  });
  return arrangeSlots({
    table: { epoch: 4n, slots: owners },
    epoch: 5n,
    slotCount: slots.length,
    nodes,
    facts: { ...WELL, ...facts },
    slotReplicas: replicas,
    slotMovesMax: movesMax,
  });
}

/** The next table, or "same" if the one in force stays. */
function next(slots: readonly string[], scene: Scene): string | string[] {
  const arrangement = arranged(slots, scene);
  if (arrangement === undefined) return "same";
  return arrangement.table.slots.map(({ leader, leaderEpoch, followers }) => {
    const letter = letterOf(leader);
    return `${leaderEpoch === 5n ? letter.toUpperCase() : letter} ${letters(followers)}`;
  });
}

const changesOf = (slots: readonly string[], scene: Scene): string[] =>
  (arranged(slots, scene)?.changes ?? []).map(
    ({ slot, node: which, change, reason }) => `${slot} ${letterOf(which)} ${change}: ${reason}`,
  );

/** Facts by which these nodes hold every slot whole, and no other does. */
const inSyncAt = (...wanted: readonly string[]) => ({
  isInSync: (_slot: number, id: NodeId) => wanted.includes(letterOf(id)),
});

test("a table in which all is well stays, and so does one while nobody is heard", () => {
  assert.equal(next(["a b", "b a"], { heard: "ab" }), "same");
  assert.equal(next(["a b"], { heard: "", presumed: "b" }), "same");
});

test("a follower that is gone is released, and another one copies in its place", () => {
  assert.deepEqual(next(["a b"], { heard: "ac" }), ["a c"]);
  assert.deepEqual(changesOf(["a b"], { heard: "ac" }), [
    "0 b released: follower is gone",
    "0 c follows: follower is missing",
  ]);
});

test("a follower that is only presumed to live is kept", () => {
  assert.equal(next(["a b"], { heard: "ac", presumed: "b" }), "same");
});

test("a dead leader's place goes to a follower in sync, of those to one that stays, then to who leads least", () => {
  assert.deepEqual(next(["x ab", "a b"], { heard: "ab", replicas: 2 })[0], "B a");
  assert.deepEqual(next(["x ab", "b a"], { heard: "ab", replicas: 2 })[0], "A b");
  assert.deepEqual(next(["x ab"], { heard: "b", leaving: "a" })[0], "B a");
  assert.deepEqual(next(["x ab"], { heard: "ab", facts: inSyncAt("b") })[0], "B a");
});

test("a follower in sync that leaves goes before one that is not in sync", () => {
  assert.deepEqual(next(["x ab"], { heard: "b", leaving: "a", facts: inSyncAt("a") })[0], "A b");
});

test("of followers out of sync the one that was in sync last leads, and one that never was comes last", () => {
  const inSyncMs = (_slot: number, id: NodeId) => ({ a: 0, b: 5, c: 9 })[letterOf(id)] ?? 0;
  const facts = { isInSync: () => false, inSyncMs };
  assert.deepEqual(next(["x abc"], { heard: "abc", replicas: 3, facts })[0], "C ab");
  assert.deepEqual(next(["x ab"], { heard: "a", leaving: "b", replicas: 3, facts })[0], "B a");
});

test("a node that is only presumed to live is not made a leader, though it may have most", () => {
  assert.deepEqual(next(["x ab"], { heard: "b", presumed: "a", replicas: 3, facts: inSyncAt("a") })[0], "B a");
  assert.deepEqual(next(["x a"], { heard: "b", presumed: "a" })[0], "B a");
});

test("a leader that is only presumed to live keeps its slot", () => {
  assert.equal(next(["a b"], { heard: "b", presumed: "a" }), "same");
});

test("where nobody is left that had anything the slot goes to who has least, one that leaves last", () => {
  assert.deepEqual(next(["x ", "a ", "b c"], { heard: "abc", replicas: 1, movesMax: 0 })[0], "C ");
  assert.deepEqual(next(["x ", "a "], { heard: "a", leaving: "b", replicas: 1, movesMax: 0 })[0], "A ");
  assert.deepEqual(next(["x "], { heard: "", leaving: "b", replicas: 1, movesMax: 0 })[0], "B ");
});

test("of equals the one that follows least leads", () => {
  assert.deepEqual(next(["x ", "c a", "d b", "c b"], { heard: "abcd", replicas: 2, movesMax: 0 })[0]?.[0], "A");
});

test("a leader that leaves hands over to a follower in sync that stays, and follows it as long as it lives", () => {
  assert.deepEqual(next(["a b"], { heard: "b", leaving: "a" }), ["B a"]);
  assert.equal(next(["a b"], { heard: "b", leaving: "a", facts: inSyncAt() }), "same");
  assert.equal(next(["a b"], { heard: "b", leaving: "a", facts: { isHeld: () => true } }), "same");
  assert.equal(next(["a b"], { heard: "", leaving: "ab" }), "same");
  assert.deepEqual(changesOf(["a b"], { heard: "b", leaving: "a" }), ["0 b leads: leader leaves"]);
});

test("of several followers that can take over, the one that leads least does", () => {
  assert.deepEqual(next(["a bc", "b c"], { heard: "bc", leaving: "a", replicas: 3 })[0]?.[0], "C");
});

test("a copy that is missing is made by the node that follows least, and of equals least of the same leader", () => {
  assert.deepEqual(next(["a ", "b c", "b d"], { heard: "abcd", movesMax: 0 })[0], "a b");
  const pairs = ["a ", "a b", "d c", "c d"];
  assert.deepEqual(next(pairs, { heard: "bcd", presumed: "a", movesMax: 0 })[0], "a c");
});

test("copies that are missing are made all at once, and never by who leads or follows already", () => {
  assert.deepEqual(next(["a ", "a ", "b "], { heard: "ab", movesMax: 0 }), ["a b", "a b", "b a"]);
  assert.deepEqual(next(["a "], { heard: "abc", replicas: 3, movesMax: 0 }), ["a bc"]);
  assert.equal(next(["a b"], { heard: "ab", replicas: 3, movesMax: 0 }), "same");
});

test("no more copies are asked for than there are nodes to make them", () => {
  assert.equal(next(["a b"], { heard: "b", presumed: "a", replicas: 3, movesMax: 0 }), "same");
  assert.equal(next(["a "], { heard: "a", leaving: "b" }), "same");
});

test("a copy for nothing but the handing over is a move, and waits for its turn", () => {
  const scene = { heard: "bc", leaving: "a", replicas: 1, facts: inSyncAt() };
  const followers = (movesMax: number) =>
    (arranged(["a ", "a ", "a "], { ...scene, movesMax })?.table.slots ?? []).filter((one) => one.followers.length > 0);
  assert.deepEqual([followers(2).length, followers(3).length], [2, 3]);
  assert.equal(next(["a b", "a "], { ...scene, movesMax: 1 }), "same", "one is under way");
});

test("a leader that leaves, and has nobody to hand over to, stays as it is", () => {
  assert.equal(next(["a "], { heard: "", leaving: "a", replicas: 1 }), "same");
});

test("a follower that leaves goes when the others are whole and the leader serves, and not before", () => {
  const slots = ["a bc"];
  const scene = { heard: "ac", leaving: "b", movesMax: 0 };
  assert.deepEqual(next(slots, scene), ["a c"]);
  assert.deepEqual(changesOf(slots, scene), ["0 b released: follower leaves"]);
  assert.equal(next(slots, { ...scene, facts: { isServing: () => false } }), "same");
  assert.equal(next(slots, { ...scene, facts: inSyncAt("b") }), "same");
  assert.equal(next(slots, { heard: "c", presumed: "a", leaving: "b", movesMax: 0 }), "same", "the leader is unheard");
  assert.equal(next(slots, { heard: "c", leaving: "ab", movesMax: 0, facts: { isHeld: () => true } }), "same");
});

test("a copy for the one that leaves is begun at once, and the one that leaves is kept until that is whole", () => {
  assert.deepEqual(next(["a b"], { heard: "ac", leaving: "b", facts: inSyncAt("b") }), ["a bc"]);
});

test("the followers of a first table are spread over all other nodes", () => {
  const nodes = new Map([..."abc"].map((one) => [node(one), { isLeaving: false, isHeard: true, isListed: true }]));
  const input = { table: undefined, epoch: 1n, slotCount: 6, nodes, facts: WELL, slotReplicas: 2, slotMovesMax: 1 };
  const { table, changes } = defined(arrangeSlots(input), "a first table");
  assert.deepEqual(
    table.slots.map(({ leader, followers }) => `${letterOf(leader)} ${letters(followers)}`),
    ["a b", "b c", "c a", "a c", "b a", "c b"],
  );
  assert.ok(table.slots.every(({ leaderEpoch }) => leaderEpoch === 1n));
  assert.deepEqual(changes[3], { slot: 3, node: node("a"), change: "leads", reason: "first table" });
  const three = defined(arrangeSlots({ ...input, slotReplicas: 5 }), "a first table").table;
  assert.deepEqual(
    three.slots.map(({ followers }) => letters(followers)),
    ["bc", "ca", "ab", "cb", "ac", "ba"],
  );
});

test("a first table is given to those who leave only if there is nobody else, and to nobody who was not heard", () => {
  const first = (heard: string, leaving: string, presumed: string) => {
    const nodes = new Map<NodeId, DataNode>();
    for (const one of heard) nodes.set(node(one), { isLeaving: false, isHeard: true, isListed: true });
    for (const one of leaving) nodes.set(node(one), { isLeaving: true, isHeard: true, isListed: true });
    for (const one of presumed) nodes.set(node(one), { isLeaving: false, isHeard: false, isListed: true });
    const rest = { table: undefined, epoch: 1n, slotCount: 2, facts: WELL, slotReplicas: 2, slotMovesMax: 1 };
    return arrangeSlots({ ...rest, nodes })?.table.slots.map((one) => letterOf(one.leader) + letters(one.followers));
  };
  assert.deepEqual(first("a", "b", "c"), ["a", "a"]);
  assert.deepEqual(first("", "b", "c"), ["b", "b"]);
  assert.equal(first("", "", "c"), undefined);
});

test("the lowest rank wins, number by number, and of equals the first", () => {
  const rank = (text: string) => Array.from(text, Number);
  assert.equal(lowest(["21", "12", "13"], rank), "12");
  assert.equal(lowest([{ at: 1 }, { at: 2 }], () => [0])?.at, 1);
  assert.equal(lowest([], rank), undefined);
});

// The moves of balanceSlots.ts for the sake of balance.

test("a move begins with one follower too many, and only if two nodes differ by two or more", () => {
  assert.deepEqual(changesOf(["a b", "a b", "b a"], { heard: "abc", movesMax: 1 }), ["0 c follows: move begins"]);
  assert.equal(next(["a b", "a b", "b a"], { heard: "ab" }), "same");
});

test("a follower in sync takes a lead over without a copy being made, and changes places with the leader", () => {
  assert.deepEqual(next(["a b", "a b"], { heard: "ab" }), ["B a", "a b"]);
});

test("no move begins while a slot is not whole, does not serve, or a node is only presumed to live", () => {
  const slots = ["a b", "a b"];
  assert.equal(next(slots, { heard: "ab", facts: inSyncAt() }), "same");
  assert.equal(next(slots, { heard: "ab", facts: { isServing: (slot) => slot !== 1 } }), "same");
  assert.equal(next(slots, { heard: "ab", presumed: "x" }), "same");
  const silent = { isServing: (slot: number) => slot !== 1, isSilent: (id: NodeId) => letterOf(id) === "a" };
  assert.deepEqual(next(slots, { heard: "ab", facts: silent }), ["B a", "a b"], "nobody waits for who is silent");
  const silentCopy = { ...inSyncAt("b"), isSilent: (id: NodeId) => letterOf(id) === "c" };
  assert.deepEqual(next(["a b", "a b", "b c"], { heard: "abc", facts: silentCopy })[2], "b c");
});

test("a slot whose follower leaves is moved when that one has gone, and not before", () => {
  const facts = { ...inSyncAt("x"), isSilent: (id: NodeId) => letterOf(id) === "c" };
  assert.equal(next(["a xc", "a xc"], { heard: "abc", leaving: "x", facts }), "same");
});

test("nobody takes over a slot of which something is held back, and no other slot in its place", () => {
  assert.equal(next(["a b", "a b"], { heard: "ab", facts: { isHeld: () => true } }), "same");
});

test("so many moves are under way at once, those that are already counted", () => {
  const slots = ["a b", "a b", "a b", "b a", "b a", "b a"];
  const begun = (movesMax: number) =>
    changesOf(slots, { heard: "abc", movesMax }).filter((one) => one.endsWith("begins"));
  assert.deepEqual([begun(0).length, begun(1).length, begun(2).length], [0, 1, 2]);
  const underWay = ["a bc", ...slots.slice(1)];
  const facts = { isInSync: (slot: number, id: NodeId) => slot !== 0 || letterOf(id) === "b" };
  assert.equal(next(underWay, { heard: "abc", movesMax: 1, facts }), "same");
  assert.notEqual(next(underWay, { heard: "abc", movesMax: 2, facts }), "same");
});

test("the node that comes takes the lead when it holds the slot whole and nothing is held back", () => {
  const slots = ["a bc", "a b", "b a"];
  const scene = { heard: "abc", movesMax: 1 };
  assert.equal(next(slots, scene)[0], "C ba");
  assert.equal(next(slots, { ...scene, facts: { isHeld: () => true } }), "same");
  const notYet = { isInSync: (slot: number, id: NodeId) => slot !== 0 || letterOf(id) !== "c" };
  assert.equal(next(slots, { ...scene, facts: notYet }), "same");
});

test("the copy too many goes when the new leader serves and the others have copied it", () => {
  const slots = ["c ba", "a b", "b a"];
  const scene = { heard: "abc", movesMax: 1 };
  const dropped = changesOf(slots, scene).filter((one) => one.endsWith("replaced"));
  assert.equal(dropped.length, 1);
  assert.equal(next(slots, { ...scene, facts: { isServing: (slot) => slot !== 0 } }), "same");
  const notYet = { isInSync: (slot: number) => slot !== 0 };
  assert.equal(next(slots, { ...scene, facts: notYet }), "same");
});

test("followers are moved too: from who follows most to who follows least", () => {
  assert.deepEqual(changesOf(["a b", "b a", "c b", "a b"], { heard: "abc", movesMax: 1 }), [
    "0 c follows: move begins",
  ]);
});

test("a node that no list has named yet takes no slot from a leader that lives", () => {
  const slots = ["a b", "a b", "a b"];
  assert.equal(next(slots, { heard: "a", unlisted: "b" }), "same", "sessions could not reach it");
  assert.notEqual(next(slots, { heard: "ab" }), "same");
  assert.deepEqual(next(["a"], { heard: "a", unlisted: "b" }), ["a b"], "it may copy");
  assert.equal(next(["a b"], { heard: "", unlisted: "b", leaving: "a" }), "same", "nor from one that leaves");
  assert.deepEqual(next(["a bc"], { heard: "c", unlisted: "b", leaving: "a", replicas: 3 }), ["C ba"]);
});

test("a slot without a leader does not wait for a list, but a node that is listed comes first", () => {
  assert.deepEqual(next(["a b"], { heard: "", unlisted: "b" }), ["B "]);
  assert.deepEqual(next(["a bc"], { heard: "c", unlisted: "b", replicas: 3 }), ["C b"]);
  assert.deepEqual(next(["a"], { heard: "c", unlisted: "b" }), ["C b"]);
  const facts = inSyncAt("b");
  assert.deepEqual(next(["a bc"], { heard: "c", unlisted: "b", replicas: 3, facts }), ["B c"], "it has everything");
});
