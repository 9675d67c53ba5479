// The receivers of a service's notices.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_COUNTER } from "../base/metrics.ts";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import { type DatumChange, NO_DATUM_VERSION } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import { Notices } from "./notices.ts";
import { ORDERS, OTHER, put, SESSION, START_MS } from "./testing/harness.ts";
import { datum, given } from "./testing/parts.ts";

const INTEREST_MS = 15_000;

function scene() {
  const { datum: one } = datum();
  const sent: { to: NodeId; message: DataToSession }[] = [];
  const notices = new Notices(INTEREST_MS, { toSession: (to, message) => void sent.push({ to, message }) }, NO_COUNTER);
  return { one, notices, sent };
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
  one.interest.asked(SESSION, START_MS);
  one.interest.asked(OTHER, START_MS + 1);
  notices.changed(one, changed(one), START_MS + INTEREST_MS);
  assert.deepEqual(told(sent.splice(0)), [
    [SESSION, "delta"],
    [OTHER, "delta"],
  ]);
  notices.changed(one, changed(one), START_MS + INTEREST_MS + 1);
  assert.deepEqual(told(sent), [[OTHER, "delta"]]);
  assert.deepEqual([...one.interest.sessions()], [OTHER]);
});

test("a change goes along with its notice up to 32 KiB, what it costs besides its payload counted", () => {
  const { one, notices, sent } = scene();
  one.interest.asked(SESSION, START_MS);
  notices.changed(one, changed(one, 32 * 1024 - 200), START_MS);
  const larger = changed(one, 32 * 1024 - 199);
  notices.changed(one, larger, START_MS);
  assert.deepEqual(told(sent), [
    [SESSION, "delta"],
    [SESSION, "changed"],
  ]);
  const { version, origin } = larger;
  assert.deepEqual(sent[1]?.message, { kind: "changed", serviceKey: ORDERS, version: { version, origin } });
});

test("what was not told while the list was held back is announced once, to those who do not wait for it", () => {
  const { one, notices, sent } = scene();
  one.interest.asked(SESSION, START_MS);
  one.interest.asked(OTHER, START_MS);
  one.interest.wait(OTHER, NO_DATUM_VERSION);
  sent.splice(0);
  changed(one);
  one.interest.isUntold = true;
  notices.shown(one, START_MS);
  assert.deepEqual(told(sent.splice(0)), [[SESSION, "changed"]]);
  notices.shown(one, START_MS);
  assert.deepEqual(sent, []);
});

test("who is not interested any more is not told either of what was held back", () => {
  const { one, notices, sent } = scene();
  one.interest.asked(SESSION, START_MS);
  one.interest.isUntold = true;
  notices.shown(one, START_MS + INTEREST_MS + 1);
  assert.deepEqual(sent, []);
});
