// The nodes that a node accepts, and its answers to those that it refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../../model/ids.ts";
import type { Hello, NodeRole } from "../messages/hello.ts";
import { type AcceptingNode, refusalOf } from "./acceptedGreeting.ts";

const SELF: AcceptingNode = { id: nodeId("n1.a"), clusterName: "c", slotCount: 256, roles: ["meta", "data"] };
const HELLO: Hello = {
  kind: "hello",
  protocolVersion: 1,
  minProtocolVersion: 1,
  clusterName: "c",
  slotCount: 256,
  from: nodeId("n2.a"),
  roles: ["session"],
  link: "data",
  address: "192.0.2.1:9620",
};

const refusal = (changes: Partial<Hello>, self: Partial<AcceptingNode> = {}) =>
  refusalOf({ ...HELLO, ...changes }, { ...SELF, ...self });

test("each kind of link is for certain roles here and there", () => {
  const here: readonly NodeRole[] = ["meta", "data", "session"];
  const taken = (["meta", "data", "replication"] as const).flatMap((link) =>
    here.flatMap((own) =>
      here
        .filter((role) => refusal({ link, roles: [role] }, { roles: [own] }) === undefined)
        .map((role) => `${role} to ${own}: ${link}`),
    ),
  );
  assert.deepEqual(taken, [
    "meta to meta: meta",
    "data to meta: meta",
    "session to meta: meta",
    "session to data: data",
    "data to data: replication",
  ]);
});

test("a node with several roles is let in by one that fits", () => {
  assert.equal(refusal({ roles: ["meta", "session"] }), undefined);
  assert.match(refusal({ roles: ["meta", "data"] }) ?? "", /is for nodes with the role session, yours has meta,data/);
});

test("who asks the wrong node is told where to look", () => {
  assert.match(
    refusal({ link: "meta" }, { roles: ["data"] }) ?? "",
    /has the roles data and not meta: name only nodes/,
  );
  assert.match(refusal({}, { roles: ["meta"] }) ?? "", /not data: wait for the next list/);
});

test("another cluster, another number of slots, another protocol, another run: each is refused in words", () => {
  assert.match(refusal({ clusterName: "d" }) ?? "", /of the cluster c, you belong to d/);
  assert.match(refusal({ slotCount: 16 }) ?? "", /has 256 slots, your release works with 16/);
  assert.match(refusal({ minProtocolVersion: 2, protocolVersion: 3 }) ?? "", /versions 1 to 1 .* yours 2 to 3/);
  assert.match(refusal({ minProtocolVersion: 0, protocolVersion: 0 }) ?? "", /yours 0 to 0/);
  assert.match(refusal({ to: nodeId("n1.b") }) ?? "", /n1\.a is here now, not n1\.b/);
  assert.match(refusal({ from: SELF.id }) ?? "", /the node that dials/);
});

test("a neighbour's newer protocol is spoken as far as both know it, and this very run is meant", () => {
  assert.equal(refusal({ minProtocolVersion: 1, protocolVersion: 9 }), undefined);
  assert.equal(refusal({ minProtocolVersion: 0, protocolVersion: 1 }), undefined);
  assert.equal(refusal({ to: SELF.id }), undefined);
});

test("a greeting of a later release that this one does not know is refused", () => {
  assert.match(refusalOf({ kind: "unknown", what: "link 9" }, SELF) ?? "", /link 9.*upgrade this node/);
});
