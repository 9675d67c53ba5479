// Names that strangers choose: of nodes, of clusters, of addresses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { nodeId } from "../../model/ids.ts";
import type { Hello } from "../messages/hello.ts";
import type { Heartbeat, MetaToMember } from "../messages/membership.ts";
import { decodeHello, encodeHello } from "./hello.ts";
import { decodeMemberToMeta, decodeMetaToMember, encodeMemberToMeta, encodeMetaToMember } from "./membership.ts";

const HELLO: Hello = {
  kind: "hello",
  protocolVersion: 1,
  minProtocolVersion: 1,
  clusterName: "c",
  slotCount: 256,
  from: nodeId("s1.bbbb"),
  roles: ["session"],
  link: "data",
  address: "192.0.2.1:9620",
};
const HEARTBEAT: Heartbeat = {
  kind: "heartbeat",
  role: "data",
  address: "192.0.2.1:9620",
  tableEpoch: 0n,
  members: { epoch: 0n, serial: 0 },
  isLeaving: false,
};

const isMalformed = (error: unknown) => error instanceof RegistryError && error.code === "NODE_MESSAGE_MALFORMED";

for (const [what, name] of [
  ["nothing", ""],
  ["a megabyte", "x".repeat(1_000_000)],
  ["more than 128 characters", "x".repeat(129)],
  ["a space", "a b"],
  ["a terminal's command", "\u001b[2J"],
  ["bidi controls", "a\u202eb"],
  ["half a pair", "\ud800"],
  ["markup", "<b>"],
  ["this directory", "."],
  ["the directory above", ".."],
] as const) {
  test(`${what} is no id of a node, wherever one is named`, () => {
    const id = nodeId(name);
    const owner = { leader: nodeId("d1.a"), leaderEpoch: 1n, followers: [nodeId("d2.a")] };
    const tables = [
      { ...owner, leader: id },
      { ...owner, followers: [id] },
    ];
    for (const changes of [{ from: id }, { to: id }]) {
      assert.throws(() => decodeHello(encodeHello({ ...HELLO, ...changes })), isMalformed);
    }
    for (const slot of tables) {
      const message: MetaToMember = { kind: "slotTable", table: { epoch: 1n, slots: [owner, slot] }, versionFloor: 0n };
      assert.throws(() => decodeMetaToMember(encodeMetaToMember(message)), isMalformed);
    }
    const member = { id, role: "data" as const, address: "192.0.2.1:9620" };
    const members: MetaToMember = { kind: "members", members: { epoch: 1n, serial: 1, list: [member] } };
    assert.throws(() => decodeMetaToMember(encodeMetaToMember(members)), isMalformed);
  });
}

for (const [what, text] of [
  ["a megabyte", "x".repeat(1_000_000)],
  ["a control character", "a\u009bb"],
] as const) {
  test(`${what} is no address and no name of a cluster`, () => {
    for (const changes of [{ clusterName: text }, { address: text }]) {
      assert.throws(() => decodeHello(encodeHello({ ...HELLO, ...changes })), isMalformed);
    }
    for (const changes of [
      { address: text },
      { clientAddresses: new Map([["bolt", text]]) },
      { clientAddresses: new Map([["eureka", text]]) },
      { clientAddresses: new Map([[text, "h:1"]]) },
    ]) {
      assert.throws(() => decodeMemberToMeta(encodeMemberToMeta({ ...HEARTBEAT, ...changes })), isMalformed);
    }
  });
}

test("a report of more slots than any cluster has is refused", () => {
  const slots = { serving: Array.from({ length: 5_000 }, (_, slot) => slot), held: [], inSync: [] };
  assert.throws(() => decodeMemberToMeta(encodeMemberToMeta({ ...HEARTBEAT, slots })), isMalformed);
});

test("names as our nodes have them are taken", () => {
  const from = nodeId("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed.k3x9aa1z");
  assert.deepEqual(decodeHello(encodeHello({ ...HELLO, from, to: from })), { ...HELLO, from, to: from });
});
