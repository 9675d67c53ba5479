// The receivers of a service's notices.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import { type DatumChange, type DatumVersion, NO_DATUM_VERSION } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import { Notices } from "./notices.ts";
import { ORDERS, OTHER, put, SESSION, START_MS } from "./testing/harness.ts";
import { datum, given } from "./testing/parts.ts";

const INTEREST_MS = 15_000;

function scene() {
  const { datum: one } = datum();
  const sent: { to: NodeId; message: DataToSession }[] = [];
  const overtaken: DatumVersion[] = [];
  const recalled = new Set<NodeId>();
  const notices = new Notices(INTEREST_MS, {
    send: (to, message) => void sent.push({ to, message }),
    recalls: (_datum, session) => recalled.has(session),
    overtake: (which, have) => {
      overtaken.push(have);
      which.raise(given(have.version + 1n));
    },
  });
  return { one, notices, sent, overtaken, recalled };
}

/** A change of the service, with a payload of this size. */
function changed(one: Datum, bytes = 10) {
  const item = put({ registId: `r${one.version.version}`, payload: new Uint8Array(bytes) });
  return one.commit([one.apply(item) as DatumChange], given(one.version.version + 1n));
}

const told = (sent: readonly { to: NodeId; message: DataToSession }[]) =>
  sent.map(({ to, message }) => [to, message.kind]);

test("a session hears changes for as long as its last question counts, and no longer", () => {
  const { one, notices, sent } = scene();
  notices.asked(one, SESSION, START_MS);
  notices.asked(one, OTHER, START_MS + 1);
  notices.changed(one, changed(one), START_MS + INTEREST_MS);
  assert.deepEqual(told(sent.splice(0)), [
    [SESSION, "delta"],
    [OTHER, "delta"],
  ]);
  notices.changed(one, changed(one), START_MS + INTEREST_MS + 1);
  assert.deepEqual(told(sent), [[OTHER, "delta"]]);
  assert.deepEqual([...one.interested.keys()], [OTHER]);
});

test("a change goes along with its notice up to 32 KiB, what it costs besides its payload counted", () => {
  const { one, notices, sent } = scene();
  notices.asked(one, SESSION, START_MS);
  notices.changed(one, changed(one, 32 * 1024 - 200), START_MS);
  const larger = changed(one, 32 * 1024 - 199);
  notices.changed(one, larger, START_MS);
  assert.deepEqual(told(sent), [
    [SESSION, "delta"],
    [SESSION, "changed"],
  ]);
  const { version, origin } = larger;
  assert.deepEqual(sent[1]?.message, { kind: "changed", dataInfoId: ORDERS, version: { version, origin } });
});

test("a session that has the newest version hears so, and nothing if it only scans", () => {
  const { one, notices, sent } = scene();
  notices.answer(one, SESSION, { have: one.version, isScan: true });
  assert.deepEqual(sent, []);
  notices.answer(one, SESSION, { have: one.version, isScan: false });
  assert.deepEqual(told(sent), [[SESSION, "current"]]);
});

test("a scan that is behind is answered like a question", () => {
  const { one, notices, sent } = scene();
  notices.answer(one, SESSION, { have: NO_DATUM_VERSION, isScan: true });
  assert.deepEqual(told(sent), [[SESSION, "snapshot"]]);
});

test("a version above ours, or of the same number by another leader, is overtaken; one below is not", () => {
  const { one, notices, sent, overtaken } = scene();
  one.raise(given(7n));
  notices.answer(one, SESSION, { have: given(6n, 3n), isScan: true });
  assert.deepEqual(overtaken, []);
  notices.answer(one, SESSION, { have: given(7n, 3n), isScan: true });
  notices.answer(one, SESSION, { have: given(9n), isScan: true });
  assert.deepEqual(overtaken, [given(7n, 3n), given(9n)]);
  const versions = sent.map(({ message }) => message.kind === "snapshot" && message.datum.version);
  assert.deepEqual(versions, [7n, 8n, 10n]);
});

test("a session that waits is answered once when the list is shown, by what it had", () => {
  const { one, notices, sent } = scene();
  notices.wait(one, SESSION, one.version);
  assert.deepEqual(told(sent.splice(0)), [[SESSION, "notReady"]]);
  notices.shown(one, START_MS);
  notices.shown(one, START_MS);
  assert.deepEqual(told(sent), [[SESSION, "current"]]);
});

test("what was not told while the list was held back is announced once, to those who do not wait for it", () => {
  const { one, notices, sent } = scene();
  notices.asked(one, SESSION, START_MS);
  notices.asked(one, OTHER, START_MS);
  notices.wait(one, OTHER, NO_DATUM_VERSION);
  sent.splice(0);
  changed(one);
  one.isUntold = true;
  notices.shown(one, START_MS);
  assert.deepEqual(told(sent.splice(0)), [
    [SESSION, "changed"],
    [OTHER, "snapshot"],
  ]);
  notices.shown(one, START_MS);
  assert.deepEqual(sent, []);
});

test("who is not interested any more is not told either of what was held back", () => {
  const { one, notices, sent } = scene();
  notices.asked(one, SESSION, START_MS);
  one.isUntold = true;
  notices.shown(one, START_MS + INTEREST_MS + 1);
  assert.deepEqual(sent, []);
});

test("a session that is asked for its own list first is not answered, and waits no more once it is", () => {
  const { one, notices, sent, recalled } = scene();
  one.waiting.set(SESSION, NO_DATUM_VERSION);
  recalled.add(SESSION);
  notices.answer(one, SESSION, { have: NO_DATUM_VERSION, isScan: false });
  assert.deepEqual([sent, one.waiting.size], [[], 1]);
  recalled.clear();
  notices.answer(one, SESSION, { have: NO_DATUM_VERSION, isScan: false });
  assert.deepEqual([told(sent), one.waiting.size], [[[SESSION, "snapshot"]], 0]);
});
