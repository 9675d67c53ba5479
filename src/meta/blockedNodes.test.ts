import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import { BlockedNodes } from "./blockedNodes.ts";

const BOTH = nodeId("n1.a");
const session = { role: "session", id: BOTH } as const;
const ledBy = (leader: string) => ({ epoch: 1n, slots: [{ leader: nodeId(leader), leaderEpoch: 1n, followers: [] }] });

test("a session of a blocked name is refused, whatever its run, and by a sentence that says what to do", () => {
  const blocked = new BlockedNodes();
  blocked.load(new Set(["n1"]));
  assert.match(blocked.refusalOf(session, undefined) ?? "", /node "n1" is blocked; to unblock it: roster unblock n1/);
  assert.match(blocked.refusalOf({ role: "session", id: nodeId("n1.b") }, undefined) ?? "", /n1/);
  assert.equal(blocked.refusalOf({ role: "session", id: nodeId("n2.a") }, undefined), undefined);
});

test("a data node is not refused: it hands its slots over first, and so does a session beside it", () => {
  const blocked = new BlockedNodes();
  blocked.set("n1", true);
  assert.equal(blocked.refusalOf({ role: "data", id: BOTH }, undefined), undefined);
  assert.equal(blocked.refusalOf(session, ledBy("n1.a")), undefined);
  assert.notEqual(blocked.refusalOf(session, ledBy("n2.a")), undefined);
});

test("names are blocked and let in one by one; who was given the names before keeps them as they were", () => {
  const blocked = new BlockedNodes();
  const stored = new Set(["n1"]);
  blocked.load(stored);
  const { names } = blocked;
  blocked.set("n2", true);
  blocked.set("n1", false);
  assert.deepEqual([[...blocked.names], [...names], [...stored]], [["n2"], ["n1"], ["n1"]]);
});
