import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import { hasOtherSessions, SessionHandOver } from "./handOver.ts";

const SELF = nodeId("s1.1");

function membersWith(...list: { id: string; role: "session" | "data" }[]) {
  const members = list.map(({ id, role }) => ({ id: nodeId(id), role, address: "" }));
  return { epoch: 1n, serial: 0, list: members };
}

test("clients can go to another session only, not to a data node", () => {
  const self = { id: SELF, role: "session" } as const;
  assert.equal(hasOtherSessions(undefined, SELF), false);
  assert.equal(hasOtherSessions(membersWith(self, { id: "d1.1", role: "data" }), SELF), false);
  assert.equal(hasOtherSessions(membersWith(self, { id: "s2.1", role: "session" }), SELF), true);
});

test("clients are sent away evenly over the time, ten milliseconds each at the most", () => {
  const many = new SessionHandOver({ clients: 1_000, spreadMsMax: 2_000 }, 0);
  assert.equal(many.due(1_000, 0), 0);
  assert.equal(many.due(1_000, 500), 250);
  assert.equal(many.due(400, 1_000), 0, "some have gone by themselves");
  assert.equal(many.due(400, 2_000), 400);
  const few = new SessionHandOver({ clients: 10, spreadMsMax: 2_000 }, 0);
  assert.equal(few.due(10, 100), 10);
});

test("a session may end when its clients are gone and what they were answered is at the data nodes", () => {
  const handOver = new SessionHandOver({ clients: 100, spreadMsMax: 1_000 }, 0);
  assert.equal(handOver.isOver({ connections: 1, isDrained: true }, 1_000), false);
  assert.equal(handOver.isOver({ connections: 0, isDrained: false }, 1_000), false);
  assert.equal(handOver.isOver({ connections: 0, isDrained: true }, 1_000), true);
  assert.equal(handOver.isOver({ connections: 0, isDrained: false }, 6_000), true, "the data nodes are away");
});
