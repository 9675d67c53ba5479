// Questions about an address at a session.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ADDRESS_QUESTIONS_MAX, type AddressAnswerPart } from "../cluster/messages/address.ts";
import { brandServiceKey, clientId, nodeId } from "../model/ids.ts";
import type { Registration } from "../model/publication.ts";
import type { AddressAsker } from "../registry/address.ts";
import {
  connect,
  DATA,
  disconnect,
  forgetSent,
  fromData,
  nowMs,
  ORDERS,
  pass,
  reset,
  session,
  subscribe,
  tableOf,
  toData,
  useBareSession,
} from "./testing/harness.ts";

beforeEach(reset);

const HOST = "10.0.0.7";
const OTHER = nodeId("data-2");

interface Ask {
  readonly address?: string;
  readonly entriesMax?: number;
  readonly forMs?: number;
}

/**
 * Asks; `told` has the clients, and `heard` the rest: registrations, subscriptions and watches, with `…` if not whole
 * and `+` if cut.
 */
function ask({ address = HOST, entriesMax = 10, forMs = 1_000 }: Ask = {}) {
  const heard: string[] = [];
  const told: string[] = [];
  const asker: AddressAsker = {
    answer: (answer) => {
      if (answer.kind === "failed") return void heard.push(answer.error.code);
      const { registrations, clients, subscriptions, configWatches, isWhole, isCut } = answer;
      const parts = [registrations, subscriptions, configWatches];
      const text = parts.map((part) => part.map(({ registId }) => registId).join(" ")).join(" | ");
      heard.push(`${text}${isWhole ? "" : "…"}${isCut ? "+" : ""}`);
      for (const { client, principal } of clients) told.push(`${client} ${principal.name} from ${principal.from}`);
    },
  };
  session.step({ kind: "askedAddress", asker, address, entriesMax, untilMs: nowMs + forMs }, nowMs);
  return { asker, heard, told };
}

const entry = (registId: string): Registration => ({
  serviceKey: ORDERS,
  registId,
  version: 1n,
  registeredMs: 1,
  owner: { session: nodeId("session-2"), client: clientId(`${HOST}:1_10.0.0.2:9600`) },
});

/** The leader answers the last question. */
function answer(registIds: readonly string[], changes: Partial<AddressAnswerPart> = {}): AddressAnswerPart {
  const question = asks().at(-1)?.question ?? 0;
  const entries = registIds.map(entry);
  return { kind: "addressAnswer", question, slots: [0], held: [], entries, isCut: false, ...changes };
}

const asks = () => toData.flatMap((message) => (message.kind === "addressAsk" ? [message] : []));
const releases = () => toData.flatMap((message) => (message.kind === "addressRelease" ? message.questions : []));

const table = (leader: typeof DATA, epoch: bigint) =>
  session.step(
    { kind: "fromMeta", message: { kind: "slotTable", table: tableOf(leader, epoch), versionFloor: 0n } },
    nowMs,
  );

test("the leaders are asked for the host of the address, and the question is answered when all slots are", () => {
  const { asker, heard } = ask({ address: "::ffff:10.0.0.7" });
  assert.deepEqual(asks(), [{ kind: "addressAsk", question: 1, host: HOST, slots: [0], entriesMax: 10 }]);
  assert.deepEqual(heard, []);
  fromData(answer(["r1", "r2"]));
  assert.deepEqual([heard, releases(), session.parts.addresses.waiting], [["r1 r2 |  | "], [], 0]);
  fromData(answer(["r1"]));
  assert.equal(heard.length, 1);
  const untilMs = nowMs + 1_000;
  session.step({ kind: "askedAddress", asker, address: HOST, entriesMax: 10, untilMs }, nowMs);
  fromData(answer(["r3"]));
  assert.deepEqual(heard, ["r1 r2 |  | ", "r3 |  | "], "the asker may ask again");
});

test("the session's own connected clients at the host, and what they subscribe and watch, are in the answer", () => {
  const mine = connect("a", clientId(`${HOST}:40001_10.0.0.2:9600#1`));
  const second = connect("b", clientId(`${HOST}:40002_10.0.0.2:9600#2`));
  const gone = connect("c", clientId(`${HOST}:40003_10.0.0.2:9600#3`));
  const other = connect("d", clientId("10.0.0.70:40001_10.0.0.2:9600#4"));
  for (const [at, client] of [mine, second, gone, other].entries()) subscribe(client, { registId: `s${at}` });
  const key = { serviceKey: brandServiceKey("config#@#I#@#G"), registId: "w1", version: 1n };
  session.step({ kind: "watchedConfig", client: mine.id, request: 1, key }, nowMs);
  disconnect(gone);
  const { heard, told } = ask();
  fromData(answer([]));
  assert.deepEqual(heard, [" | s0 s1 | w1"]);
  assert.deepEqual(told, [`${mine.id} anonymous from 10.0.0.7`, `${second.id} anonymous from 10.0.0.7`]);
  disconnect(mine);
  disconnect(second);
  const later = ask();
  fromData(answer([]));
  assert.deepEqual(later.heard, [" |  | "]);
});

test("a text that is no address is refused", () => {
  assert.deepEqual([ask({ address: "10.0.0.256" }).heard, asks()], [["FIELD_INVALID"], []]);
});

test("who waits in vain is answered at the end of its time with what there is, which is not whole", () => {
  const { heard } = ask();
  pass(999);
  assert.deepEqual(heard, []);
  pass(1);
  assert.deepEqual([heard, releases()], [[" |  | …"], [1]]);
  fromData(answer(["r1"]));
  assert.equal(heard.length, 1);
});

test("a list that is held since a restart makes the answer less than whole", () => {
  const { heard } = ask();
  fromData(answer(["r1"], { held: [0] }));
  assert.deepEqual(heard, ["r1 |  | …"]);
});

test("each kind has no more entries than were asked for, and the answer says so", () => {
  const client = connect("a", clientId(`${HOST}:40001_10.0.0.2:9600#1`));
  subscribe(client, { registId: "s1" });
  subscribe(client, { registId: "s2" });
  const { heard } = ask({ entriesMax: 1 });
  fromData(answer(["r1"]));
  assert.deepEqual(heard, ["r1 | s1 | +"]);
  const cut = ask({ entriesMax: 2 });
  fromData(answer(["r1", "r2"], { isCut: true }));
  assert.deepEqual(cut.heard, ["r1 r2 | s1 s2 | …+"]);
  const own = ask({ entriesMax: 2 });
  fromData(answer(["r1", "r2"]));
  assert.deepEqual(own.heard, ["r1 r2 | s1 s2 | "]);
});

test("a leader that has cut its answer for what it told of slots that it leads no longer is asked anew", () => {
  const { heard } = ask({ entriesMax: 2 });
  fromData(answer(["r1", "r2"], { slots: [7], isCut: true }));
  assert.deepEqual([heard, asks().map(({ slots }) => slots)], [[], [[0], [0]]]);
  fromData(answer(["r3"], { slots: [0, 7], isCut: true }));
  assert.deepEqual([heard, asks().length], [[], 3], "the slot that is led was not gone through to its end");
  fromData(answer(["r3", "r4"], { isCut: true }));
  assert.deepEqual(heard, ["r3 r4 |  | …+"]);
});

test("no more clients are told than were asked for, with what these subscribe, and the answer says so", () => {
  for (const at of [1, 2]) {
    const client = connect(`c${at}`, clientId(`${HOST}:4000${at}_10.0.0.2:9600#1`));
    subscribe(client, { registId: `s${at}` });
    const key = { serviceKey: brandServiceKey("config#@#I#@#G"), registId: `w${at}`, version: 1n };
    session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
  }
  const cut = ask({ entriesMax: 1 });
  fromData(answer([]));
  assert.deepEqual([cut.heard, cut.told.length], [[" | s1 | w1+"], 1]);
  const whole = ask({ entriesMax: 2 });
  fromData(answer([]));
  assert.deepEqual([whole.heard, whole.told.length], [[" | s1 s2 | w1 w2"], 2]);
});

test("a client's watches beyond those that were asked for are not told, and the answer says so", () => {
  const { id: client } = connect("a", clientId(`${HOST}:40001_10.0.0.2:9600#1`));
  for (const registId of ["w1", "w2"]) {
    const key = { serviceKey: brandServiceKey("config#@#I#@#G"), registId, version: 1n };
    session.step({ kind: "watchedConfig", client, request: 1, key }, nowMs);
  }
  const { heard } = ask({ entriesMax: 1 });
  fromData(answer([]));
  assert.deepEqual(heard, [" |  | w1+"]);
});

test("who gives up while it waits hears nothing more, and the leaders are told", () => {
  const { asker, heard } = ask();
  session.step({ kind: "gaveUpAddress", asker }, nowMs);
  assert.deepEqual(releases(), [1]);
  fromData(answer(["r1"]));
  pass(5_000);
  assert.deepEqual(heard, []);
  session.step({ kind: "gaveUpAddress", asker }, nowMs);
});

test("a new leader or link is asked for slots that were not answered for; an earlier leader counts no more", () => {
  const { heard } = ask({ forMs: 20_000 });
  session.step({ kind: "dataUp", node: OTHER }, nowMs);
  forgetSent();
  table(OTHER, 2n);
  assert.deepEqual(asks().length, 1);
  fromData(answer(["r1"], { question: 1 }));
  assert.deepEqual(heard, []);
  session.step({ kind: "dataDown", node: OTHER }, nowMs);
  session.step({ kind: "dataUp", node: OTHER }, nowMs);
  assert.deepEqual(asks().length, 2);
  pass(5_000);
  assert.deepEqual(asks().length, 3, "with each scan");
  session.step({ kind: "fromData", from: OTHER, message: answer(["r2"]) }, nowMs);
  assert.deepEqual(heard, ["r2 |  | "]);
  pass(10_000);
  assert.deepEqual(asks().length, 3);
});

test("a leader that has just begun is asked again when it is ready", () => {
  ask();
  table(DATA, 2n);
  forgetSent();
  fromData({ kind: "synced", slots: [0] });
  assert.deepEqual(asks().length, 1);
});

test("before the first slot table nobody is asked, and everybody when it is there", () => {
  useBareSession();
  const { heard } = ask({ forMs: 20_000 });
  assert.deepEqual(asks(), []);
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  table(DATA, 1n);
  assert.deepEqual(asks().length, 1);
  fromData(answer(["r1"]));
  assert.deepEqual(heard, ["r1 |  | "]);
});

test("no more questions wait than may", () => {
  for (let at = 0; at < ADDRESS_QUESTIONS_MAX; at++) assert.deepEqual(ask().heard, []);
  assert.deepEqual(ask().heard, ["QUERIES_EXHAUSTED"]);
  pass(1_000);
  assert.deepEqual(ask().heard, []);
});

/** A session whose only data node leads two slots. Questions are answered for one of them with many registrations. */
function sceneOfTwoSlots() {
  useBareSession();
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  const two = {
    slots: [
      { leader: DATA, leaderEpoch: 2n, followers: [] },
      { leader: DATA, leaderEpoch: 2n, followers: [] },
    ],
    epoch: 2n,
  };
  session.step({ kind: "fromMeta", message: { kind: "slotTable", table: two, versionFloor: 0n } }, nowMs);
  const slot = session.parts.links.slotOf(ORDERS) ?? 0;
  const many = Array.from({ length: 4_000 }, (_, at) => `r${at}`);
  const askForMany = () => {
    const { heard } = ask({ entriesMax: 5_000 });
    fromData(answer(many, { slots: [slot] }));
    return heard;
  };
  return { slot, askForMany };
}

test("a question that makes the session keep too much is answered with what it has, as cut", () => {
  const { askForMany } = sceneOfTwoSlots();
  const heard = Array.from({ length: 26 }, askForMany);
  assert.deepEqual(
    heard.map(({ length }) => length),
    [...new Array(25).fill(0), 1],
  );
  assert.ok(heard.at(-1)?.[0]?.endsWith("…+"));
});

test("what was told to questions that are answered counts no more", () => {
  const { slot, askForMany } = sceneOfTwoSlots();
  for (let at = 0; at < 30; at++) {
    const heard = askForMany();
    assert.equal(heard.length, 0);
    fromData(answer([], { slots: [1 - slot] }));
    assert.ok(heard[0]?.endsWith("r3999 |  | "));
  }
});

test("of questions whose time is over together some are answered in one step, and the others in the next", () => {
  const { askForMany } = sceneOfTwoSlots();
  const heard = Array.from({ length: 5 }, askForMany);
  const answers = () => heard.map(({ length }) => length);
  pass(999);
  const endMs = nowMs + 1;
  session.step({ kind: "woken" }, endMs);
  assert.deepEqual([answers(), session.nextWakeMs()], [[1, 1, 1, 0, 0], endMs]);
  session.step({ kind: "woken" }, endMs);
  assert.deepEqual(answers(), [1, 1, 1, 1, 1]);
  assert.ok(session.nextWakeMs() > endMs);
});
