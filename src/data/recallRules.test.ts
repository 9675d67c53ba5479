// The sessions that Recall asks for a list, and the part that it takes of one: single decisions, without a node around
// them.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession, PublishItem } from "../cluster/messages/sessionData.ts";
import type { DatumVersion } from "../model/datum.ts";
import { clientId, type NodeId, nodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Datum } from "./datum.ts";
import { Recall } from "./recall.ts";
import { Sessions } from "./sessions.ts";
import { ORDERS, OTHER, publication, put, SESSION, START_MS } from "./testing/harness.ts";
import { given, leads, others, slotsAfter, tableOf } from "./testing/parts.ts";

const GONE = nodeId("session-3.a");
const byGone = { owner: { session: GONE, client: clientId("c3") } };
/** The state that the leader took over, and a later one of its predecessor. */
const INHERITED = given(50n, 3n);
const LATER = given(60n, 3n);

/** A leader under epoch 4. GONE has not been heard; `known` are the sessions that may live. */
function scene(known: readonly NodeId[] = [SESSION, OTHER, GONE]) {
  const slots = slotsAfter([{ ...leads, leaderEpoch: 4n }]);
  const led = slots.ledSlot(0);
  assert.ok(led !== undefined);
  const datum = led.contents.add(ORDERS, given(55n, 4n));
  datum.inherited = INHERITED;
  for (const session of [SESSION, OTHER]) led.markHeard(session);
  const sessions = new Sessions({ sessionLeaseMs: 30_000 });
  const list = known.map((id) => ({ id, role: "session" as const, address: "" }));
  sessions.joined({ epoch: 1n, serial: 1, list }, START_MS);
  const sent: { to: NodeId; message: DataToSession }[] = [];
  const taken: PublishItem[] = [];
  const answered: Datum[] = [];
  const recall = new Recall(
    {
      slots,
      sessions,
      intake: {
        take: (items) => {
          taken.push(...items);
          return { superseded: [], unlisted: [] };
        },
      },
    },
    { toSession: (to, message) => void sent.push({ to, message }) },
  );
  const asks = (session: NodeId, have: DatumVersion, nowMs = START_MS) =>
    recall.askFirst(datum, session, { have, nowMs });
  const asked = () => sent.splice(0).map(({ to }) => to);
  const recalled = (from: NodeId, version: DatumVersion, ...publications: readonly Publication[]) => {
    const over = recall.recalled(from, { serviceKey: ORDERS, ...version, publications }, START_MS);
    if (over !== undefined) answered.push(over);
  };
  const unlinked = (session: NodeId) => void answered.push(...recall.unlinked(session));
  return { slots, led, datum, recall, asks, asked, recalled, unlinked, taken, answered };
}

test("a session is asked if its list is later than what was taken over, by a leader that may have known more", () => {
  const isAsked = (have: DatumVersion) => scene().asks(SESSION, have);
  assert.equal(isAsked(LATER), true);
  assert.equal(isAsked(INHERITED), false);
  assert.equal(isAsked(given(49n, 3n)), false);
  assert.equal(isAsked(given(60n, 2n)), false, "a leader before went on by itself");
  assert.equal(isAsked(given(60n, 4n)), false, "this leader gave it");
});

test("it waits with what it has, and one question is under way for all", () => {
  const { asks, asked, datum } = scene();
  assert.equal(asks(SESSION, LATER), true);
  assert.equal(asks(OTHER, LATER), true);
  assert.deepEqual(asked(), [SESSION]);
  assert.deepEqual(
    [...datum.interest.waiting()],
    [
      [SESSION, LATER],
      [OTHER, LATER],
    ],
  );
  assert.equal(asks(OTHER, given(61n, 3n)), true);
  assert.deepEqual(asked(), [OTHER], "it was shown more");
});

test("where nobody else is missing nobody is asked, and of that version never again", () => {
  const { asks, asked, datum } = scene([SESSION, OTHER]);
  assert.equal(asks(SESSION, LATER), false);
  assert.deepEqual([asked(), datum.inherited, datum.interest.waitingSize], [[], LATER, 0]);
});

test("a session that was not heard, and of which alone more could be known, is answered and not believed", () => {
  const { asks, asked, datum } = scene([SESSION, OTHER, GONE]);
  assert.equal(asks(GONE, LATER), false, "but for itself all were heard");
  assert.deepEqual([asked(), datum.inherited], [[], INHERITED]);
});

test("who has not answered for two seconds is answered itself, and another one is asked", () => {
  const { asks, asked } = scene();
  asks(SESSION, LATER);
  assert.equal(asks(SESSION, LATER, START_MS + 2_000), true);
  assert.deepEqual(asked(), [SESSION]);
  assert.equal(asks(SESSION, LATER, START_MS + 2_001), false);
  assert.equal(asks(OTHER, LATER, START_MS + 2_001), true);
  assert.deepEqual(asked(), [OTHER]);
});

test("another session that asks after two seconds is asked in place of the one that is silent", () => {
  const { asks, asked } = scene();
  asks(SESSION, LATER);
  assert.equal(asks(OTHER, LATER, START_MS + 2_001), true);
  assert.deepEqual(asked(), [SESSION, OTHER]);
});

test("of the list what absent sessions published is taken, and not what others speak for themselves", () => {
  const { asks, recalled, taken, datum, answered } = scene();
  asks(SESSION, LATER);
  const missing = publication({ registId: "a", ...byGone });
  recalled(SESSION, LATER, missing, publication({ registId: "b" }));
  assert.deepEqual(taken, [{ kind: "put", publication: missing }]);
  assert.deepEqual(
    [datum.inherited, new Map(datum.interest.waiting()).get(SESSION), answered],
    [LATER, LATER, [datum]],
  );
});

test("what a session that was heard has taken over from an absent one stays, unless the list is newer", () => {
  const verdict = (version: bigint, held: Partial<Publication>) => {
    const { led, datum, recalled, taken } = scene();
    led.contents.apply(datum, put({ registId: "a", ...held }));
    recalled(SESSION, LATER, publication({ registId: "a", version, ...byGone }));
    return taken.length;
  };
  assert.deepEqual([verdict(1n, {}), verdict(2n, {})], [0, 1]);
  assert.deepEqual([verdict(1n, byGone), verdict(2n, byGone)], [1, 1], "whether it is newer is seen when it is taken");
});

test("a session whose lease is over is asked after too, as long as what it owns is here", () => {
  const after = (...listed: readonly Publication[]) => {
    const { led, datum, asks, recalled, taken } = scene([SESSION, OTHER]);
    led.contents.apply(datum, put({ registId: "a", ...byGone }));
    assert.equal(asks(SESSION, LATER), true);
    recalled(SESSION, LATER, ...listed);
    return taken.map((item) => (item.kind === "put" ? item.publication.version : item.removal.registId));
  };
  assert.deepEqual(after(publication({ registId: "a", version: 2n, ...byGone })), [2n], "subscribers were shown it");
  assert.deepEqual(after(), ["a"], "and that it is gone");
});

test("what is missing in a later list of the same leader goes, if its session has not spoken since", () => {
  const goes = (version: DatumVersion, isSpeaking: boolean) => {
    const { led, datum, recalled, taken } = scene();
    led.contents.apply(datum, put({ registId: "a", ...byGone }));
    led.contents.apply(datum, put({ registId: "b" }));
    if (isSpeaking) led.spoke.add(GONE);
    recalled(SESSION, version);
    return taken.map((item) => item.kind === "remove" && item.removal.registId);
  };
  assert.deepEqual(goes(LATER, false), ["a"]);
  assert.deepEqual(goes(LATER, true), []);
  assert.deepEqual(goes(given(49n, 3n), false), [], "an earlier list says nothing");
});

test("a list of a leader in between tells what there was, and not what there was no more", () => {
  const { led, datum, recalled, taken } = scene();
  datum.inherited = given(50n, 2n);
  led.contents.apply(datum, put({ registId: "a", ...byGone }));
  recalled(SESSION, LATER);
  assert.deepEqual([taken, datum.inherited], [[], LATER]);
});

test("the answer of a session that was not asked is learned from, and ends nobody's waiting", () => {
  const { asks, recalled, answered, taken, datum } = scene();
  asks(SESSION, LATER);
  recalled(OTHER, given(61n, 3n), publication({ registId: "a", ...byGone }));
  assert.deepEqual([taken.length, answered, datum.interest.isWaiting(SESSION)], [1, [], true]);
});

test("a session whose link is gone waits no more, and if it was asked all others are answered", () => {
  const { asks, unlinked, answered, datum } = scene();
  asks(SESSION, LATER);
  asks(OTHER, LATER);
  unlinked(OTHER);
  assert.deepEqual([datum.interest.waiting().map(([session]) => session), answered], [[SESSION], []]);
  unlinked(SESSION);
  assert.deepEqual([datum.interest.waiting().map(([session]) => session), answered], [[], [datum]]);
});

test("of a slot that others lead nobody is asked any more", () => {
  const { asks, asked, recall, unlinked, slots, answered, datum } = scene();
  asks(SESSION, LATER);
  slots.adopt(tableOf(2n, others), START_MS);
  recall.adopted();
  unlinked(SESSION);
  assert.deepEqual(answered, []);
  assert.equal(recall.askFirst(datum, OTHER, { have: LATER, nowMs: START_MS }), false);
  assert.deepEqual(asked(), [SESSION]);
});

test("all have been heard, but for the one that asks, or not", () => {
  const { recall, led } = scene();
  assert.deepEqual([recall.hasHeardAll(led, SESSION), recall.hasHeardAll(led, GONE)], [false, true]);
});
