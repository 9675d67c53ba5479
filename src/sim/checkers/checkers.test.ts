// Each checker is shown a history that breaks its rule, and the nearest one that does not.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { textOf } from "../../base/text.ts";
import type { Members, MetaToMember } from "../../cluster/messages/membership.ts";
import type { DataToSession } from "../../cluster/messages/sessionData.ts";
import { brandServiceKey, clientId, type NodeId, nodeId } from "../../model/ids.ts";
import { packBoxes } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import type { SlotTable } from "../../model/slot.ts";
import { drawPlan } from "../drawPlan.ts";
import type { Fact, Role } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";

const S = brandServiceKey("s#@#I#@#G");
const PLAN: Plan = {
  ...drawPlan(new Dice(1)),
  topology: "split",
  nodes: [
    { machine: "d1", roles: ["data"] },
    { machine: "s1", roles: ["session"] },
  ],
};
const { clientReturnGraceMs: GRACE_MS, sessionLeaseMs: LEASE_MS, restartHoldMs: HOLD_MS } = PLAN.config;
const T = 1_700_000_000_000;

type At = readonly [atMs: number, fact: Fact];

/** The rule that a history breaks, if it breaks one. */
function broken(...history: readonly At[]): string | undefined {
  return brokenIn(PLAN, [...READY, ...history]);
}

function brokenIn(plan: Plan, history: readonly At[]): string | undefined {
  const judge = new Judge(plan);
  for (const [atMs, fact] of history) judge.see(fact, T + atMs);
  return judge.finding?.rule;
}

function publication(registId: string, version: bigint, { atMs = 0, zone = "Z1" } = {}): Publication {
  const token = `${registId}~${version}~${registId.split(".")[0]}`;
  return {
    serviceKey: S,
    registId,
    version,
    registeredMs: T + atMs,
    owner: { session: nodeId("s1.2"), client: clientId("c") },
    zone,
    appName: "",
    attributes: new Map(),
    payload: packBoxes([textOf(token)]),
  };
}

const D1 = nodeId("d1.1");
const S1 = nodeId("s1.2");
const told = (message: DataToSession, from = D1): Fact => ({ kind: "told", from, to: S1, message });
const snapshot = (version: bigint, ...publications: Publication[]) => snapshotOf(1n, version, ...publications);
const snapshotOf = (origin: bigint, version: bigint, ...publications: Publication[]) =>
  told({ kind: "snapshot", datum: { serviceKey: S, version, origin, publications } });
const of = (registId: string) => ({ client: registId.split(".")[0] ?? "", service: S, registId });
const on = (connection: number) => ({ session: "s1.2", connection });
const published = (registId: string, version: bigint): Fact => ({
  kind: "published",
  ...of(registId),
  version,
  token: `${registId}~${version}~${registId.split(".")[0]}`,
  zone: "Z1",
});
const acknowledged = (registId: string, version: bigint, connection = 1): Fact => ({
  kind: "acknowledged",
  ...of(registId),
  version,
  ...on(connection),
});
const unpublished = (registId: string, version: bigint): Fact => ({ kind: "unpublished", ...of(registId), version });
const joined = { kind: "connected", isMute: false } as const;
const connected = (client: string, connection = 1): Fact => ({ ...joined, client, ...on(connection) });
const lost = (client: string, connection = 1): Fact => ({ kind: "lost", client, side: "server", ...on(connection) });
const subscribed: Fact = { kind: "subscribed", ...of("w.1"), scope: "dataCenter", zone: "Z1" };
const pushed = (version: bigint, ...entries: string[]): Fact => ({
  kind: "pushed",
  ...of("w.1"),
  version,
  session: "s1.2",
  scope: "dataCenter",
  zone: "Z1",
  isTaken: true,
  entries,
});
const started = (id: NodeId, role: Role): Fact => ({
  kind: "started",
  node: id,
  role,
  machine: id.split(".")[0] ?? "",
});
const stopped = (id: NodeId, role: Role): Fact => ({ kind: "stopped", node: id, role });
const over: Fact = { kind: "over", live: [] };
const TABLE: SlotTable = {
  epoch: 1n,
  slots: Array.from({ length: PLAN.meta.slotCount }, () => ({ leader: D1, leaderEpoch: 1n, followers: [] })),
};
const MEMBERS: Members = {
  ...{ epoch: 1n, serial: 1 },
  list: [
    { id: D1, role: "data", address: "d1:1" },
    { id: S1, role: "session", address: "s1:1" },
  ],
};
const learned = (node: NodeId, role: "data" | "session", message: MetaToMember): Fact => ({
  kind: "learned",
  ...{ node, role, message },
});
const heartbeat = (from: NodeId, role: "data" | "session", tableEpoch = 1n): Fact => ({
  ...{ kind: "heartbeat", from },
  message: {
    ...{ kind: "heartbeat", role, address: "", tableEpoch, members: MEMBERS, isLeaving: false },
    slots: { serving: role === "data" ? ALL_SLOTS : [], held: [], inSync: [] },
  },
});
const ALL_SLOTS = TABLE.slots.map((_, slot) => slot);

/** One leader that has heard the one session. */
const READY: readonly At[] = [
  [-10, started(D1, "data")],
  [-10, started(S1, "session")],
  [-9, learned(D1, "data", { kind: "members", members: MEMBERS })],
  [-9, learned(D1, "data", { kind: "slotTable", table: TABLE, versionFloor: 0n })],
  [-9, learned(S1, "session", { kind: "slotTable", table: TABLE, versionFloor: 0n })],
  [-8, { kind: "linkMade", session: S1, data: D1 }],
  [-7, told({ kind: "synced", slots: ALL_SLOTS })],
];

/** The data node starts anew, leads again and hears the session. */
function restarted(stopMs: number, startMs: number): At[] {
  const again = nodeId("d1.3");
  const table = { epoch: 2n, slots: TABLE.slots.map((owner) => ({ ...owner, leader: again, leaderEpoch: 2n })) };
  return [
    [stopMs, stopped(D1, "data")],
    [startMs, started(again, "data")],
    [startMs, learned(again, "data", { kind: "members", members: MEMBERS })],
    [startMs, learned(again, "data", { kind: "slotTable", table, versionFloor: 0n })],
    [startMs, told({ kind: "synced", slots: ALL_SLOTS }, again)],
  ];
}
const later = (version: bigint, ...publications: Publication[]) =>
  told({ kind: "snapshot", datum: { serviceKey: S, version, origin: 2n, publications } }, nodeId("d1.3"));

/** c publishes and is known. */
const C_IS_THERE: readonly At[] = [
  [0, connected("c")],
  [0, published("c.1", 1n)],
  [5, acknowledged("c.1", 1n)],
  [6, snapshot(10n, publication("c.1", 1n))],
];

describe("rule 1", () => {
  test("an older registration does not come back after a newer one", () => {
    const history: At[] = [
      [0, snapshot(10n, publication("c.1", 2n))],
      [1, snapshot(11n, publication("c.1", 1n))],
    ];
    assert.equal(broken(...history), "1 newest wins");
  });

  test("what was taken back does not come back, but what is published anew does", () => {
    const removed = told({
      kind: "delta",
      delta: {
        serviceKey: S,
        base: { version: 10n, origin: 1n },
        version: 11n,
        origin: 1n,
        changes: [{ kind: "removed", registId: "c.1", stamp: { version: 2n, registeredMs: T } }],
      },
    });
    const takenBack: At[] = [...C_IS_THERE, [10, unpublished("c.1", 2n)], [12, removed]];
    assert.equal(broken(...takenBack, [20, snapshot(12n, publication("c.1", 1n))]), "1 newest wins");
    assert.equal(broken(...takenBack, [20, snapshot(12n, publication("c.1", 3n))]), undefined);
  });
});

describe("rule 2", () => {
  test("a version does not go back, even after a restart", () => {
    const history: At[] = [[0, snapshot(10n)], ...restarted(1, 2)];
    assert.equal(broken(...history, [3, later(9n)]), "2 versions grow");
    assert.equal(broken(...history, [3, later(11n)]), undefined);
  });
});

describe("rule 3", () => {
  test("a subscriber is not pushed an older version, whether or not it takes it", () => {
    const history: At[] = [
      [0, snapshot(10n)],
      [1, snapshot(11n)],
      [2, pushed(11n)],
    ];
    assert.equal(broken(...history, [3, { ...pushed(10n), isTaken: false } as Fact]), "3 a subscriber never goes back");
    assert.equal(broken(...history, [3, { ...pushed(11n), isTaken: false } as Fact]), undefined);
  });
});

describe("rule 4", () => {
  const both: At = [0, snapshot(10n, publication("c.1", 1n), publication("d.1", 1n, { zone: "Z2" }))];

  test("a push shows all of its version", () => {
    assert.equal(broken(both, [1, pushed(10n, "Z1/c.1~1~c")]), "4 whole versions");
    assert.equal(broken(both, [1, pushed(10n, "Z1/c.1~1~c", "Z2/d.1~1~d")]), undefined);
  });

  test("zone scope is cut to the subscriber's zone", () => {
    assert.equal(broken(both, [1, { ...pushed(10n, "Z1/c.1~1~c"), scope: "zone" } as Fact]), undefined);
    assert.equal(
      broken(both, [1, { ...pushed(10n, "Z1/c.1~1~c", "Z2/d.1~1~d"), scope: "zone" } as Fact]),
      "4 whole versions",
    );
  });

  test("nobody makes up a version", () => {
    assert.equal(broken(both, [1, pushed(12n)]), "4 whole versions");
  });

  test("a version has one content", () => {
    assert.equal(broken(both, [1, snapshot(10n, publication("c.1", 1n))]), "4 whole versions");
  });
});

describe("rule 5", () => {
  test("a client that returns within the grace is never missing", () => {
    const history: At[] = [
      ...C_IS_THERE,
      [100, lost("c")],
      [600, connected("c", 2)],
      [605, acknowledged("c.1", 1n, 2)],
    ];
    assert.equal(broken(...history, [700, snapshot(11n)]), "5 a cut is not a death");
  });

  test("a client that is away for longer may be missing, but not before the grace is over", () => {
    const history: At[] = [...C_IS_THERE, [100, lost("c")]];
    assert.equal(broken(...history, [100 + GRACE_MS - 1, snapshot(11n)]), "5 a cut is not a death");
    assert.equal(broken(...history, [100 + GRACE_MS, snapshot(11n)]), undefined);
  });

  test("a dead client is gone when the grace is over", () => {
    const history: At[] = [...C_IS_THERE, [100, { kind: "died", client: "c", how: "killed" }], [110, lost("c")]];
    const other = publication("d.1", 1n);
    assert.equal(broken(...history, [200_000, snapshot(11n, publication("c.1", 1n), other)]), "5 a cut is not a death");
    assert.equal(broken(...history, [200_000, snapshot(11n, other)]), undefined);
  });
});

describe("rule 6", () => {
  const restart: readonly At[] = [
    ...C_IS_THERE,
    [5_000, snapshot(10n, publication("c.1", 1n))],
    ...restarted(5_001, 5_100),
  ];

  test("a data node that restarted does not show a list that is not complete", () => {
    assert.equal(broken(...restart, [5_200, later(11n)]), "6 no empty by accident");
    assert.equal(broken(...restart, [5_200, later(11n, publication("c.1", 1n))]), undefined);
  });

  test("clients of a session that died have its lease to return", () => {
    const history: At[] = [...C_IS_THERE, [5_000, stopped(S1, "session")]];
    assert.equal(broken(...history, [5_000 + LEASE_MS - 1_000, snapshot(11n)]), "6 no empty by accident");
    assert.equal(broken(...history, [5_000 + LEASE_MS, snapshot(11n)]), undefined);
  });

  test("after the hold a client that did not return may be missing", () => {
    const gone: At[] = [...restart, [5_200, lost("c")]];
    assert.equal(broken(...gone, [5_100 + HOLD_MS, later(11n)]), undefined);
  });

  test("a new leader is silent until it has heard every session", () => {
    const deaf = READY.filter(([, { kind }]) => kind !== "told");
    const shown: At[] = [
      [0, snapshot(10n)],
      [1, over],
    ];
    assert.equal(brokenIn(PLAN, [...deaf, ...shown]), "6 no empty by accident");
    assert.equal(brokenIn(PLAN, [...READY, [0, snapshot(10n)]]), undefined);
  });
});

describe("rule 7", () => {
  const watched: readonly At[] = [[0, subscribed], ...C_IS_THERE, [10, pushed(10n, "Z1/c.1~1~c")]];
  const WELL: readonly At[] = [
    [90, { kind: "saved", by: nodeId("m1.4"), what: "", askedMs: T, leaseEpoch: 1n, table: TABLE, before: undefined }],
    [90, learned(D1, "data", { kind: "members", members: MEMBERS })],
    [90, learned(S1, "session", { kind: "members", members: MEMBERS })],
    [91, heartbeat(D1, "data")],
    [91, heartbeat(S1, "session")],
  ];

  test("at the end every list is what the living publish", () => {
    assert.equal(broken(...watched, ...WELL, [100, over]), undefined);
    assert.equal(broken(...watched, [50, published("d.1", 1n)], [100, over]), "7 convergence");
    assert.equal(broken(...watched, [50, { kind: "died", client: "c", how: "killed" }], [100, over]), "7 convergence");
    assert.equal(broken(...watched, [50, unpublished("c.1", 2n)], [100, over]), "G11 order of one client");
  });

  test("a subscriber that never got a list has not converged", () => {
    assert.equal(broken([0, subscribed], [100, over]), "7 convergence");
  });

  test("every living client is served", () => {
    const live = [{ client: "c", isConnected: true, undone: 1 }];
    assert.equal(broken(...watched, [100, { kind: "over", live }]), "7 convergence");
  });
});

describe("rule 8", () => {
  test("what waits for a slow client is bounded", () => {
    const buffered = (bytes: number): Fact => ({ kind: "buffered", client: "c", bytes, written: 1_000 });
    assert.equal(broken([0, buffered(1_000_000)]), undefined);
    assert.equal(broken([0, buffered(2_000_000)]), "8 everything is bounded");
  });

  test("one batch is under way to a data node", () => {
    const batch = (id: number): Fact => ({
      kind: "asked",
      from: S1,
      to: D1,
      message: { kind: "publish", batch: id, epoch: 1n, items: [] },
      isLost: false,
    });
    assert.equal(broken([0, batch(1)], [1, batch(2)]), "8 everything is bounded");
    const taken = told({ kind: "taken", batch: 1, superseded: [], unlisted: [], isFull: false });
    assert.equal(broken([0, batch(1)], [1, taken], [2, batch(2)]), undefined);
  });
});

describe("G11", () => {
  const flapped: readonly At[] = [
    [0, subscribed],
    ...C_IS_THERE,
    [10, unpublished("c.1", 2n)],
    [20, published("c.1", 3n)],
    [25, acknowledged("c.1", 3n)],
  ];

  test("register, unregister, register ends as the last", () => {
    const end: At[] = [
      [31, pushed(11n)],
      [100, over],
    ];
    assert.equal(broken(...flapped, [30, snapshot(11n)], ...end), "G11 order of one client");
    const well: At[] = [[31, pushed(11n, "Z1/c.1~3~c")]];
    assert.equal(broken(...flapped, [30, snapshot(11n, publication("c.1", 3n))], ...well), undefined);
  });
});

describe("lead", () => {
  const M1 = nodeId("m1.4");
  const saved = (by: NodeId, leaseEpoch: bigint, table: SlotTable = TABLE, before?: SlotTable): Fact => ({
    kind: "saved",
    ...{ by, what: "slot table", askedMs: T, leaseEpoch, table, before },
  });
  const leads = (node: NodeId, leaseEpoch: bigint): Fact => ({ kind: "leads", node, leaseEpoch });

  test("one meta node saves under a lease, the one that has it", () => {
    const other = nodeId("m2.5");
    assert.equal(broken([0, leads(M1, 1n)], [1, saved(M1, 1n)]), undefined);
    assert.equal(broken([0, leads(M1, 1n)], [1, saved(other, 1n)]), "lead: one meta leader at a time");
    assert.equal(broken([0, leads(M1, 1n)], [1, leads(other, 1n)]), "lead: one meta leader at a time");
  });

  test("a table that replaces another has a higher epoch, and names nobody twice for a slot", () => {
    const twice = { epoch: 2n, slots: TABLE.slots.map((owner) => ({ ...owner, followers: [D1] })) };
    assert.equal(broken([0, saved(M1, 1n, TABLE, { ...TABLE, epoch: 1n })]), "slots: how the table changes");
    assert.equal(broken([0, saved(M1, 1n, twice, TABLE)]), "slots: how the table changes");
  });

  test("a follower that holds the slot takes over before anybody else", () => {
    const [d2, d3] = [nodeId("d2.6"), nodeId("d3.7")];
    const before = { epoch: 1n, slots: [{ leader: D1, leaderEpoch: 1n, followers: [d2] }] };
    const led = (leader: NodeId) => ({ epoch: 2n, slots: [{ leader, leaderEpoch: 2n, followers: [] }] });
    const report = { ...heartbeat(d2, "data"), kind: "reported", to: M1, from: { id: d2, role: "data" } } as Fact;
    const inSync = { ...report, message: { ...(report as Fact & { kind: "reported" }).message } } as Fact;
    Object.assign((inSync as Fact & { kind: "reported" }).message, { slots: { serving: [], held: [], inSync: [0] } });
    const history: At[] = [
      [0, started(d2, "data")],
      [0, saved(M1, 1n, before)],
      [1, inSync],
    ];
    const next = (leader: NodeId) => ({ ...saved(M1, 1n, led(leader), before), askedMs: T + 2 }) as Fact;
    assert.equal(broken(...history, [2, next(d3)]), "slots: how the table changes");
    assert.equal(broken(...history, [2, next(d2)]), undefined);
  });
});

describe("epochs", () => {
  test("a node's table does not go back", () => {
    const back: At[] = [
      [0, heartbeat(D1, "data", 2n)],
      [1, heartbeat(D1, "data", 1n)],
    ];
    assert.equal(broken(...back), "epochs: nobody goes back");
  });
});

describe("several data nodes", () => {
  const CLUSTER: Plan = {
    ...{ ...PLAN, topology: "cluster" },
    nodes: [...PLAN.nodes, { machine: "d2", roles: ["data"] }],
  };
  const inCluster = (...history: readonly At[]) => brokenIn(CLUSTER, [...READY, ...history]);

  test("two leaders may give one number to two lists if they are 64 epochs apart, others may not", () => {
    const one: At = [0, snapshotOf(1n, 10n, publication("c.1", 1n))];
    assert.equal(inCluster(one, [1, snapshotOf(65n, 10n)]), undefined);
    assert.equal(inCluster(one, [1, snapshotOf(2n, 10n)]), "4 whole versions");
    assert.equal(inCluster(one, [1, snapshotOf(1n, 10n)]), "4 whole versions");
  });

  test("nobody who is alive disappears from a subscriber's list", () => {
    const seen: At[] = [...C_IS_THERE, [10, pushed(10n, "Z1/c.1~1~c")], [20, snapshot(11n)]];
    assert.equal(inCluster(...seen, [21, pushed(11n)]), "5 a cut is not a death");
    assert.equal(inCluster(...seen, [15, unpublished("c.1", 2n)], [21, pushed(11n)]), undefined);
  });

  test("a session that was cut off for its lease may be missed, one that was cut off for less may not", () => {
    const cut = (untilMs: number): At[] => [
      ...C_IS_THERE,
      [10, pushed(10n, "Z1/c.1~1~c")],
      [100, { kind: "outside", machine: "s1", isOutside: true }],
      [untilMs, { kind: "outside", machine: "s1", isOutside: false }],
    ];
    const gone = (atMs: number): At[] => [
      [atMs, snapshot(11n)],
      [atMs + 1, pushed(11n)],
    ];
    assert.equal(inCluster(...cut(100 + LEASE_MS), ...gone(200 + LEASE_MS)), undefined);
    assert.equal(inCluster(...cut(1_000), ...gone(2_000)), "5 a cut is not a death");
  });
});

describe("followers", () => {
  test("at the end a follower holds what its leader holds", () => {
    const datum = { serviceKey: S, version: 10n, origin: 1n, publications: [publication("c.1", 1n)], tombstones: [] };
    const answer = (datums: readonly (typeof datum)[]): Fact => ({
      ...{ kind: "replicated", from: D1, to: nodeId("d2.6") },
      message: { kind: "replica", slot: 0, leaderEpoch: 1n, datums, gone: [], isLast: true },
    });
    const compared: At = [0, { kind: "compared" }];
    assert.equal(broken(compared, [1, answer([datum])]), "followers hold what their leaders hold");
    assert.equal(broken(compared, [1, answer([])]), undefined);
  });
});

describe("settled", () => {
  const NOT_WHOLE = "settled: a healed cluster is whole";
  const GONE: SlotTable = {
    epoch: 2n,
    slots: TABLE.slots.map((owner) => ({ ...owner, leader: nodeId("d9.9"), leaderEpoch: 2n })),
  };
  const saved = (table: SlotTable, before?: SlotTable): Fact => ({
    ...{ kind: "saved", by: nodeId("m1.4"), what: "", askedMs: T },
    ...{ leaseEpoch: 1n, table, before },
  });
  /** All nodes use the first table and the first list of members, and report that. */
  const RESTED: readonly At[] = [
    [0, saved(TABLE)],
    [0, learned(S1, "session", { kind: "members", members: MEMBERS })],
    [1, heartbeat(D1, "data")],
    [1, heartbeat(S1, "session")],
  ];

  test("at the end every slot has a leader that lives", () => {
    assert.equal(broken([0, saved(GONE)], [1, over]), NOT_WHOLE);
  });

  test("at the end the table is the one that the store holds, not one that a fail-over has lost", () => {
    const lost: readonly At[] = [...RESTED, [2, saved(GONE, TABLE)]];
    assert.equal(broken(...lost, [9, over]), NOT_WHOLE);
    assert.equal(broken(...lost, [3, { kind: "failedOver", table: TABLE }], [9, over]), undefined);
    assert.equal(broken(...lost, [3, { kind: "failedOver", table: GONE }], [9, over]), NOT_WHOLE);
  });

  test("at the end every node goes by a list of all members, whatever came late from an earlier leader", () => {
    const few = (epoch: bigint): Members => ({ ...MEMBERS, epoch, list: MEMBERS.list.slice(0, 1) });
    const told = (members: Members): At => [2, learned(D1, "data", { kind: "members", members })];
    const goesBy = (members: Members): At => {
      const fact = heartbeat(D1, "data");
      assert.ok(fact.kind === "heartbeat");
      return [3, { ...fact, message: { ...fact.message, members } }];
    };
    assert.equal(broken(...RESTED, [9, over]), undefined);
    assert.equal(broken(...RESTED, told(few(0n)), [9, over]), undefined, "it is older, and nobody goes by it");
    assert.equal(broken(...RESTED, told(few(2n)), goesBy(few(2n)), [9, over]), NOT_WHOLE);
    assert.equal(broken(...RESTED, goesBy(few(2n)), [9, over]), NOT_WHOLE, "it was never told that list");
  });
});
