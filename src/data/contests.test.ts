import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { Contests } from "./contests.ts";
import { OTHER, publication, SESSION, START_MS } from "./testing/harness.ts";

const ofSession = (changes: Partial<Publication> = {}) => publication(changes);
const ofOther = (changes: Partial<Publication> = {}) =>
  publication({ owner: { session: OTHER, client: clientId("c2") }, registeredMs: START_MS + 1, ...changes });

test("a registration that another session took by one millisecond alone is remembered with who lost it", () => {
  const contests = new Contests();
  contests.replaced(ofSession(), ofOther(), false);
  const stamp = { version: 1n, registeredMs: START_MS };
  const { serviceKey, registId } = ofSession();
  assert.deepEqual(contests.get(ofSession()), {
    loser: SESSION,
    entry: { serviceKey, registId, ...stamp },
    winner: { version: 1n, registeredMs: START_MS + 1 },
  });
  contests.delete(ofSession());
  assert.deepEqual([contests.get(ofSession()), contests.isEmpty], [undefined, true]);
});

test("one that won by a version, by more than a millisecond, or within its session is no contest", () => {
  const contests = new Contests();
  contests.replaced(ofSession(), ofOther({ version: 2n }), false);
  contests.replaced(ofSession(), ofOther({ registeredMs: START_MS + 2 }), false);
  contests.replaced(ofSession(), ofSession({ registeredMs: START_MS + 1 }), false);
  contests.claimed(SESSION, ofSession(), { winner: ofOther({ registeredMs: START_MS }), isLate: false });
  assert.ok(contests.isEmpty);
});

test("of what is said late one that won by any time is a contest; not by a version, nor within its session", () => {
  const contests = new Contests();
  contests.replaced(ofSession(), ofOther({ version: 2n }), true);
  contests.replaced(ofSession(), ofSession({ registeredMs: START_MS + 500 }), true);
  contests.claimed(SESSION, ofSession(), { winner: ofOther({ registeredMs: START_MS }), isLate: true });
  assert.ok(contests.isEmpty);
  contests.replaced(ofSession(), ofOther({ registeredMs: START_MS + 500 }), true);
  assert.equal(contests.get(ofSession())?.loser, SESSION);
  const claimed = new Contests();
  claimed.claimed(SESSION, ofSession(), { winner: ofOther({ registeredMs: START_MS + 500 }), isLate: true });
  assert.equal(claimed.get(ofSession())?.loser, SESSION);
});

test("what a session says that it has is a contest by the same rule", () => {
  const contests = new Contests();
  contests.claimed(SESSION, ofSession(), { winner: ofOther(), isLate: false });
  assert.equal(contests.get(ofSession())?.loser, SESSION);
});

test("beyond a thousand of a slot the oldest are forgotten; one that is renewed is not the oldest any more", () => {
  const contests = new Contests();
  const won = { winner: ofOther(), isLate: false };
  const add = (at: number) => contests.claimed(SESSION, ofSession({ registId: `r${at}` }), won);
  for (let at = 0; at < 1_000; at++) add(at);
  add(0);
  assert.ok(contests.get(ofSession({ registId: "r1" })) !== undefined);
  add(1_000);
  assert.equal(contests.get(ofSession({ registId: "r1" })), undefined);
  assert.ok(contests.get(ofSession({ registId: "r0" })) !== undefined);
  contests.clear();
  assert.ok(contests.isEmpty);
});
