import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession, PublishItem, Unlisted } from "../cluster/messages/sessionData.ts";
import { clientId } from "../model/ids.ts";
import { listBytesOf } from "../model/listBytes.ts";
import { OTHER, put, removed, START_MS, serving, type TestData } from "./testing/harness.ts";

// Some ten publications of a thousand bytes, which are no payload and look like 43 boxes each.
const BYTES_MAX = 64 * 1024;
const address = (text: string, length = 1_000) => text.padEnd(length, ".");

function taken(messages: readonly DataToSession[]): DataToSession & { kind: "taken" } {
  const last = messages.at(-1);
  assert.ok(last?.kind === "taken");
  return last;
}

const unlisted = (node: TestData, ...items: readonly PublishItem[]): readonly Unlisted[] =>
  taken(node.publish(...items)).unlisted;

/** A node whose list is as full as it may be. */
function full(): { node: TestData; listed: number } {
  const node = serving({}, { serviceBytesMax: BYTES_MAX });
  const all = Array.from({ length: 30 }, (_, at) => put({ registId: `r${at}`, address: address(`${at}`) }));
  const listed = 30 - unlisted(node, ...all).length;
  assert.ok(listed > 5 && listed < 20);
  return { node, listed };
}

test("a list takes what finds room; the session hears what does not, and nothing that was there is lost", () => {
  const { node, listed } = full();
  const before = node.list().addresses;
  assert.equal(before.length, listed);
  const [late] = unlisted(node, put({ registId: "late", address: address("late") }));
  assert.deepEqual(late?.stamp, { version: 1n, registeredMs: START_MS });
  assert.ok(late.bytes > 8_000 && late.bytesMax === BYTES_MAX && late.listed === undefined);
  assert.deepEqual(node.list().addresses, before);
});

test("when somebody has gone there is room for the next", () => {
  const { node } = full();
  assert.equal(unlisted(node, put({ registId: "late", address: address("late") })).length, 1);
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }, "r0"));
  assert.equal(unlisted(node, put({ registId: "late", address: address("late") })).length, 0);
});

test("who is listed may say something else, go to another session and come back, but not grow", () => {
  const { node } = full();
  assert.deepEqual(unlisted(node, put({ version: 2n, address: address("new") })), []);
  const elsewhere = { session: OTHER, client: clientId("c2") };
  assert.deepEqual(
    unlisted(node, put({ version: 2n, registeredMs: START_MS + 5, owner: elsewhere, address: address("new") })),
    [],
  );
  const back = put({ version: 2n, registeredMs: START_MS + 9, address: address("new") });
  assert.deepEqual(unlisted(node, back), []);
  const [grown] = unlisted(node, put({ version: 3n, address: address("grown", 9_000) }));
  assert.deepEqual(grown?.listed, { version: 2n, registeredMs: START_MS + 9 });
  assert.ok(node.list().addresses.includes(address("new")));
});

test("what is older than what is known has lost, whatever it takes", () => {
  const { node } = full();
  node.publish(put({ version: 5n, address: address("five") }));
  const { superseded, unlisted: turnedDown } = taken(node.publish(put({ version: 4n, address: address("", 9_000) })));
  assert.deepEqual([superseded.length, turnedDown.length], [1, 0]);
});

test("a node that holds more than it may says so, takes what sessions have accepted, and says when it is over", () => {
  const node = serving({}, { dataBytesMax: 7 * 1024 * 1024, serviceBytesMax: 64 * 1024 * 1024 });
  assert.equal(taken(node.publish(put())).isFull, false);
  const ids = Array.from({ length: 500 }, (_, at) => `r${at + 2}`);
  node.publish(...ids.map((registId) => put({ registId, address: address(registId, 16_000) })));
  assert.equal(taken(node.publish(put({ registId: "late" }))).isFull, true);
  assert.equal(node.list().addresses.length, 502);
  node.publish(...ids.map((registId) => removed("left", { version: 1n, registeredMs: START_MS }, registId)));
  node.pass(10_000);
  assert.equal(taken(node.publish(put())).isFull, false);
});

test("a list may be exactly full", () => {
  const [first, second] = ["r1", "r2"].map((registId) => put({ registId, address: address(registId) }));
  assert.ok(first?.kind === "put" && second !== undefined);
  const node = serving({}, { serviceBytesMax: 2 * listBytesOf(first.publication.payload) });
  assert.deepEqual(unlisted(node, first, second), []);
  assert.equal(unlisted(node, put({ registId: "r3", address: "" })).length, 1);
});
