import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import { type DatumVersion, NO_DATUM_VERSION } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";
import { Answers } from "./answers.ts";
import { EmptyServices } from "./emptyServices.ts";
import { countedMetrics } from "./testing/countedMetrics.ts";
import { ORDERS, SESSION, START_MS } from "./testing/harness.ts";
import { given, leads, sharedMemory, slotsAfter } from "./testing/parts.ts";
import { VersionFloor } from "./versionFloor.ts";

/** A node that serves its only slot, with the service of the tests at version 1. */
function scene() {
  const slots = slotsAfter([leads]);
  const led = slots.ledSlot(0);
  assert.ok(led !== undefined);
  led.serveIfHeard(new Set(), { nowMs: START_MS, waitMs: 0, overdueMs: 0 });
  const one = led.contents.add(ORDERS, given(1n));
  const { metrics, counts } = countedMetrics();
  const sent: { to: NodeId; message: DataToSession }[] = [];
  const overtaken: DatumVersion[] = [];
  const recalled = new Set<NodeId>();
  const held = new Set<string>();
  const versions = new VersionFloor(0n, () => undefined);
  const answers = new Answers(
    {
      slots,
      hold: { holds: ({ serviceKey }) => held.has(serviceKey) },
      versions,
      foreign: { checkedHave: (have) => have },
      empty: new EmptyServices(sharedMemory(), 100, versions),
      notices: { shown: () => undefined },
      recall: { askFirst: (_datum, session) => recalled.has(session), hasHeardAll: () => true },
      overtaking: {
        overtake: (which, have) => {
          overtaken.push(have);
          which.raise(given(have.version + 1n));
        },
      },
    },
    { toSession: (to, message) => void sent.push({ to, message }) },
    metrics,
  );
  const ask = (have: DatumVersion, isScan = false) => answers.asked(SESSION, ORDERS, { have, isScan }, START_MS);
  const told = () => sent.splice(0).map(({ message }) => message.kind);
  return { one, answers, ask, told, sent, overtaken, recalled, held, counts };
}

test("a session that has the newest version hears so, and nothing if it only scans", () => {
  const { one, ask, told } = scene();
  ask(one.version, true);
  assert.deepEqual(told(), []);
  ask(one.version);
  assert.deepEqual(told(), ["current"]);
  assert.deepEqual([...one.interest.sessions()], [SESSION]);
});

test("a scan that is behind is answered like a question", () => {
  const { ask, told } = scene();
  ask(NO_DATUM_VERSION, true);
  assert.deepEqual(told(), ["snapshot"]);
});

test("a version above ours, or of the same number by another leader, is overtaken; one below is not", () => {
  const { one, ask, sent, overtaken } = scene();
  one.raise(given(7n));
  ask(given(6n, 3n), true);
  assert.deepEqual(overtaken, []);
  ask(given(7n, 3n), true);
  ask(given(9n), true);
  assert.deepEqual(overtaken, [given(7n, 3n), given(9n)]);
  const versions = sent.map(({ message }) => message.kind === "snapshot" && message.datum.version);
  assert.deepEqual(versions, [7n, 8n, 10n]);
});

test("a session that asks while the list is held is answered once when it is shown, by the version that it had", () => {
  const { one, answers, ask, told, held } = scene();
  held.add(ORDERS);
  ask(one.version);
  answers.show(one, START_MS);
  assert.deepEqual(told(), ["notReady"]);
  held.clear();
  answers.show(one, START_MS);
  answers.show(one, START_MS);
  assert.deepEqual(told(), ["current"]);
});

test("a session that is asked for its own list first is not answered, and waits no more once it is", () => {
  const { one, ask, told, recalled } = scene();
  one.interest.wait(SESSION, NO_DATUM_VERSION);
  recalled.add(SESSION);
  ask(NO_DATUM_VERSION);
  assert.deepEqual([told(), one.interest.waitingSize], [[], 1]);
  recalled.clear();
  ask(NO_DATUM_VERSION);
  assert.deepEqual([told(), one.interest.waitingSize], [["snapshot"], 0]);
});

test("a list that a scan finds to be old is counted, and that of a question is not", () => {
  const { ask, counts } = scene();
  ask(given(0n));
  assert.deepEqual([...counts], []);
  ask(given(0n), true);
  assert.equal(counts.get("roster_divergence_found_total scan"), 1);
});

test("a list that a session has shown in part gets a higher version, once", () => {
  const { one, answers, told, overtaken } = scene();
  const shown = one.version;
  const reissue = () => answers.reissue(SESSION, { serviceKey: ORDERS, have: shown }, START_MS);
  one.interest.asked(SESSION, START_MS);
  reissue();
  assert.deepEqual(overtaken, [shown]);
  assert.deepEqual(told(), ["delta"]);
  reissue();
  assert.deepEqual(overtaken, [shown], "it has a higher one already");
  assert.deepEqual(told(), ["delta"]);
});

test("a list that is held is not issued anew, and comes when it is shown", () => {
  const { one, answers, told, overtaken, held } = scene();
  held.add(ORDERS);
  answers.reissue(SESSION, { serviceKey: ORDERS, have: one.version }, START_MS);
  assert.deepEqual([told(), overtaken], [["notReady"], []]);
});
