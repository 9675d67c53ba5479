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

// Golden bytes from before fields were added at the end: nodes of that release run in a cluster during an upgrade.
const EARLIER_HELLO =
  "01010001010873686f7080021673312e306131623263336403010203021a31302e302e302e323a39363230011664312e3061316232633364";
const EARLIER_ANSWER = "010100003073657420636c75737465722d6e616d6520746f2073686f701664312e30613162326333640102";
const EARLIER_HEARTBEAT =
  "010100021a31302e302e302e333a39363230011a31302e302e302e333a3936303000000000000000090000000000000004ac02" +
  "01010200ff0101ff0101800100010020000000000000";
const ZONELESS_HEARTBEAT =
  "0101020c657572656b611a31302e302e302e333a38373631021a31302e302e302e333a39363230011a31302e302e302e333a3936" +
  "303000000000000000090000000000000004ac0201010200ff0101ff010180010001002000000000000001ac0201000100010040" +
  "000000000000";
const ZONELESS_MEMBERS =
  "0102071664312e3061316232633364145b3a3a315d3a393632301673312e3061316232633364145b3a3a315d3a393632310c6575" +
  "72656b61145b3a3a315d3a383736310464320000000000000004ac0202000201000002030301145b3a3a315d3a39363030050101" +
  "0405000106";
const EARLIER_MEMBERS =
  "0102041664312e3061316232633364145b3a3a315d3a393632301673312e3061316232633364145b3a3a315d3a39363231" +
  "0000000000000004ac0202000201000002030301145b3a3a315d3a3936303000";
const EARLIER_REPLICA =
  "0101071c6f726465727323402369234023671673312e30613162326333642a31302e302e302e313a315f31302e302e302e323a3204" +
  "7a3104c3a90c7765696768742d670d52a1d80000230040002300690023004000230067ff0100000000000000080100400000000000" +
  "00000000000000000007010006722d3100000000000000034278bcfe5680040001020304010503020461000106722d310000000000" +
  "0000034278bcfe56800400000001060101ac0201060200";
const EARLIER_CHANGE =
  "0102071c6f726465727323402369234023671673312e30613162326333642a31302e302e302e313a315f31302e302e302e32" +
  "3a32047a3104c3a90c7765696768742a31302e302e302e393a315f31302e302e302e323a32ff010000000000000008004000" +
  "000000000000000000000000000704010006722d3100000000000000034278bcfe5680040001020304010503020461000201" +
  "0006722d3100000000000000034278bcfe568004000002020006722d3200000000000000034278bcfe568004000002010006" +
  "722d3100000000000000034278bcfe5680040002010603";
const EARLIER_RULES =
  "010b0120686964655075626c69636174696f6e730040000000000000010020000000000000010a6f66662d31000104c3a980" +
  "d095ffbc31126469736b2066756c6c01e0f7a7ffbc3100200000000000000701021031302e302e302e311631302e312e302e" +
  "302f31360002011a5b323030313a6462383a3a315d0003011c6f726465727323402369234023670004010c6f726465727300" +
  "0501047a310006010473310007011a313730303030303030303030300000011273746f702d70757368";

const EARLIER_RENEW =
  "0111021c6f726465727323402369234023672d670d52a1d80000230040002300690023004000230067ac02030006722d3100" +
  "000106722d32ac02000006722d33010b0101010000000000000007";
const EARLIER_SNAPSHOT =
  "0103061c6f726465727323402369234023671673312e30613162326333642a31302e302e302e313a315f31302e302e302e" +
  "323a32047a3104c3a90c7765696768740040000000000000000000000000000007010006722d3100000000000000034278" +
  "bcfe568004000102030401050302046100";

const EARLIER_OPERATION =
  "010100ac021673312e3061316232633364011664312e3061316232633364021a73657276696365732e6c697374227b227061747465" +
  "726e223a22c3a92a227d";

const EARLIER_CATALOGUE =
  "010d021c6f726465727323402369234023672d670d52a1d800002300400023006900230040002300670a6923402367ff01" +
  "010040000000000000000000000000000007ac020001010100";

// From a release that knew one listener for clients.
const LATER_HEARTBEAT = `${EARLIER_HEARTBEAT}01ac02`;

function decoded(link: keyof typeof LINKS, hex: string): unknown {
  return LINKS[link].decode(Uint8Array.from(Buffer.from(hex, "hex")));
}

/** As the first releases said it: without a zone. */
function atBoltOnly<T extends { readonly clientAddresses?: ReadonlyMap<string, string>; readonly zone?: string }>(
  said: T,
): Omit<T, "zone"> {
  const { zone, ...rest } = said;
  const bolt = said.clientAddresses?.get("bolt");
  return bolt === undefined ? rest : { ...rest, clientAddresses: new Map([["bolt", bolt]]) };
}

test("greetings of releases that know no secret are read, and their answers", () => {
  const { nonce, ...hello } = GOLDEN_MESSAGES["roster.Hello"].hello;
  const { proof, ...answer } = GOLDEN_MESSAGES["roster.HelloAnswer"].helloAnswer;
  assert.deepEqual(decoded("roster.Hello", EARLIER_HELLO), hello);
  assert.deepEqual(decoded("roster.HelloAnswer", EARLIER_ANSWER), answer);
});

test("a greeting without a secret differs from an earlier release's by its end alone", () => {
  const { nonce, ...hello } = GOLDEN_MESSAGES["roster.Hello"].hello;
  assert.equal(Buffer.from(LINKS["roster.Hello"].encode(hello)).toString("hex"), `${EARLIER_HELLO}00`);
});

test("heartbeats without a number of clients are read, and with the address of one listener for them", () => {
  const { rulesEpoch, ...newest } = GOLDEN_MESSAGES["roster.MemberToMeta"].heartbeat;
  const heartbeat = atBoltOnly(newest);
  const { clients, ...earlier } = heartbeat;
  assert.deepEqual(decoded("roster.MemberToMeta", EARLIER_HEARTBEAT), earlier);
  assert.deepEqual(decoded("roster.MemberToMeta", LATER_HEARTBEAT), heartbeat);
});

test("members with the address of one listener for clients are read, and without what is blocked", () => {
  const { blocked, ...members } = GOLDEN_MESSAGES["roster.MetaToMember"].members.members;
  const earlier = { ...members, list: members.list.map(atBoltOnly) };
  assert.deepEqual(decoded("roster.MetaToMember", EARLIER_MEMBERS), { kind: "members", members: earlier });
});

test("copies that don't say whose a removal was are read", () => {
  const { replica } = GOLDEN_MESSAGES["roster.LeaderToFollower"];
  const [datum] = replica.datums;
  assert.ok(datum !== undefined);
  const [registId, stamp] = datum.tombstones[0] ?? [];
  const { hidden, ...shown } = datum;
  const read = LINKS["roster.LeaderToFollower"].decode(Uint8Array.from(Buffer.from(EARLIER_REPLICA, "hex")));
  assert.deepEqual(read, { ...replica, datums: [{ ...shown, tombstones: [[registId, stamp]] }] });
});

test("lists of leaders that know no leases are read", () => {
  const { snapshot } = GOLDEN_MESSAGES["roster.DataToSession"];
  const [publication] = snapshot.datum.publications;
  const earlier = { ...snapshot, datum: { ...snapshot.datum, publications: [publication] } };
  assert.deepEqual(decoded("roster.DataToSession", EARLIER_SNAPSHOT), earlier);
});

test("catalogues of leaders that know no heartbeats of clients are read", () => {
  const { catalogue } = GOLDEN_MESSAGES["roster.DataToSession"];
  const earlier = { ...catalogue, entries: catalogue.entries.slice(0, 1) };
  assert.deepEqual(decoded("roster.DataToSession", EARLIER_CATALOGUE), earlier);
});

test("heartbeats of sessions that report no earlier leader are read", () => {
  const { elsewhere, ...earlier } = GOLDEN_MESSAGES["roster.SessionToData"].renew;
  assert.deepEqual(decoded("roster.SessionToData", EARLIER_RENEW), earlier);
});

test("changes of leaders that know no rules are read", () => {
  const { hidden, ...change } = GOLDEN_MESSAGES["roster.LeaderToFollower"].change;
  const earlier = { ...change, items: change.items.filter((item) => item.kind === "put" || !item.removal.isOfLease) };
  assert.deepEqual(decoded("roster.LeaderToFollower", EARLIER_CHANGE), earlier);
});

test("rules of meta nodes that know no settings are read", () => {
  const { put, ...rules } = GOLDEN_MESSAGES["roster.MetaToMember"].rules;
  assert.deepEqual(decoded("roster.MetaToMember", EARLIER_RULES), { ...rules, put: put.slice(0, 1) });
});

test("questions of nodes that name no principal are read", () => {
  const { by, ...earlier } = GOLDEN_MESSAGES["roster.Operation"].operationAsked;
  assert.deepEqual(decoded("roster.Operation", EARLIER_OPERATION), earlier);
});

test("heartbeats and members of releases that name no zone are read", () => {
  const { zone, ...heartbeat } = GOLDEN_MESSAGES["roster.MemberToMeta"].heartbeat;
  assert.deepEqual(decoded("roster.MemberToMeta", ZONELESS_HEARTBEAT), heartbeat);
  const { members } = GOLDEN_MESSAGES["roster.MetaToMember"].members;
  const list = members.list.map(({ zone: _, ...member }) => member);
  assert.deepEqual(decoded("roster.MetaToMember", ZONELESS_MEMBERS), {
    kind: "members",
    members: { ...members, list },
  });
});
