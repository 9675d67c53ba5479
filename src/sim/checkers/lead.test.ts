import assert from "node:assert/strict";
import { test } from "node:test";
import type { Heartbeat } from "../../cluster/messages/membership.ts";
import { type NodeId, nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import { drawPlan } from "../drawPlan.ts";
import type { Fact } from "../facts.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";

const [META, LEADER, FOLLOWER, OTHER] = ["m1.1", "d1.2", "d2.3", "d3.4"].map(nodeId) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const COPY_OF_FOLLOWER = nodeId("d2.5");

const table = (epoch: bigint, leader: NodeId, ...followers: NodeId[]): SlotTable => ({
  epoch,
  slots: [{ leader, leaderEpoch: epoch, followers }],
});
const BEFORE = table(1n, LEADER, FOLLOWER);

const started = (node: NodeId): Fact => ({ kind: "started", node, role: "data", machine: node.split(".")[0] ?? "" });
const saved = (next: SlotTable, before?: SlotTable): Fact => {
  return { kind: "saved", by: META, what: "slot table", askedMs: 0, leaseEpoch: 1n, table: next, before };
};

/** A heartbeat that has arrived; `inSync`: it reports the only slot as whole. */
function reported(node: NodeId, isInSync: boolean): Fact {
  const message: Heartbeat = {
    ...{ kind: "heartbeat", role: "data", address: "h:1", members: { epoch: 1n, serial: 1 }, isLeaving: false },
    tableEpoch: 1n,
    slots: { serving: [], held: [], inSync: isInSync ? [0] : [] },
    newestVersion: 0n,
  };
  return { kind: "reported", to: META, from: { id: node, role: "data" }, message };
}

type History = readonly (readonly [atMs: number, fact: Fact])[];

/** The rule that is broken when the other node is given the slot, after this history of the follower. */
function broken(...history: History): string | undefined {
  return brokenFrom(BEFORE, history);
}

function brokenFrom(before: SlotTable, history: History): string | undefined {
  const judge = new Judge(drawPlan(new Dice(1)));
  const start = [LEADER, FOLLOWER, OTHER].map((node) => [0, started(node)] as const);
  const end = [20_000, { ...saved(table(2n, OTHER), before), askedMs: 20_000 } as Fact] as const;
  for (const [atMs, fact] of [...start, [0, saved(before)] as const, ...history, end]) judge.see(fact, atMs);
  return judge.finding?.rule;
}

test("a follower that holds the slot and whose name another process has taken meanwhile can't be given it", () => {
  assert.equal(broken([19_000, reported(FOLLOWER, true)]), "slots: how the table changes");
  const copy = [
    [0, started(COPY_OF_FOLLOWER)],
    [10_000, reported(COPY_OF_FOLLOWER, false)],
  ] as const;
  const silent = [[5_000, reported(FOLLOWER, true)], ...copy, [19_000, reported(FOLLOWER, true)]] as const;
  assert.equal(broken(...silent), undefined);
  const spoke = [[9_000, reported(FOLLOWER, true)], ...copy, [19_000, reported(FOLLOWER, true)]] as const;
  assert.equal(broken(...spoke), "slots: how the table changes", "the copy of a process that is heard gets nothing");
});

test("a follower whose name another living process has had at the meta node first can't be given the slot", () => {
  const copyFirst = [
    [0, started(COPY_OF_FOLLOWER)],
    [18_000, reported(COPY_OF_FOLLOWER, false)],
    [19_000, reported(FOLLOWER, true)],
  ] as const;
  assert.equal(broken(...copyFirst), undefined);
  const gone = [19_500, { kind: "stopped", node: COPY_OF_FOLLOWER, role: "data" }] as const;
  assert.equal(broken(...copyFirst, gone), "slots: how the table changes");
  const first = [17_000, reported(FOLLOWER, true)] as const;
  assert.equal(broken(first, ...copyFirst), "slots: how the table changes", "the follower was heard first");
});

/**
 * The rule that is broken when a table with `moves` surplus copies replaces one with `before` of them; the meta node
 * hears the nodes that have the copies, unless they are `gone`.
 */
function brokenByMoves(moves: number, before: number, { gone = 0 } = {}): string | undefined {
  const plan = drawPlan(new Dice(1));
  const judge = new Judge(plan);
  const { slotMovesMax, slotReplicas } = plan.meta;
  for (let at = gone; at < slotReplicas; at++) judge.see(reported(nodeId(`d${at + 4}.1`), false), 0);
  const tableWith = (epoch: bigint, many: number): SlotTable => ({
    epoch,
    slots: Array.from({ length: slotMovesMax + 3 }, (_, slot) => {
      const length = slot < many ? slotReplicas : slotReplicas - 1;
      return { leader: LEADER, leaderEpoch: 1n, followers: Array.from({ length }, (_, at) => nodeId(`d${at + 4}.1`)) };
    }),
  });
  judge.see(saved(tableWith(2n, moves), tableWith(1n, before)), 0);
  return judge.finding?.rule;
}

test("no table begins a move beyond the limit; those that were under way may be more", () => {
  const { slotMovesMax } = drawPlan(new Dice(1)).meta;
  const more = slotMovesMax + 2;
  assert.equal(brokenByMoves(slotMovesMax, 0), undefined);
  assert.equal(brokenByMoves(slotMovesMax + 1, slotMovesMax), "slots: how the table changes");
  assert.equal(brokenByMoves(more, more), undefined, "the leader before knew that a node leaves");
  assert.equal(brokenByMoves(more + 1, more), "slots: how the table changes");
});

test("a copy at a node that is gone, which stays in the table during a pause, makes no move of another one", () => {
  const { slotMovesMax } = drawPlan(new Dice(1)).meta;
  assert.equal(brokenByMoves(slotMovesMax + 1, 0, { gone: 1 }), undefined);
});

test("what is heard of a follower when the table has been made decides nothing any more", () => {
  assert.equal(broken([19_999, reported(FOLLOWER, true)]), "slots: how the table changes");
  assert.equal(broken([20_000, reported(FOLLOWER, true)]), undefined);
});

test("a follower that had the slot may lead it, though the news that it has not may have come later", () => {
  const both = table(1n, LEADER, OTHER, FOLLOWER);
  const inSync = [19_000, reported(FOLLOWER, true)] as const;
  const had = [19_500, reported(OTHER, true)] as const;
  assert.equal(brokenFrom(both, [inSync, had, [20_000, reported(OTHER, false)]]), undefined);
  const twice = [20_000, reported(OTHER, false)] as const;
  assert.equal(brokenFrom(both, [inSync, had, twice, twice]), undefined, "it may have come twice");
  const known = [19_999, reported(OTHER, false)] as const;
  assert.equal(brokenFrom(both, [inSync, had, known]), "slots: how the table changes", "the news came before it");
  assert.equal(brokenFrom(both, [inSync, had, known, twice]), "slots: how the table changes");
});
