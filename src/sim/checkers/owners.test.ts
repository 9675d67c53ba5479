import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../base/text.ts";
import type { Superseded } from "../../cluster/messages/sessionData.ts";
import { clientId, type NodeId } from "../../model/ids.ts";
import { packBoxes } from "../../model/payload.ts";
import type { Fact } from "../facts.ts";
import { Owners } from "./owners.ts";
import {
  type At,
  acknowledged,
  brokenBy,
  cut,
  D1,
  D2,
  PLAN,
  published,
  READY,
  S,
  S1,
  S2,
  saved,
  serves,
  shows,
  stopped,
  tableOf,
} from "./testing/history.ts";

const RULE = "owner: a registration is its client's";
const [OWNERS, STRANGERS] = ["c.1~1~c", "c.1~9~x"] as const;

const OWN = { client: "c", text: OWNERS as string, stamp: { version: 1n, registeredMs: 0 } };

const broken = (...history: At[]) => brokenBy((evidence) => new Owners(evidence), [...READY, ...history]);

/** The owner's session passes it on, or a stranger's session its own. */
function passedOn(from = S1, batch = 1, to = D1, { client, text, stamp } = OWN): Fact {
  const publication = {
    ...{ serviceKey: S, registId: "c.1", ...stamp },
    owner: { session: from, client: clientId(client) },
    ...{ zone: "Z1", appName: "", attributes: new Map(), payload: packBoxes([textOf(text)]) },
  };
  const message = { kind: "publish", batch, epoch: 1n, items: [{ kind: "put", publication }] } as const;
  return { kind: "asked", from, to, message, isLost: false };
}

/** A session reports the end of the registration of this version. */
function ended(from: NodeId, version: bigint, batch: number): Fact {
  const stamp = { version, registeredMs: 0 };
  const removal = { serviceKey: S, registId: "c.1", stamp, cause: "left" } as const;
  const message = { kind: "publish", batch, epoch: 1n, items: [{ kind: "remove", removal }] } as const;
  return { kind: "asked", from, to: D1, message, isLost: false };
}

const taken = (batch: number, to = S1, from = D1, superseded: readonly Superseded[] = []): Fact => ({
  ...{ kind: "told", from, to },
  message: { kind: "taken", batch, superseded, unlisted: [], isFull: false },
});
const zero = { version: 1n, registeredMs: 0 };
const REFUSED: Superseded = { serviceKey: S, registId: "c.1", stamp: zero, by: zero, isRemoved: false };
const moved: Fact = { kind: "told", from: D1, to: S1, message: { kind: "moved", batch: 1, epoch: 2n } };

/** S1 can't reach the leader when it takes the registration. */
const TAKEN_APART: readonly At[] = [
  [10_000, cut("s1", "d1", true)],
  [20_000, published(1n)],
  [20_005, acknowledged(1n, S1)],
];

/** S1 has told the leader of it, and it is shown. */
const HEARD: readonly At[] = [
  [10, published(1n)],
  [15, acknowledged(1n, S1)],
  [20, passedOn()],
  [30, taken(1)],
  [40, shows(D1, S2, 10n, OWNERS)],
];

test("a stranger is not shown with a registration of another client", () => {
  assert.equal(broken([10, published(1n)], [15, acknowledged(1n, S1)], [20, shows(D1, S2, 10n, OWNERS)]), undefined);
  assert.equal(broken([10, published(1n)], [15, acknowledged(1n, S1)], [20_000, shows(D1, S2, 10n, STRANGERS)]), RULE);
});

test("what a session took while it was cut off may be a stranger's until that one goes", () => {
  const first: readonly At[] = [...TAKEN_APART, [21_000, shows(D1, S2, 10n, STRANGERS)]];
  assert.equal(broken(...first), undefined);
  const healed: readonly At[] = [...first, [22_000, cut("s1", "d1", false)], [22_900, passedOn()], [22_901, taken(1)]];
  assert.equal(broken(...healed, [23_000, shows(D1, S2, 11n, STRANGERS, "d.1~1~d")]), undefined);
  const back: readonly At[] = [...healed, [24_000, shows(D1, S2, 11n, OWNERS)]];
  assert.equal(broken(...back), undefined);
  assert.equal(broken(...back, [25_000, shows(D1, S2, 12n, STRANGERS)]), RULE);
});

test("a stranger that the leader preferred in time may be shown later", () => {
  const by = { version: 7n, registeredMs: 5 };
  const sent = passedOn(S2, 1, D1, { client: "x", text: STRANGERS, stamp: by });
  const refused = taken(2, S1, D1, [{ ...REFUSED, by }]);
  const shown: At = [60_000, shows(D1, S2, 10n, STRANGERS)];
  const apart: readonly At[] = [...TAKEN_APART, [20_500, sent], [22_000, cut("s1", "d1", false)]];
  assert.equal(broken(...apart, [22_900, passedOn(S1, 2)], [22_901, refused], shown), undefined);
  assert.equal(broken(...apart, [59_000, passedOn(S1, 2)], [59_001, refused], shown), RULE);
});

test("a second stranger does not have it from the first one", () => {
  const first: readonly At[] = [...TAKEN_APART, [21_000, shows(D1, S2, 10n, STRANGERS)]];
  assert.equal(broken(...first, [22_000, shows(D1, S2, 11n, "c.1~99~y")]), RULE);
  const gone: At = [22_000, shows(D1, S2, 11n)];
  assert.equal(broken(...first, gone, [23_000, shows(D1, S2, 12n, "c.1~99~y")]), undefined);
});

test("what a leader has heard, however it came there, is the owner's", () => {
  const stranger: At = [21_000, shows(D1, S2, 10n, STRANGERS)];
  assert.equal(broken(...TAKEN_APART, [20_010, passedOn()], [20_020, taken(1)], stranger), RULE);
  assert.equal(broken(...TAKEN_APART, [20_010, passedOn()], [20_020, taken(2)], stranger), undefined);
  assert.equal(broken(...TAKEN_APART, [20_010, passedOn()], [20_020, moved], stranger), undefined);
  const refused = taken(1, S1, D1, [REFUSED]);
  assert.equal(broken(...TAKEN_APART, [20_010, passedOn()], [20_020, refused], stranger), undefined);
});

test("what was taken before the cut, or by a session that had the time to be heard again, is the owner's", () => {
  const stranger = (atMs: number): At => [atMs, shows(D1, S2, 10n, STRANGERS)];
  assert.equal(broken([10, published(1n)], [9_000, acknowledged(1n, S1)], ...TAKEN_APART, stranger(21_000)), RULE);
  assert.equal(broken(...TAKEN_APART, [22_000, cut("s1", "d1", false)], stranger(28_000)), undefined);
  assert.equal(broken(...TAKEN_APART, [22_000, cut("s1", "d1", false)], stranger(30_000)), RULE);
});

test("a session whose next cut begins before its links are made again is cut off all the while", () => {
  const first: readonly At[] = [...TAKEN_APART, [22_000, cut("s1", "d1", false)]];
  const stranger: At = [35_000, shows(D1, S2, 10n, STRANGERS)];
  assert.equal(broken(...first, [22_500, cut("s1", "d1", true)], stranger), undefined);
  assert.equal(broken(...first, [30_500, cut("s1", "d1", true)], stranger), RULE, "it had the time to be heard");
});

test("a session that is cut off from a node which leads nothing of it is heard", () => {
  const elsewhere: At = [10_000, cut("s1", "d2", true)];
  const taken: readonly At[] = [elsewhere, ...TAKEN_APART.slice(1)];
  assert.equal(broken(...taken, [21_000, shows(D1, S2, 10n, STRANGERS)]), RULE);
});

test("what a leader had heard from another session is free to it when that one says that it is over", () => {
  const elsewhere: readonly At[] = [
    [10, published(1n)],
    [15, acknowledged(1n, S2)],
    [20, passedOn(S2)],
    [30, taken(1, S2)],
    ...TAKEN_APART,
  ];
  const stranger: At = [21_000, shows(D1, S2, 10n, STRANGERS)];
  const end = (version: bigint): At[] => [
    [20_100, ended(S2, version, 2)],
    [20_110, taken(2, S2)],
  ];
  assert.equal(broken(...elsewhere, stranger), RULE);
  assert.equal(broken(...elsewhere, ...end(1n), stranger), undefined);
  // The end of a stranger's registration at the same session.
  assert.equal(broken(...elsewhere, ...end(9n), stranger), RULE);
});

/** The owner goes on to the other session, and the leader hears of it. */
const MOVED: readonly At[] = [
  [12_000, acknowledged(1n, S2, 2)],
  [12_010, passedOn(S2, 2)],
  [12_020, taken(2, S2)],
];

test("what a session had told before its cut is free when its client has left the one that it went on to", () => {
  const apart: At = [10_000, cut("s1", "d1", true)];
  const left: readonly At[] = [
    [13_000, acknowledged(1n, S1, 3)],
    [14_000, ended(S2, 1n, 3)],
    [14_010, taken(3, S2)],
  ];
  const stranger: At = [15_000, shows(D1, S2, 11n, STRANGERS)];
  assert.equal(broken(...HEARD, apart, ...MOVED, ...left, stranger), undefined);
  assert.equal(broken(...HEARD, apart, ...MOVED, stranger), RULE);
});

test("a session that its client has left long ago, and has said so, need not be cut off", () => {
  const movedToS1: readonly At[] = [
    [10, published(1n)],
    [15, acknowledged(1n, S2)],
    [20, passedOn(S2)],
    [30, taken(1, S2)],
    [40, acknowledged(1n, S1, 2)],
    [50, passedOn(S1, 2)],
    [60, taken(2)],
  ];
  const leftS2: readonly At[] = [
    [100, ended(S2, 1n, 3)],
    [110, taken(3, S2)],
  ];
  const backAtS1: readonly At[] = [
    [12_000, ended(S1, 1n, 4)],
    [12_010, taken(4)],
    [12_300, cut("s1", "d1", true)],
    [12_500, acknowledged(1n, S1, 3)],
  ];
  const stranger: At = [13_000, shows(D1, S2, 12n, STRANGERS)];
  assert.equal(broken(...movedToS1, ...leftS2, ...backAtS1, stranger), undefined);
  assert.equal(broken(...movedToS1, ...backAtS1, stranger), RULE, "S2 still has it");
  const again: At = [12_600, acknowledged(1n, S2, 4)];
  assert.equal(broken(...movedToS1, ...leftS2, ...backAtS1, again, stranger), RULE, "S2 has it again");
});

test("a session's word ends nothing that the leader has from another one", () => {
  const late: readonly At[] = [
    [13_000, cut("s2", "d1", true)],
    [14_000, ended(S1, 1n, 3)],
    [14_010, taken(3, S1)],
  ];
  assert.equal(broken(...HEARD, ...MOVED, ...late, [15_000, shows(D1, S1, 11n, STRANGERS)]), RULE);
});

test("what the leader let go at the end of a session's lease is free to it while that one is cut off", () => {
  const endMs = 1_000 + PLAN.config.sessionLeaseMs;
  const apart: At = [1_000, cut("s1", "d1", true)];
  const gone = (atMs: number): At => [atMs, shows(D1, S2, 11n)];
  const stranger = (atMs: number): At => [atMs, shows(D1, S2, 12n, STRANGERS)];
  assert.equal(broken(...HEARD, apart, gone(endMs), stranger(endMs + 1_000)), undefined);
  assert.equal(broken(...HEARD, apart, stranger(endMs)), undefined, "one that waited for it has it at once");
  assert.equal(broken(...HEARD, gone(endMs), stranger(endMs + 1_000)), RULE, "it was not cut off");
  assert.equal(broken(...HEARD, apart, gone(endMs / 2), stranger(endMs)), RULE, "its lease was not over");
  const over: readonly At[] = [...HEARD, apart, gone(endMs), [endMs + 100, cut("s1", "d1", false)]];
  assert.equal(broken(...over, stranger(endMs + 10_000)), RULE, "it had the time to be heard again");
  const isBack: readonly At[] = [
    [endMs + 500, passedOn(S1, 2)],
    [endMs + 501, taken(2)],
  ];
  assert.equal(broken(...over, stranger(endMs + 1_000)), undefined);
  assert.equal(broken(...over, ...isBack, stranger(endMs + 1_000)), RULE, "it was heard again");
});

test("what the leader let go is free though no list was told while it had it, or since", () => {
  const endMs = 1_000 + PLAN.config.sessionLeaseMs;
  const unseen: readonly At[] = [...HEARD.filter(([atMs]) => atMs < 40), [1_000, cut("s1", "d1", true)]];
  const stranger = (atMs: number): At => [atMs, shows(D1, S2, 12n, STRANGERS)];
  assert.equal(broken(...unseen, stranger(endMs)), undefined);
  assert.equal(broken(...unseen, stranger(endMs / 2)), RULE, "its session's lease was not over");
  const gone: At = [endMs, shows(D1, S2, 11n)];
  const healed: At = [endMs + 100, cut("s1", "d1", false)];
  assert.equal(broken(...unseen, gone, healed, stranger(endMs + 1_000)), undefined);
  assert.equal(broken(...unseen, gone, healed, stranger(endMs + 10_000)), RULE, "it had the time to be heard again");
  const by = { version: 9n, registeredMs: 5 };
  const sent = passedOn(S2, 1, D1, { client: "x", text: STRANGERS, stamp: by });
  const refused: readonly At[] = [
    [endMs + 900, passedOn(S1, 2)],
    [endMs + 901, taken(2, S1, D1, [{ ...REFUSED, by }])],
  ];
  assert.equal(broken(...unseen, [endMs, sent], healed, ...refused, stranger(endMs + 10_000)), undefined);
});

test("what only a replaced leader hears is free to the next one while meta can't tell the session of it", () => {
  const outside = (atMs: number, isOutside: boolean): At => [atMs, { kind: "outside", machine: "s1", isOutside }];
  const replaced: readonly At[] = [outside(10_000, true), [15_000, saved(D2, 2n)]];
  const heardBy = (leader: NodeId): readonly At[] => [
    [20_000, published(1n)],
    [20_005, acknowledged(1n, S1)],
    [20_010, passedOn(S1, 1, leader)],
    [20_020, taken(1, S1, leader)],
  ];
  const stranger = (atMs: number): At => [atMs, shows(D2, S2, 11n, STRANGERS)];
  assert.equal(broken(...replaced, ...heardBy(D1), stranger(21_000)), undefined);
  assert.equal(broken(...replaced, ...heardBy(D2), stranger(21_000)), RULE, "it was heard here");
  assert.equal(broken(...replaced.slice(1), ...heardBy(D1), stranger(21_000)), RULE, "the session could know");
  const message = { kind: "slotTable", table: tableOf(D2, 2n), versionFloor: 0n } as const;
  const told: At = [18_000, { kind: "learned", node: S1, role: "session", message }];
  assert.equal(broken(...replaced, told, ...heardBy(D1), stranger(21_000)), RULE, "the session knew");
  const over: readonly At[] = [
    [20_500, ended(S1, 1n, 2)],
    [20_510, taken(2)],
  ];
  assert.equal(broken(...replaced, ...heardBy(D1), ...over, stranger(21_000)), undefined, "nor did it hear of the end");
  const back: readonly At[] = [...replaced, ...heardBy(D1), outside(22_000, false)];
  assert.equal(broken(...back, stranger(28_000)), undefined);
  assert.equal(broken(...back, stranger(30_000)), RULE, "it had the time to be heard");
});

test("what was let go when an ended session's lease was over is free while the next session is cut off", () => {
  const endMs = 1_000 + PLAN.config.sessionLeaseMs;
  const apart: At = [900, cut("s2", "d1", true)];
  const movedTo: readonly At[] = [
    [1_000, stopped(S1)],
    [1_100, acknowledged(1n, S2, 2)],
  ];
  const stranger = (atMs: number): At => [atMs, shows(D1, S2, 12n, STRANGERS)];
  assert.equal(broken(...HEARD, apart, ...movedTo, stranger(endMs)), undefined);
  assert.equal(broken(...HEARD, apart, ...movedTo, stranger(endMs / 2)), RULE, "its lease was not over");
  assert.equal(broken(...HEARD, apart, ...movedTo.slice(1), stranger(endMs)), RULE, "it is there");
  assert.equal(broken(...HEARD, ...movedTo, stranger(endMs)), RULE, "the next session could be heard");
  const healed: At = [1_200, cut("s2", "d1", false)];
  assert.equal(broken(...HEARD, apart, ...movedTo, healed, stranger(endMs)), RULE, "it had the time to be heard");
});

const [FOLLOWED, NEXT] = [
  { epoch: 2n, slots: tableOf(D1, 1n).slots.map((owner) => ({ ...owner, followers: [D2] })) },
  tableOf(D2, 3n),
] as const;

function hasCopies(follower: NodeId): Fact {
  const fact = serves(follower);
  if (fact.kind !== "heartbeat") return fact;
  const inSync = FOLLOWED.slots.map((_, slot) => slot);
  return { ...fact, message: { ...fact.message, tableEpoch: 2n, slots: { serving: [], held: [], inSync } } };
}

/** D2 follows D1, and leads after it with all its contents. */
const COPIED: readonly At[] = [
  [18_000, { ...saved(D1, 1n), table: FOLLOWED, before: tableOf(D1, 1n) } as Fact],
  [19_000, hasCopies(D2)],
  [20_000, { ...saved(D2, 3n), table: NEXT, before: FOLLOWED } as Fact],
];

test("what only a leader had heard that was lost without a copy is free to the next one during a cut", () => {
  const apart: At = [10_000, cut("s1", "d2", true)];
  const lost: At = [20_000, saved(D2, 2n)];
  const stranger: At = [21_000, shows(D2, S2, 11n, STRANGERS)];
  assert.equal(broken(...HEARD, apart, lost, stranger), undefined);
  assert.equal(broken(...HEARD, apart, stranger), RULE, "the leader that has heard it still leads");
  assert.equal(broken(...HEARD, lost, [20_001, cut("s1", "d2", true)], stranger), RULE, "it could be heard");
  assert.equal(broken(...HEARD, apart, ...COPIED, stranger), RULE, "there was a copy");
  const isBack: readonly At[] = [apart, lost, [20_500, passedOn(S1, 2, D2)], [20_501, taken(2, S1, D2)]];
  assert.equal(broken(...HEARD, ...isBack, stranger), RULE, "the next one has heard it");
});

test("what one half of a cut cluster took is free to the leader of the other half, which was replaced", () => {
  const half: readonly At[] = [
    [10_000, cut("s1", "d1", true)],
    [15_000, saved(D2, 2n)],
  ];
  const heard: readonly At[] = [
    [20_000, published(1n)],
    [20_005, acknowledged(1n, S1)],
    [20_010, passedOn(S1, 1, D2)],
    [20_020, taken(1, S1, D2)],
  ];
  const stranger = (atMs: number, from = D1): At => [atMs, shows(from, S2, 11n, STRANGERS)];
  assert.equal(broken(...half, ...heard, stranger(21_000)), undefined);
  const heardHere: readonly At[] = [...heard.slice(0, 2), [20_010, passedOn()], [20_020, taken(1)]];
  assert.equal(broken(...half.slice(0, 1), ...heardHere, stranger(21_000)), RULE, "it is the only leader");
  assert.equal(broken(...half.slice(1), ...heard, stranger(21_000)), RULE, "it was not cut off");
  const atOnce: readonly At[] = [[20_000, published(1n)], ...heard.slice(2), [20_020, acknowledged(1n, S1)]];
  assert.equal(broken(...half.slice(1), ...atOnce, stranger(20_020)), RULE, "it was taken in this moment");
  assert.equal(broken([9_000, acknowledged(1n, S1)], ...HEARD, ...half, ...heard, stranger(21_000)), RULE, "it had it");
  const alsoHere: At = [20_500, acknowledged(1n, S2, 2)];
  assert.equal(broken(...half, ...heard, alsoHere, stranger(21_000)), RULE, "the owner has come over");
  const healed: readonly At[] = [...half, ...heard, [21_000, cut("s1", "d1", false)]];
  assert.equal(broken(...healed, stranger(27_000)), undefined);
  assert.equal(broken(...healed, stranger(29_000)), RULE, "it had the time to be heard");
  const elsewhere: At = [10_000, cut("s1", "d2", true)];
  assert.equal(broken(elsewhere, ...half.slice(1), ...heard, stranger(21_000)), RULE, "another one was cut off");
  const both: At = [10_000, { ...cut("s1", "d2", true), id: 2 } as Fact];
  assert.equal(broken(both, ...half, ...heard, stranger(21_000, D2)), RULE, "it leads");
  const ledAgain = (atMs: number): At[] => [
    ...half,
    ...heard.slice(0, 2),
    [atMs, saved(D1, 3n)],
    [20_300, saved(D2, 4n)],
    [20_310, passedOn(S1, 1, D2)],
    [20_320, taken(1, S1, D2)],
    [21_000, shownUnder(3n)],
  ];
  assert.equal(broken(...ledAgain(20_000)), undefined);
  assert.equal(broken(...ledAgain(20_200)), RULE, "it may have been told before it led again");
});

function shownUnder(origin: bigint): Fact {
  const fact = shows(D1, S2, 11n, STRANGERS);
  if (fact.kind !== "told" || fact.message.kind !== "snapshot") return fact;
  return { ...fact, message: { ...fact.message, datum: { ...fact.message.datum, origin } } };
}

test("a leader without a copy may hear a stranger's session a moment before the owner's, and no longer", () => {
  const linked: At = [20_005, { kind: "linkMade", session: S1, data: D2 }];
  const message = { kind: "slotTable", table: tableOf(D2, 2n), versionFloor: 0n } as const;
  const learned = (atMs: number): At => [atMs, { kind: "learned", node: S1, role: "session", message }];
  const lost: readonly At[] = [[20_000, saved(D2, 2n)], linked];
  const stranger = (atMs: number): At => [atMs, shows(D2, S2, 11n, STRANGERS)];
  assert.equal(broken(...HEARD, ...lost, learned(20_010), stranger(20_500)), undefined);
  assert.equal(broken(...HEARD, ...lost, learned(20_010), stranger(20_600)), RULE, "it had the time to be heard");
  assert.equal(broken(...HEARD, ...lost, learned(20_400), stranger(20_600)), undefined, "it did not know the leader");
  assert.equal(broken(...HEARD, ...lost, stranger(20_600)), RULE, "it should know the leader");
  const told: readonly At[] = [
    [20_020, passedOn(S1, 2, D2)],
    [20_030, taken(2, S1, D2)],
  ];
  assert.equal(broken(...HEARD, ...lost, learned(20_010), ...told, stranger(20_400)), RULE, "it was heard");
  const later: At = [20_100, acknowledged(1n, S1)];
  assert.equal(broken(...HEARD, ...lost, learned(20_010), later, stranger(20_400)), RULE, "this leader knew S1");
  assert.equal(broken(...HEARD, ...COPIED, linked, learned(20_010), stranger(20_400)), RULE, "there was a copy");
});

test("what a session took that ended before the leader was lost without a copy is unknown to the next one", () => {
  const takenTwice = (stopMs: number): At[] => [
    [10, published(1n)],
    [15, acknowledged(1n, S2)],
    [20, passedOn(S2)],
    [30, taken(1, S2)],
    [10_000, cut("s1", "d2", true)],
    [stopMs, stopped(S2)],
    [20_000, saved(D2, 2n)],
    [20_500, acknowledged(1n, S1, 2)],
    [21_000, shows(D2, S1, 10n, STRANGERS)],
  ];
  assert.equal(broken(...takenTwice(19_000)), undefined);
  assert.equal(broken(...takenTwice(20_000.5)), RULE, "it was there when the next one began");
});

test("what its owner has taken back is free, also if the leader answers before the owner is answered", () => {
  const again: readonly At[] = [
    [9_000, { kind: "connected", client: "c", session: S1, connection: 1, isMute: false }],
    [9_000, { kind: "unpublished", client: "c", service: S, registId: "c.1", version: 2n }],
    [9_000, ended(S1, 2n, 2)],
    [9_001, taken(2)],
    [9_001, shows(D1, S2, 11n)],
    [9_002, acknowledged(2n, S1)],
    [10_000, cut("s1", "d1", true)],
    [20_000, published(3n)],
    [20_005, acknowledged(3n, S1)],
  ];
  assert.equal(broken(...HEARD, ...again, [21_000, shows(D1, S2, 12n, STRANGERS)]), undefined);
  const another = again.filter(([, { kind }]) => kind !== "connected" && kind !== "acknowledged");
  assert.equal(broken(...HEARD, ...another, [21_000, shows(D1, S2, 12n, STRANGERS)]), RULE);
});
