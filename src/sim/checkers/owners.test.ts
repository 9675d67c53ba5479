import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../base/text.ts";
import { clientId, type NodeId } from "../../model/ids.ts";
import { packPayload } from "../../model/payload.ts";
import type { Fact } from "../facts.ts";
import { Owners } from "./owners.ts";
import { type At, acknowledged, brokenBy, cut, D1, published, READY, S, S1, S2, shows } from "./testing/history.ts";

const RULE = "owner: a registration is its client's";
const [OWNERS, STRANGERS] = ["c.1~1~c", "c.1~9~x"] as const;

const broken = (...history: At[]) => brokenBy((evidence) => new Owners(evidence), [...READY, ...history]);

/** The owner's session passes it on. */
function passedOn(from = S1, batch = 1): Fact {
  const publication = {
    ...{ dataInfoId: S, registId: "c.1", version: 1n, registeredMs: 0 },
    owner: { session: from, client: clientId("c") },
    ...{ zone: "Z1", appName: "", attributes: new Map(), payload: packPayload([textOf(OWNERS)]) },
  };
  const message = { kind: "publish", batch, epoch: 1n, items: [{ kind: "put", publication }] } as const;
  return { kind: "asked", from, to: D1, message, isLost: false };
}

/** A session says that what had this version is over. */
function ended(from: NodeId, version: bigint, batch: number): Fact {
  const stamp = { version, registeredMs: 0 };
  const removal = { dataInfoId: S, registId: "c.1", stamp, cause: "left" } as const;
  const message = { kind: "publish", batch, epoch: 1n, items: [{ kind: "remove", removal }] } as const;
  return { kind: "asked", from, to: D1, message, isLost: false };
}

const taken = (batch: number, to = S1): Fact => ({
  ...{ kind: "told", from: D1, to },
  message: { kind: "taken", batch, superseded: [], unlisted: [], isFull: false },
});
const moved: Fact = { kind: "told", from: D1, to: S1, message: { kind: "moved", batch: 1, epoch: 2n } };

/** S1 can't reach the leader when it takes the registration. */
const TAKEN_APART: readonly At[] = [
  [10_000, cut("s1", "d1", true)],
  [20_000, published(1n)],
  [20_005, acknowledged(1n, S1)],
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

test("a second stranger does not have it from the first one", () => {
  const first: readonly At[] = [...TAKEN_APART, [21_000, shows(D1, S2, 10n, STRANGERS)]];
  assert.equal(broken(...first, [22_000, shows(D1, S2, 11n, "c.1~99~y")]), RULE);
});

test("what a leader has heard, however it came there, is the owner's", () => {
  const stranger: At = [21_000, shows(D1, S2, 10n, STRANGERS)];
  assert.equal(broken(...TAKEN_APART, [20_010, passedOn()], [20_020, taken(1)], stranger), RULE);
  assert.equal(broken(...TAKEN_APART, [20_010, passedOn()], [20_020, taken(2)], stranger), undefined);
  assert.equal(broken(...TAKEN_APART, [20_010, passedOn()], [20_020, moved], stranger), undefined);
});

test("what was taken before the cut, or by a session that had the time to be heard again, is the owner's", () => {
  const stranger = (atMs: number): At => [atMs, shows(D1, S2, 10n, STRANGERS)];
  assert.equal(broken([10, published(1n)], [9_000, acknowledged(1n, S1)], ...TAKEN_APART, stranger(21_000)), RULE);
  assert.equal(broken(...TAKEN_APART, [22_000, cut("s1", "d1", false)], stranger(28_000)), undefined);
  assert.equal(broken(...TAKEN_APART, [22_000, cut("s1", "d1", false)], stranger(30_000)), RULE);
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
  // The end of a stranger's at the same session.
  assert.equal(broken(...elsewhere, ...end(9n), stranger), RULE);
});
