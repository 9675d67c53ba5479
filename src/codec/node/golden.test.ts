import assert from "node:assert/strict";
import { test } from "node:test";
import { GOLDEN_BYTES } from "./testing/goldenBytes.ts";
import { GOLDEN_MESSAGES } from "./testing/goldenMessages.ts";
import { LINKS } from "./testing/links.ts";

for (const [name, link] of Object.entries(LINKS)) {
  const messages: Record<string, unknown> = GOLDEN_MESSAGES[name as keyof typeof LINKS];
  const bytes = GOLDEN_BYTES[name as keyof typeof LINKS];

  test(`${name}: every kind has its golden bytes`, () => {
    assert.deepEqual(Object.keys(bytes), Object.keys(messages));
  });

  for (const [kind, message] of Object.entries(messages)) {
    test(`${name}: ${kind} is written and read as every release does`, () => {
      const golden = bytes[kind] ?? "";
      assert.equal(Buffer.from(link.encode(message)).toString("hex"), golden);
      assert.deepEqual(link.decode(Uint8Array.from(Buffer.from(golden, "hex"))), message);
    });
  }
}

// Golden bytes of before fields were added at the end: nodes of that release are in a cluster that is being upgraded.
const EARLIER_HEARTBEAT =
  "010100021a31302e302e302e333a39363230011a31302e302e302e333a3936303000000000000000090000000000000004ac02" +
  "01010200ff0101ff0101800100010020000000000000";
const EARLIER_MEMBERS =
  "0102041664312e3061316232633364145b3a3a315d3a393632301673312e3061316232633364145b3a3a315d3a39363231" +
  "0000000000000004ac0202000201000002030301145b3a3a315d3a3936303000";

test("heartbeats without a number of clients are read, and members that don't say who is blocked", () => {
  const decode = (link: keyof typeof LINKS, hex: string) =>
    LINKS[link].decode(Uint8Array.from(Buffer.from(hex, "hex")));
  const { clients, ...heartbeat } = GOLDEN_MESSAGES["roster.MemberToMeta"].heartbeat;
  assert.deepEqual(decode("roster.MemberToMeta", EARLIER_HEARTBEAT), heartbeat);
  const { blocked, ...members } = GOLDEN_MESSAGES["roster.MetaToMember"].members.members;
  assert.deepEqual(decode("roster.MetaToMember", EARLIER_MEMBERS), { kind: "members", members });
});
