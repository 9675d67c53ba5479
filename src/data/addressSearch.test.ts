// The registrations at an address, as a data node tells them to the sessions that ask.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADDRESS_QUESTIONS_MAX, type AddressAnswerPart } from "../cluster/messages/address.ts";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import { brandServiceKey, clientId, hostNumberOf, type NodeId, type ServiceKey } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { AddressSearch } from "./addressSearch.ts";
import { ORDERS, OTHER, PEER, put, removed, SELF, SESSION, START_MS, serving, TestData } from "./testing/harness.ts";
import { given, leads, slotsAfter } from "./testing/parts.ts";

const STOCK = brandServiceKey("stock#@#I#@#G");
const STAMP = { version: 1n, registeredMs: START_MS };
const HOST = "10.0.0.7";

/** A registration of the first client at this host. */
const at = (host: string, changes: Partial<Publication> = {}) =>
  put({ owner: { session: SESSION, client: clientId(`${host}:40001_10.0.0.2:9600#1`) }, ...changes });

interface Ask {
  readonly question?: number;
  readonly host?: string;
  readonly slots?: readonly number[];
  readonly entriesMax?: number;
}

/** A session asks, perhaps in the pause after an earlier question; returns what it is told within a millisecond. */
function ask(node: TestData, { question = 1, host = HOST, slots = [0], entriesMax = 10 }: Ask = {}, from = SESSION) {
  node.tell({ kind: "addressAsk", question, host, slots, entriesMax }, from);
  node.pass(1);
  return told(node);
}

/** Answers: `1: r1 r2`, with `?` if a list is held and `+` if it is cut. */
function textOf(messages: readonly DataToSession[]): string[] {
  return messages.flatMap((message) => {
    if (message.kind !== "addressAnswer") return [];
    const { question, entries, held, isCut } = message;
    const told = entries.map(({ registId }) => registId).join(" ");
    return [`${question}: ${told}${held.length > 0 ? "?" : ""}${isCut ? "+" : ""}`];
  });
}

const told = (node: TestData) => textOf(node.sent.map(({ message }) => message));
const waits = (node: TestData): NodeId[] => [...node.data.parts.addressAskers] as NodeId[];

/** Registrations at some host in many services, 500 in each. */
function publishMany(node: TestData, count: number, host: string): void {
  for (let from = 0; from < count; from += 500) {
    const serviceKey = brandServiceKey(`s${from}#@#I#@#G`);
    node.publish(...Array.from({ length: 500 }, (_, one) => at(host, { serviceKey, registId: `m${from + one}` })));
  }
}

test("the registrations of clients at the host are told, of any session and service, and no others", () => {
  const node = serving();
  const elsewhere = { session: OTHER, client: clientId(`${HOST}:40002_10.0.0.3:9600#9`) };
  node.publish(at(HOST), at(HOST, { registId: "r2", serviceKey: STOCK, owner: elsewhere }));
  node.publish(at("10.0.0.70", { registId: "r3" }), at("[::1]", { registId: "r4" }));
  assert.deepEqual(ask(node), ["1: r1 r2"]);
  const [answer] = node.sent;
  assert.ok(answer?.message.kind === "addressAnswer");
  const [first] = answer.message.entries;
  const client = clientId(`${HOST}:40001_10.0.0.2:9600#1`);
  assert.deepEqual(first, { serviceKey: ORDERS, registId: "r1", ...STAMP, owner: { session: SESSION, client } });
  assert.deepEqual(ask(node, { host: "[::1]" }), ["1: r4"]);
  assert.deepEqual(ask(node, { host: "10.0.0.8" }), ["1: "]);
  assert.deepEqual(waits(node), []);
});

test("a host with the number of the asked one is not taken for it", () => {
  const number = hostNumberOf(clientId(`${HOST}:1`));
  const hosts = Array.from({ length: 65_536 }, (_, one) => `10.9.${one >> 8}.${one & 255}`);
  const twin = hosts.find((host) => hostNumberOf(clientId(`${host}:1`)) === number);
  assert.ok(twin !== undefined);
  const node = serving();
  node.publish(at(HOST), at(twin, { registId: "r2" }));
  assert.deepEqual(ask(node), ["1: r1"]);
});

test("what was taken back is not told, and a registration that moved is told of its new host", () => {
  const node = serving();
  node.publish(at(HOST), at(HOST, { registId: "r2" }));
  node.publish(removed("unpublished", { ...STAMP, version: 2n }));
  node.publish(at("10.0.0.8", { registId: "r2", version: 2n }));
  assert.deepEqual([ask(node), ask(node, { host: "10.0.0.8" })], [["1: "], ["1: r2"]]);
});

test("a slot that is not complete is answered for when it is", () => {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({});
  node.publish(at(HOST));
  assert.deepEqual([ask(node), waits(node)], [[], [SESSION]]);
  node.holdsNothing(OTHER);
  const inventory = { epoch: 1n, slot: 0, entries: [{ serviceKey: ORDERS, registId: "r1", ...STAMP }] };
  const answers = node.tell({ kind: "inventory", ...inventory, isFirst: true, isLast: true });
  assert.deepEqual([textOf(answers), waits(node)], [["1: r1"], []]);
});

test("a slot that another node leads is not answered for, nor one that was taken away before it was complete", () => {
  const node = serving();
  node.table({ leader: PEER });
  assert.deepEqual([ask(node), waits(node)], [[], []]);
  node.table({ leader: SELF });
  assert.deepEqual([ask(node), waits(node)], [[], [SESSION]]);
  node.table({ leader: PEER });
  assert.deepEqual(waits(node), []);
  assert.deepEqual(ask(node, { slots: [7] }), [], "there is no such slot");
});

test("what is held since a restart is not told, and the answer says so", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  node.publish(at(HOST), at(HOST, { registId: "r2", serviceKey: STOCK }));
  assert.deepEqual(ask(node), ["1: r2?"]);
  node.publish(at("10.0.0.8", { registId: "r3" }));
  assert.deepEqual(ask(node), ["1: r1 r2"]);
});

test("no more entries are told than were asked for, and that there are more", () => {
  const node = serving();
  node.publish(at(HOST), at(HOST, { registId: "r2" }), at(HOST, { registId: "r3" }));
  assert.deepEqual(ask(node, { entriesMax: 2 }), ["1: r1 r2+"]);
  assert.deepEqual(ask(node, { entriesMax: 3 }), ["1: r1 r2 r3"]);
  assert.deepEqual(waits(node), []);
});

test("no session gets more than five thousand entries, whatever it asks for", () => {
  const node = serving();
  publishMany(node, 5_500, HOST);
  ask(node, { entriesMax: 1_000_000 });
  node.pass(100);
  const [answer] = node.sent;
  assert.ok(answer?.message.kind === "addressAnswer");
  assert.deepEqual([answer.message.entries.length, answer.message.isCut], [5_000, true]);
});

test("a large slot is gone through in several steps, with pauses, and what changes meanwhile does not disturb", () => {
  const node = serving();
  publishMany(node, 9_000, "10.0.0.8");
  node.publish(at(HOST, { serviceKey: STOCK }));
  assert.deepEqual(ask(node), []);
  node.publish(
    at(HOST, { serviceKey: STOCK, registId: "r2" }),
    removed("unpublished", { ...STAMP, version: 2n }, "m0"),
  );
  node.pass(1);
  assert.deepEqual(told(node), []);
  node.pass(4);
  assert.deepEqual([told(node), waits(node)], [["1: r1 r2"], []]);
});

test("questions that come while a slot is gone through are answered by the next round, all at once", () => {
  const node = serving();
  publishMany(node, 5_000, "10.0.0.8");
  node.publish(at(HOST, { serviceKey: STOCK }));
  assert.deepEqual(ask(node), []);
  node.tell({ kind: "addressAsk", question: 2, host: HOST, slots: [0], entriesMax: 10 });
  node.tell({ kind: "addressAsk", question: 2, host: "10.0.0.8", slots: [0], entriesMax: 1 }, OTHER);
  node.pass(2);
  assert.deepEqual(told(node), ["2: m0+", "1: r1"]);
  node.pass(6);
  assert.deepEqual(told(node), ["2: m0+", "1: r1", "2: r1"]);
});

test("a question ends with its release and with the link of its session, also while its slot is gone through", () => {
  for (const end of [
    (node: TestData) => node.tell({ kind: "addressRelease", questions: [1, 7] }),
    (node: TestData) => node.step({ kind: "sessionDown", session: SESSION }),
  ]) {
    const node = serving();
    publishMany(node, 5_000, "10.0.0.8");
    node.publish(at(HOST));
    ask(node);
    end(node);
    assert.deepEqual(waits(node), []);
    node.pass(100);
    assert.deepEqual(told(node), []);
  }
});

test("a slot that is lost while it is gone through is asked for anew, and no part of it is told twice", () => {
  const node = serving();
  publishMany(node, 5_000, "10.0.0.8");
  node.publish(at(HOST));
  ask(node);
  node.table({ leader: PEER });
  node.table({ leader: SELF });
  node.holdsNothing(OTHER);
  assert.deepEqual([ask(node), waits(node)], [[], [SESSION]]);
  node.pass(31_000);
  assert.deepEqual(told(node), ["1: "], "what it had is another node's since");
});

test("asking again while the answer is on its way changes nothing; afterwards it is answered again", () => {
  const node = serving();
  publishMany(node, 5_000, "10.0.0.8");
  ask(node);
  ask(node);
  node.pass(100);
  assert.deepEqual(told(node), ["1: "]);
  ask(node);
  node.pass(100);
  assert.deepEqual(told(node), ["1: "]);
});

test("of one session no more questions are answered at once than it may ask", () => {
  const node = new TestData();
  node.step({ kind: "sessionUp", session: SESSION });
  node.members(SESSION, OTHER);
  node.table({});
  node.publish(at(HOST));
  for (let question = 0; question <= ADDRESS_QUESTIONS_MAX; question++) ask(node, { question });
  ask(node, {}, OTHER);
  node.sent = [];
  node.pass(31_000);
  const bySession = (session: NodeId) =>
    node.sent.filter(({ to, message }) => to === session && message.kind === "addressAnswer");
  assert.deepEqual([bySession(SESSION).length, bySession(OTHER).length], [ADDRESS_QUESTIONS_MAX, 1]);
});

/**
 * A search on one slot that serves, in which a step goes over a small and most of a large service, and not the third.
 */
function scene() {
  const slots = slotsAfter([leads]);
  const slot = slots.ledSlot(0);
  assert.ok(slot !== undefined);
  const serve = () => slot.serveIfHeard(new Set(), { nowMs: START_MS, waitMs: 0, overdueMs: 0 });
  serve();
  for (const serviceKey of [STOCK, ORDERS, brandServiceKey("last#@#I#@#G")]) {
    const datum = slot.contents.add(serviceKey, given(1n));
    const count = serviceKey === ORDERS ? 4_000 : 1;
    for (let one = 0; one < count; one++)
      slot.contents.apply(datum, at("10.0.0.8", { serviceKey, registId: `r${one}` }));
  }
  const held = new Set<ServiceKey>();
  const answers: string[] = [];
  const hold = { holds: ({ serviceKey }: { serviceKey: ServiceKey }) => held.has(serviceKey), heldIn: () => held.size };
  const toSession = (_: NodeId, message: DataToSession) => void answers.push(...textOf([message]));
  const search = new AddressSearch({ slots, hold }, { toSession });
  const asks = (question = 1) => {
    search.asked(SESSION, { kind: "addressAsk", question, host: HOST, slots: [0], entriesMax: 10 });
  };
  return { slot, serve, search, held, answers, asks };
}

/** The moments of a question: before the first step, and in the middle of its slot. */
const MOMENTS = {
  "before its slot is gone through": () => undefined,
  "while its slot is gone through": (search: AddressSearch) => search.wake(START_MS),
};

for (const [moment, reach] of Object.entries(MOMENTS)) {
  test(`${moment}, a question that ends leaves no work`, () => {
    const ends: readonly ((of: ReturnType<typeof scene>) => void)[] = [
      ({ search }) => search.release(SESSION, [1]),
      ({ search }) => search.unlinked(SESSION),
      ({ search }) => search.lost(0),
    ];
    for (const end of ends) {
      const of = scene();
      of.asks();
      reach(of.search);
      assert.ok(of.search.nextMs() < Number.POSITIVE_INFINITY);
      end(of);
      assert.deepEqual([of.search.nextMs(), [...of.search.askers()]], [Number.POSITIVE_INFINITY, []]);
      of.asks(2);
      of.search.wake(START_MS + 100);
      of.search.wake(START_MS + 200);
      assert.deepEqual(of.answers, ["2: "]);
    }
  });

  test(`${moment}, a slot that ceases to serve is left, and gone through from the start when it serves again`, () => {
    const { slot, serve, search, answers, asks } = scene();
    asks();
    reach(search);
    slot.waitFor(OTHER, START_MS);
    search.changed(slot);
    search.changed(slot);
    assert.equal(search.nextMs(), Number.POSITIVE_INFINITY);
    serve();
    search.changed(slot);
    search.wake(START_MS + 100);
    assert.deepEqual(answers, []);
    search.wake(START_MS + 200);
    assert.deepEqual([answers, search.nextMs()], [["1: "], Number.POSITIVE_INFINITY]);
  });
}

test("a slot that begins to serve and that nobody asks for makes no work", () => {
  const { slot, search } = scene();
  search.changed(slot);
  assert.equal(search.nextMs(), Number.POSITIVE_INFINITY);
});

test("a list that was held when the search came to it is missing, and the answer says so", () => {
  const { search, held, answers, asks } = scene();
  held.add(STOCK);
  asks();
  search.wake(START_MS);
  held.clear();
  search.wake(START_MS + 100);
  assert.deepEqual(answers, ["1: ?"]);
});

/** A search on slots that serve, without services at first. */
function bareScene(slotCount: number) {
  const slots = slotsAfter(Array.from({ length: slotCount }, () => leads));
  const contents = Array.from({ length: slotCount }, (_, at) => {
    const slot = slots.ledSlot(at);
    assert.ok(slot !== undefined);
    slot.serveIfHeard(new Set(), { nowMs: START_MS, waitMs: 0, overdueMs: 0 });
    return slot.contents;
  });
  /** Registrations at a host in one service of a slot. */
  const publish = (slot: number, { service, count, host }: { service: string; count: number; host: string }) => {
    const serviceKey = brandServiceKey(`${service}#@#I#@#G`);
    const ofSlot = contents[slot];
    const datum = ofSlot?.add(serviceKey, given(1n));
    assert.ok(ofSlot !== undefined && datum !== undefined);
    for (let one = 0; one < count; one++) {
      ofSlot.apply(datum, at(host, { serviceKey, registId: `${service}.${one}` }));
    }
  };
  const answers: AddressAnswerPart[] = [];
  const toSession = (_: NodeId, message: DataToSession) => {
    if (message.kind === "addressAnswer") answers.push(message);
  };
  const search = new AddressSearch({ slots, hold: { holds: () => false, heldIn: () => 0 } }, { toSession });
  const asks = (question: number, entriesMax = 5_000) => {
    const numbers = contents.map(({ slot }) => slot);
    search.asked(SESSION, { kind: "addressAsk", question, host: HOST, slots: numbers, entriesMax });
  };
  let nowMs = START_MS;
  /** The answers of the next step. */
  const step = () => {
    answers.length = 0;
    nowMs = Math.max(nowMs, search.nextMs());
    search.wake(nowMs);
    return [...answers];
  };
  return { search, publish, asks, step };
}

test("what was told in an earlier step counts among the entries that are asked for", () => {
  const { publish, asks, step } = bareScene(2);
  publish(0, { service: "a", count: 2, host: HOST });
  publish(1, { service: "many", count: 4_000, host: "10.0.0.8" });
  publish(1, { service: "b", count: 2, host: HOST });
  asks(1, 3);
  assert.deepEqual([textOf(step()), textOf(step())], [["1: a.0 a.1"], ["1: b.0+"]]);
});

test("questions count as work of a step, in slots without services too", () => {
  const { search, asks, step } = bareScene(10);
  for (let question = 0; question < 100; question++) asks(question);
  const slots = () => step().map((answer) => answer.slots.length);
  assert.deepEqual(slots(), new Array(100).fill(7));
  assert.equal(search.nextMs(), START_MS + 2.1);
  assert.deepEqual(slots(), new Array(100).fill(3));
  assert.equal(search.nextMs(), Number.POSITIVE_INFINITY);
});

for (const [questions, steps] of [
  [1, 3],
  [2, 4],
] as const) {
  test(`registrations that are found count as work of a step, for each of ${questions} questions`, () => {
    const { publish, asks, step } = bareScene(1);
    for (let one = 0; one < 6; one++) publish(0, { service: `s${one}`, count: 100, host: HOST });
    for (let question = 0; question < questions; question++) asks(question);
    for (let one = 1; one < steps; one++) assert.equal(step().length, 0);
    assert.deepEqual(
      step().map(({ entries }) => entries.length),
      new Array(questions).fill(600),
    );
  });
}

test("a service of many registrations is gone through in several steps, whatever is changed meanwhile", () => {
  const node = serving();
  const many = Array.from({ length: 6_000 }, (_, one) => at("10.0.0.8", { registId: `m${one}` }));
  node.publish(at(HOST), ...many.slice(0, 5_000));
  assert.deepEqual(ask(node), []);
  // The next one that the search would look at goes, others move, and one at the host goes and comes again.
  const gone = Array.from({ length: 5_000 }, (_, one) => removed("unpublished", { ...STAMP, version: 2n }, `m${one}`));
  node.publish(...gone, removed("unpublished", { ...STAMP, version: 2n }), ...many.slice(5_000));
  node.publish(at(HOST, { version: 3n }), at(HOST, { registId: "r2" }));
  node.pass(100);
  assert.deepEqual([told(node), waits(node)], [["1: r1 r2"], []]);
});
