// Registrations that are kept by heartbeats, on their way through a session.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { PublishItem, Superseded, Unlisted } from "../cluster/messages/sessionData.ts";
import { clientId, type NodeId, nodeId } from "../model/ids.ts";
import { LEASE_KEEPER, type Lease } from "../model/publication.ts";
import type { LeaseAnswer, LeasedPublication } from "../registry/lease.ts";
import {
  batches,
  budget,
  connect,
  DATA,
  fromData,
  gauges,
  nowMs,
  ORDERS,
  pass,
  publish,
  reset,
  START_MS,
  session,
  tableOf,
  toData,
  useBareSession,
  useBudget,
} from "./testing/harness.ts";
import { unfinished } from "./unfinished.ts";

const HOLDER = clientId("10.0.0.5:0_http");
const BEATS: Lease = { unhealthyAfterMs: 15_000, removedAfterMs: 30_000 };

beforeEach(reset);

/** Answers, in their order. */
function request() {
  const answers: string[] = [];
  const shown = (answer: LeaseAnswer) => {
    if (answer.kind === "failed") return answer.error.code;
    return answer.kind === "accepted" && answer.isHeard ? "heard" : answer.kind;
  };
  const asker = { answer: (answer: LeaseAnswer) => void answers.push(shown(answer)) };
  return { answers, common: { asker, account: budget.open("10.0.0.5"), untilMs: nowMs + 3_000 } };
}

function lease(changes: Partial<LeasedPublication> = {}, terms = BEATS): string[] {
  const { answers, common } = request();
  const publication: LeasedPublication = {
    ...{ serviceKey: ORDERS, registId: "a", version: 1n, zone: "Z", appName: "" },
    ...{ attributes: new Map(), payload: new Uint8Array(3) },
    ...changes,
  };
  session.step({ kind: "leased", ...common, holder: HOLDER, publication, lease: terms }, nowMs);
  return answers;
}

function end(registId = "a", version = 1n): string[] {
  const { answers, common } = request();
  const key = { serviceKey: ORDERS, registId, version };
  session.step({ kind: "leaseEnded", ...common, holder: HOLDER, key }, nowMs);
  return answers;
}

function renew(registId = "a"): string[] {
  const { answers, common } = request();
  session.step({ kind: "leaseRenewed", ...common, serviceKey: ORDERS, registId }, nowMs);
  return answers;
}

/** The data node has taken the last batch. */
function taken(not: { superseded?: readonly Superseded[]; unlisted?: readonly Unlisted[] } = {}): void {
  const last = toData.findLast((message) => message.kind === "publish");
  assert.ok(last !== undefined);
  fromData({ kind: "taken", batch: last.batch, superseded: [], unlisted: [], isFull: false, ...not });
}

const renewals = () => toData.flatMap((message) => (message.kind === "renew" ? [message] : []));
const sent = () => batches().flat();
const stampOf = (item: PublishItem | undefined) => {
  if (item === undefined) return undefined;
  const { version, registeredMs } = item.kind === "put" ? item.publication : item.removal.stamp;
  return { version, registeredMs };
};

test("a registration is passed on in nobody's name, and answered when the leader has it", () => {
  const answers = lease();
  const [item] = sent();
  assert.ok(item?.kind === "put");
  const { owner, lease: terms, registeredMs } = item.publication;
  assert.deepEqual(
    { owner, terms, registeredMs },
    {
      owner: { session: LEASE_KEEPER, client: HOLDER },
      terms: BEATS,
      registeredMs: START_MS,
    },
  );
  assert.deepEqual(answers, []);
  taken();
  assert.deepEqual(answers, ["heard"]);
  const ends = end();
  const removal = sent()[1];
  assert.ok(
    removal?.kind === "remove" && removal.removal.isOfLease === true && removal.removal.cause === "unpublished",
  );
  taken();
  assert.deepEqual([ends, [...unfinished(session.parts)]], [["heard"], []]);
});

test("a leader that can't be reached in time is told later, and the client is not kept waiting", () => {
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  const answers = [lease(), renew()];
  pass(2_999);
  assert.deepEqual(answers, [[], []]);
  pass(1);
  assert.deepEqual(answers, [["accepted"], ["accepted"]]);
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  pass(1_000);
  assert.equal(sent().length, 1);
  assert.deepEqual(
    renewals().map(({ renewals: [first] }) => first?.ageMs),
    [3_000],
  );
  taken();
  assert.deepEqual(answers, [["accepted"], ["accepted"]]);
  assert.deepEqual([...unfinished(session.parts)], []);
});

test("what loses by its time alone is sent again with a later one while its client waits, and not after", () => {
  for (const isWaiting of [true, false]) {
    reset();
    const answers = lease();
    if (!isWaiting) pass(3_000);
    const by = { version: 1n, registeredMs: START_MS + 90_000 };
    const stamp = { version: 1n, registeredMs: START_MS };
    // Whether against a registration or against a removal.
    const lost = { serviceKey: ORDERS, registId: "a", stamp, by, isRemoved: true };
    taken({ superseded: [lost] });
    assert.equal(sent().length, isWaiting ? 2 : 1);
    if (!isWaiting) continue;
    assert.deepEqual(stampOf(sent()[1]), { version: 1n, registeredMs: START_MS + 90_001 });
    taken();
    assert.deepEqual(answers, ["heard"]);
    const ends = end();
    taken({ superseded: [{ ...lost, by, isRemoved: false }] });
    assert.deepEqual(stampOf(sent()[3]), { version: 1n, registeredMs: START_MS + 90_001 });
    taken();
    assert.deepEqual([ends, [...unfinished(session.parts)]], [["heard"], []]);
  }
});

test("a registration under a newer version is no failure, one of a connected client is, and a full list too", () => {
  const stamp = { version: 1n, registeredMs: START_MS };
  const lost = { serviceKey: ORDERS, registId: "a", stamp, by: { version: 2n, registeredMs: 1 }, isRemoved: false };
  const newer = lease();
  taken({ superseded: [lost] });
  assert.deepEqual(newer, ["heard"]);
  const held = lease();
  taken({ superseded: [{ ...lost, holder: clientId("10.0.0.9:1_x") }] });
  assert.deepEqual(held, ["REGISTRATION_HELD"]);
  const full = lease();
  taken({ unlisted: [{ serviceKey: ORDERS, registId: "a", stamp, bytes: 2, bytesMax: 1 }] });
  assert.deepEqual([full, sent().length], [["SERVICE_FULL"], 3]);
  assert.deepEqual(lease(), ["SERVICE_FULL"], "believed for a while");
});

test("of requests that wait the newest is sent, and all are answered with it", () => {
  const first = lease();
  const second = lease({ payload: new Uint8Array(4) });
  const third = end();
  const older = lease({ version: 0n });
  assert.deepEqual([first, second, third, older], [[], [], [], ["accepted"]]);
  taken();
  assert.deepEqual([first, second, third], [[], [], []], "something newer is under way");
  const [put, removal] = sent();
  assert.ok(put?.kind === "put" && removal?.kind === "remove");
  assert.deepEqual(stampOf(removal), { version: 1n, registeredMs: START_MS + 2 });
  taken();
  assert.deepEqual([first, second, third], [["heard"], ["heard"], ["heard"]]);
});

test("registrations of connected clients in the same batch are none of these", () => {
  connect();
  publish(connect(), { registId: "b" });
  const answers = lease();
  const lost = { serviceKey: ORDERS, registId: "b", stamp: { version: 1n, registeredMs: START_MS } };
  taken({ superseded: [{ ...lost, by: { version: 1n, registeredMs: START_MS + 5 }, isRemoved: true }] });
  taken();
  assert.deepEqual(answers, ["heard"]);
  const again = sent().filter((item) => item.kind === "put" && item.publication.registId === "b");
  assert.deepEqual(stampOf(again[1]), { version: 1n, registeredMs: START_MS + 6 });
});

test("heartbeats of a moment go in one batch, and those of unknown registrations are told so", () => {
  const answers = [renew("a"), renew("b")];
  pass(10);
  answers.push(renew("c"), renew("a"));
  assert.deepEqual(renewals(), []);
  pass(10);
  const [batch, ...others] = renewals();
  assert.equal(others.length, 0);
  const told = batch?.renewals.map(({ registId, ageMs }) => [registId, ageMs]);
  assert.deepEqual(told, [
    ["a", 10],
    ["b", 20],
    ["c", 10],
  ]);
  fromData({ kind: "renewed", batch: batch?.batch ?? 0, unknown: [1], later: [2] });
  assert.deepEqual(answers, [["heard"], ["unknown"], [], ["heard"]]);
  pass(500);
  const [, again] = renewals();
  assert.deepEqual(
    again?.renewals.map(({ registId, ageMs }) => [registId, ageMs]),
    [["c", 510]],
  );
  fromData({ kind: "renewed", batch: again?.batch ?? 0, unknown: [], later: [] });
  assert.deepEqual(answers[2], ["heard"]);
});

test("heartbeats under way on a link that breaks are sent again; a newer one takes their place", () => {
  const answers = [renew("a"), renew("b")];
  pass(20);
  answers.push(renew("a"));
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  const before = renewals().length;
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  const again = renewals()[before];
  const told = again?.renewals.map(({ registId, ageMs }) => `${registId} ${ageMs}`).sort();
  assert.deepEqual(told, ["a 0", "b 20"]);
  fromData({ kind: "renewed", batch: 1, unknown: [0, 1], later: [] });
  assert.deepEqual(answers, [[], [], []], "that is the answer to the first batch");
  fromData({ kind: "renewed", batch: again?.batch ?? 0, unknown: [], later: [] });
  assert.deepEqual(answers, [["heard"], ["heard"], ["heard"]]);
});

test("heartbeats go to the leader of their slot, also when that changes", () => {
  const answers = renew();
  const other = nodeId("data-2");
  session.step({ kind: "dataUp", node: other }, nowMs);
  pass(20);
  fromData({ kind: "renewed", batch: 1, unknown: [], later: [0] });
  const message = { kind: "slotTable", table: tableOf(other, 2n), versionFloor: 0n } as const;
  session.step({ kind: "fromMeta", message }, nowMs);
  const last = renewals().at(-1);
  fromData({ kind: "renewed", batch: last?.batch ?? 0, unknown: [0], later: [] });
  assert.deepEqual(answers, [], "the earlier leader has not been asked");
  const renewed = { kind: "renewed", batch: last?.batch ?? 0, unknown: [], later: [] } as const;
  session.step({ kind: "fromData", from: other, message: renewed }, nowMs);
  assert.deepEqual(answers, ["heard"]);
});

/** What each message about heartbeats has reported of requests to earlier leaders, by its batch. */
const elsewhere = () => renewals().map(({ elsewhere: slots, batch }) => `${batch}: ${slots ?? "none"}`);

function leads(node: NodeId, epoch: bigint): void {
  const message = { kind: "slotTable", table: tableOf(node, epoch), versionFloor: 0n } as const;
  session.step({ kind: "fromMeta", message }, nowMs);
}

test("a new leader is told once that an earlier one was passed requests, whether or not any wait", () => {
  const other = nodeId("data-2");
  lease();
  taken();
  leads(other, 2n);
  assert.deepEqual(elsewhere(), [], "it can't be reached");
  session.step({ kind: "dataUp", node: other }, nowMs);
  assert.deepEqual(elsewhere(), ["1: 0"]);
  session.step({ kind: "dataDown", node: other }, nowMs);
  session.step({ kind: "dataUp", node: other }, nowMs);
  assert.deepEqual(elsewhere(), ["1: 0", "2: 0"], "it may not have heard it");
  const heard = { kind: "renewed", batch: 2, unknown: [], later: [] } as const;
  session.step({ kind: "fromData", from: other, message: heard }, nowMs);
  session.step({ kind: "dataDown", node: other }, nowMs);
  session.step({ kind: "dataUp", node: other }, nowMs);
  renew();
  pass(20);
  assert.deepEqual(elsewhere(), ["1: 0", "2: 0", "3: none"]);
  leads(DATA, 3n);
  assert.equal(elsewhere().at(-1), "4: 0", "the one that led before is a new leader too");
});

test("a leader is told of what an earlier one answers later, also while it hears of that one", () => {
  const other = nodeId("data-2");
  session.step({ kind: "dataUp", node: other }, nowMs);
  renew();
  pass(20);
  leads(other, 2n);
  assert.deepEqual(elsewhere(), ["1: none"], "nobody has heard anything");
  fromData({ kind: "renewed", batch: 1, unknown: [], later: [] });
  renew("b");
  pass(20);
  assert.deepEqual(elsewhere(), ["1: none", "2: 0"]);
  lease({ registId: "c" });
  leads(DATA, 3n);
  leads(other, 4n);
  const heard = { kind: "renewed", batch: 2, unknown: [], later: [] } as const;
  session.step({ kind: "fromData", from: other, message: heard }, nowMs);
  renew("b");
  pass(20);
  assert.equal(elsewhere().at(-1)?.endsWith(": 0"), true, "it led before the third");
});

test("a session that has passed on nothing reports nothing", () => {
  const other = nodeId("data-2");
  session.step({ kind: "dataUp", node: other }, nowMs);
  leads(other, 2n);
  renew();
  pass(20);
  assert.deepEqual(elsewhere(), ["1: none"]);
});

test("a leader of an earlier release does not answer, and is not asked again", () => {
  const answers = renew();
  pass(10_000);
  assert.deepEqual([answers, renewals().length], [["accepted"], 1]);
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  pass(1_000);
  assert.equal(renewals().length, 1);
});

test("heartbeats that waited for a minute are forgotten", () => {
  useBareSession();
  renew();
  pass(61_000);
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  session.step({ kind: "fromMeta", message: { kind: "slotTable", table: tableOf(DATA, 1n), versionFloor: 0n } }, nowMs);
  pass(1_000);
  assert.deepEqual(renewals(), []);
  assert.equal(gauges.get("roster_queue_length"), 0);
});

test("requests count as work of their address: a registration as one piece, a heartbeat as a twentieth", () => {
  useBudget({ workPerSecondMax: 8 });
  const answers: string[] = [];
  for (let beats = 0; beats < 200; beats++) answers.push(...renew());
  const refused = answers.filter((answer) => answer === "OVERLOADED").length;
  assert.ok(refused > 20 && refused < 100, `${refused} of 200 are too many`);
  assert.deepEqual(lease(), ["OVERLOADED"]);
  pass(1_000);
  assert.deepEqual(lease(), []);
});

test("a lease without a possible time is refused", () => {
  for (const terms of [
    { removedAfterMs: 0 },
    { removedAfterMs: 1.5e9 },
    { removedAfterMs: Number.NaN },
    { removedAfterMs: 30_000, unhealthyAfterMs: 10 },
  ]) {
    assert.deepEqual(lease({}, terms), ["FIELD_INVALID"]);
  }
  assert.deepEqual(sent(), []);
});
