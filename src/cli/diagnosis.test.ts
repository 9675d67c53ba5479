import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose, type Facts, type NodeHealth, type SlotRow, worstOf } from "./diagnosis.ts";

const NOW_MS = Date.parse("2026-11-29T12:00:00.000Z");

function healthOf(node: string, changes: Partial<NodeHealth> = {}): NodeHealth {
  const roles = [{ role: "data", isReady: true, reason: null }];
  const now = new Date(NOW_MS).toISOString();
  return { node, version: "1.0", now, isStopping: false, roles, isLeading: null, isStoreReachable: null, ...changes };
}

const META = healthOf("m1.a", { isLeading: true, isStoreReachable: true });

function slotOf(changes: Partial<SlotRow> = {}): SlotRow {
  return { id: 0, leader: "d1.a", followers: ["d2.b"], inSync: ["d2.b"], state: "serving", ...changes };
}

function factsWith(changes: Partial<Facts> = {}): Facts {
  return {
    health: { answer: { items: [META, healthOf("d1.a"), healthOf("d2.b")], unreachable: [] } },
    nodes: { answer: { items: [], leader: "m1.a" } },
    slots: { answer: { items: [slotOf(), slotOf({ id: 1, leader: "d2.b", followers: ["d1.a"], inSync: ["d1.a"] })] } },
    held: { answer: { items: [], unreachable: [] } },
    rules: { answer: { items: [], behind: [] } },
    askedMs: NOW_MS,
    answeredMs: NOW_MS + 20,
    ...changes,
  };
}

test("of a healthy cluster each part is well", () => {
  const findings = diagnose(factsWith());
  assert.equal(worstOf(findings), "ok", JSON.stringify(findings));
  const parts = ["nodes", "meta", "store", "slots", "slots", "held lists", "rules", "releases", "clocks", "protection"];
  assert.deepEqual(
    findings.map(({ about }) => about),
    parts,
  );
});

const health = (items: readonly NodeHealth[]): Partial<Facts> => ({ health: { answer: { items, unreachable: [] } } });
const slots = (...items: SlotRow[]): Partial<Facts> => ({ slots: { answer: { items } } });
const node = (state: string, role: string): Partial<Facts> => ({
  nodes: { answer: { items: [{ id: "n1.a", role, state, address: "10.0.0.1:9620" }], leader: "m1.a" } },
});

const PAUSED: Partial<Facts> = {
  slots: {
    answer: {
      items: [slotOf(), slotOf({ id: 1, leader: "d2.b", followers: ["d1.a"], inSync: ["d1.a"] })],
      paused: { since: "2026-11-29T11:00:00.000Z", by: "ann", reason: "new switches" },
    },
  },
};

const RULE = { id: "r", concerns: "clients at 10.0.0.7", setBy: "ana", until: null };
const rules = (effect: string, behind: readonly string[] = []): Partial<Facts> => ({
  rules: { answer: { items: effect === "" ? [] : [{ ...RULE, effect }], behind } },
});

const CASES: readonly [behaviour: string, changes: Partial<Facts>, level: string, finding: RegExp][] = [
  [
    "a rule that hides publications",
    rules("hidePublications"),
    "warning",
    /1 keep publications out of all lists: r \(clients at 10\.0\.0\.7\), set by ana$/,
  ],
  ["a setting that operators have changed", rules("changeSettings"), "ok", /1 change settings: clients at/],
  ["a rule that holds pushes", rules("holdPushes"), "warning", /1 hold pushes: r /],
  ["a node without the newest rules", rules("", ["d2.b"]), "warning", /d2\.b did not confirm the newest rules/],
  ["rules that are not known", { rules: { reason: "none leads" } }, "warning", /not known: none leads/],
  [
    "a node that does not answer",
    { health: { answer: { items: [META], unreachable: [{ node: "d2.b", reason: "no link" }] } } },
    "error",
    /d2\.b does not answer: no link/,
  ],
  [
    "slots whose arrangement is paused",
    PAUSED,
    "warning",
    /paused since 2026-11-29T11:00:00.000Z by ann: new switches: none is moved/,
  ],
  ["health that is not known", { health: { reason: "too busy" } }, "error", /their health is not known: too busy/],
  [
    "a role that does not work",
    health([healthOf("d1.a", { roles: [{ role: "data", isReady: false, reason: "no slot table" }] })]),
    "error",
    /data of d1\.a does not work: no slot table/,
  ],
  ["a node that stops", health([healthOf("d1.a", { isStopping: true })]), "warning", /d1\.a hands over its work/],
  ["a blocked node, once", node("blocked", "data"), "warning", /n1\.a is blocked/],
  ["a meta node that is away", node("unreachable", "meta"), "warning", /meta node at 10\.0\.0\.1:9620/],
  ["no leading meta node", { nodes: { answer: { items: [], leader: null } } }, "error", /no meta node leads/],
  ["no meta node", { nodes: { reason: "no link" } }, "error", /no meta node answers: no link/],
  [
    "a store that is away",
    health([healthOf("m1.a", { isStoreReachable: false })]),
    "error",
    /store does not answer m1\.a/,
  ],
  ["no slot table", slots(), "error", /no data node has joined/],
  ["slots that are not known", { slots: { reason: "no link" } }, "error", /they are not known: no link/],
  ["a slot that gathers", slots(slotOf({ state: "gathering" })), "error", /1 of 1 are gathering, led by d1\.a/],
  ["a slot whose leader is silent", slots(slotOf({ state: "silent" })), "error", /1 of 1 are silent/],
  ["a slot held after a restart", slots(slotOf({ state: "held" })), "warning", /1 of 1 are held/],
  ["a copy that is not whole", slots(slotOf({ inSync: [] })), "warning", /1 have a follower whose copy/],
  [
    "a slot without a follower",
    slots(slotOf(), slotOf({ followers: [], inSync: [] })),
    "warning",
    /1 have no follower/,
  ],
  ["one data node alone", slots(slotOf({ followers: [], inSync: [] })), "warning", /one data node has everything/],
  [
    "a held list",
    { held: { answer: { items: [{ service: "orders" }], unreachable: [] } } },
    "warning",
    /1 are kept as they were.*orders/,
  ],
  ["held lists that are not known", { held: { reason: "no link" } }, "error", /held is not known: no link/],
  ["two releases", health([META, healthOf("d1.a", { version: "1.1" })]), "warning", /1\.0 on m1\.a; 1\.1 on d1\.a/],
  [
    "a clock that is ahead",
    health([healthOf("d1.a", { now: new Date(NOW_MS + 3_020).toISOString() })]),
    "warning",
    /d1\.a is 3\.0 s ahead of this machine/,
  ],
  [
    "a clock that is behind",
    health([healthOf("d1.a", { now: new Date(NOW_MS - 1_500).toISOString() })]),
    "warning",
    /d1\.a is 1\.5 s behind this machine/,
  ],
];

for (const [behaviour, changes, level, finding] of CASES) {
  test(`${behaviour} is said, with what to do`, () => {
    const findings = diagnose(factsWith(changes)).filter((each) => finding.test(each.finding));
    assert.equal(findings.length, 1, JSON.stringify(diagnose(factsWith(changes))));
    assert.equal(findings[0]?.level, level);
    assert.notEqual(findings[0]?.advice, "");
  });
}

test("a second between two clocks, and a slow answer, are no finding", () => {
  const now = new Date(NOW_MS + 999).toISOString();
  const late = { ...factsWith(health([META, healthOf("d1.a", { now })])), askedMs: NOW_MS - 9_000 };
  assert.equal(worstOf(diagnose(late)), "ok");
});

test("of many names the first five are said", () => {
  const items = Array.from({ length: 8 }, (_, at) => ({ service: `s${at}` }));
  const findings = diagnose(factsWith({ held: { answer: { items, unreachable: [] } } }));
  assert.ok(findings.some(({ finding }) => finding.includes("s4 and 3 more")));
});

test("what is open to the network is named, with the nodes", () => {
  const open = ["admin-port can be read on the way"];
  const findings = diagnose(factsWith(health([{ ...META, open }, { ...healthOf("d1.a"), open }, healthOf("d2.b")])));
  const [found] = findings.filter(({ about }) => about === "protection");
  assert.deepEqual([found?.level, found?.finding], ["warning", "admin-port can be read on the way, at m1.a, d1.a"]);
});
