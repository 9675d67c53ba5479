import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Heartbeat } from "../../cluster/messages/membership.ts";
import { type NodeId, nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import { Copies } from "./copies.ts";

const [D1, D2] = [nodeId("d1.1"), nodeId("d2.2")];

/** D1 leads all slots, and D2 follows by default. */
function tableAt(epoch: bigint, leaderEpoch = 1n, followers = [D2]): SlotTable {
  const owner = { leader: D1, leaderEpoch, followers };
  return { epoch, slots: Array.from({ length: 8 }, () => owner) };
}

function learns(table: SlotTable): Fact {
  return { kind: "learned", node: D2, role: "data", message: { kind: "slotTable", table, versionFloor: 0n } };
}

function link(isUp: boolean): Fact {
  return { kind: "followerLink", follower: D2, leader: D1, isUp };
}

function asks(slot: number, leaderEpoch = 1n): Fact {
  return { kind: "followed", from: D2, to: D1, message: { kind: "follow", slot, leaderEpoch, kept: [] } };
}

function answers(slot: number): Fact {
  const message = { kind: "replica", slot, leaderEpoch: 1n, datums: [], gone: [], isLast: true } as const;
  return { kind: "replicated", from: D1, to: D2, message };
}

function claims(inSync: readonly number[], from: NodeId = D2): Fact {
  const version = { tableEpoch: 1n, members: { epoch: 1n, serial: 1 } };
  const slots = { serving: [], held: [], inSync };
  const message: Heartbeat = { kind: "heartbeat", role: "data", address: "d2:1", ...version, isLeaving: false, slots };
  return { kind: "heartbeat", from, message };
}

function ruleAfter(...facts: readonly Fact[]): string | undefined {
  const copies = new Copies();
  for (const fact of [learns(tableAt(1n)), link(true), ...facts]) {
    const finding = copies.see(fact);
    if (finding !== undefined) return finding.rule;
  }
  return undefined;
}

const FOUR = [0, 1, 2, 3].map((slot) => asks(slot));

describe("copies", () => {
  test("a follower that has lost the link to its leader does not hold what that one has", () => {
    assert.equal(ruleAfter(link(false), claims([3])), "followers hold what their leaders hold");
  });

  test("with the link it may say so, and without it that it holds nothing", () => {
    assert.equal(ruleAfter(claims([3]), link(false), claims([])), undefined);
  });

  test("more than four copies of one leader are too many at once", () => {
    assert.equal(ruleAfter(...FOUR, asks(4)), "8 everything is bounded");
  });

  test("what was answered, lost with its link, or given to another leader is not under way", () => {
    assert.equal(ruleAfter(...FOUR, answers(0), asks(4)), undefined);
    assert.equal(ruleAfter(...FOUR, link(false), link(true), asks(4)), undefined);
    assert.equal(ruleAfter(...FOUR, learns(tableAt(2n, 2n)), asks(4, 2n)), undefined);
  });

  test("what the table takes from the follower is not under way, also under the same leader epoch", () => {
    const takenAndGivenAgain = [learns(tableAt(2n, 1n, [])), learns(tableAt(3n))];
    assert.equal(ruleAfter(...FOUR, ...takenAndGivenAgain, asks(4)), undefined);
  });
});
