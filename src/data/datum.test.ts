// The memory of one service: the winners, the removals that keep others out, and the reach of its differences.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatumChange } from "../model/datum.ts";
import { clientId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Datum } from "./datum.ts";
import { OTHER, publication, put, removed, SESSION, START_MS } from "./testing/harness.ts";
import { datum, given } from "./testing/parts.ts";

/** Applies an item that subscribers see, under the next version. */
function change(one: Datum, ...items: Parameters<Datum["apply"]>[0][]): void {
  const changes = items.map((item) => one.apply(item)).filter((each): each is DatumChange => typeof each === "object");
  assert.equal(changes.length, items.length, "subscribers see each of them");
  one.commit(changes, given(one.version.version + 1n));
}

/** A service with an interested session, so that it remembers its changes. */
function watched(logChangesMax = 100): Datum {
  const { datum: one } = datum(logChangesMax);
  one.interest.asked(SESSION, START_MS);
  return one;
}

const stampOf = ({ version, registeredMs }: Publication) => ({ version, registeredMs });

test("a publication wins by its version, then by its time; an equal one of another session has lost", () => {
  const cases = [
    [{ version: 2n, registeredMs: START_MS - 9 }, "seen"],
    [{ version: 1n, registeredMs: START_MS + 1 }, "seen"],
    [{ version: 1n, registeredMs: START_MS - 1 }, "refused"],
    [{ version: 0n, registeredMs: START_MS + 9 }, "refused"],
    [{}, "unseen"],
    [{ owner: { session: OTHER, client: publication().owner.client } }, "refused"],
  ] as const;
  for (const [stamp, outcome] of cases) {
    const { datum: one } = datum();
    one.apply(put({ address: "before" }));
    const result = one.apply(put({ address: "after", ...stamp }));
    assert.equal(typeof result === "object" ? "seen" : result, outcome);
  }
});

test("of what one host takes back before it is listed the newest counts, in whatever order that arrives", () => {
  const { datum: one } = datum();
  for (const version of [5n, 3n]) {
    const item = removed("unpublished", { version, registeredMs: START_MS });
    assert.ok(item.kind === "remove");
    one.apply({ ...item, removal: { ...item.removal, client: clientId("10.0.0.7:1_10.1.0.1:9600") } });
  }
  assert.equal(one.tombstone("r1")?.version, 5n);
});

test("a removal of the same stamp ends a registration when its client left, and not when it unpublished", () => {
  const { datum: one } = datum();
  one.apply(put());
  assert.equal(one.apply(removed("unpublished", publication())), "refused");
  assert.deepEqual(one.apply(removed("left", publication())), {
    kind: "removed",
    registId: "r1",
    stamp: stampOf(publication()),
  });
});

test("what was removed keeps out what is not newer, and nothing stands in the way of what is", () => {
  const { datum: one } = datum();
  one.apply(put({ version: 2n }));
  one.apply(removed("left", { version: 2n, registeredMs: START_MS }));
  assert.equal(one.apply(put({ version: 2n })), "refused");
  assert.equal(one.apply(put({ version: 1n, registeredMs: START_MS + 1 })), "refused");
  assert.equal(typeof one.apply(put({ version: 2n, registeredMs: START_MS + 1 })), "object");
  assert.equal(one.tombstone("r1"), undefined);
});

test("of two removals the newer one is remembered, in whichever order they come", () => {
  for (const versions of [
    [3n, 5n],
    [5n, 3n],
  ]) {
    const { datum: one } = datum();
    for (const version of versions) one.apply(removed("unpublished", { version, registeredMs: START_MS }));
    assert.deepEqual(one.tombstone("r1"), { version: 5n, registeredMs: START_MS });
  }
});

test("the cleanup of a client that nobody knows leaves nothing behind, an unpublish does", () => {
  const { datum: one } = datum();
  one.apply(removed("left", publication()));
  assert.equal(one.tombstone("r1"), undefined);
  assert.ok(one.isIdle);
  one.apply(removed("unpublished", publication()));
  assert.ok(!one.isIdle);
});

test("a service is idle when it has neither publishers, nor memories, nor anybody who is interested", () => {
  const { datum: one } = datum();
  assert.ok(one.isIdle);
  one.apply(put());
  assert.ok(!one.isIdle);
  one.clear();
  assert.ok(one.isIdle);
  one.interest.asked(SESSION, START_MS);
  assert.ok(!one.isIdle);
});

test("whoever is a little behind gets each publisher once, as it is now", () => {
  const one = watched();
  change(one, put({ registId: "a", address: "a1" }), put({ registId: "b" }), put({ registId: "c" }));
  const have = one.version;
  change(one, put({ registId: "a", version: 2n, address: "a2" }));
  change(one, put({ registId: "a", version: 3n, address: "a3" }));
  change(one, removed("left", publication({ registId: "b" }), "b"));
  const delta = one.deltaSince(have);
  assert.deepEqual([delta?.base, delta?.version, delta?.origin], [have, 5n, 1n]);
  assert.deepEqual(
    delta?.changes.map((each) => (each.kind === "put" ? each.publication.version : each.registId)),
    [3n, "b"],
  );
});

test("a difference is told from exactly the version it begins at, also by who gave it", () => {
  const one = watched();
  change(one, put());
  assert.equal(one.deltaSince(given(1n, 2n)), undefined);
  assert.notEqual(one.deltaSince(given(1n)), undefined);
});

test("a difference larger than the whole list is not told", () => {
  const one = watched();
  change(one, put({ registId: "a" }), put({ registId: "b" }));
  const have = one.version;
  change(one, removed("left", publication({ registId: "a" }), "a"));
  assert.notEqual(one.deltaSince(have), undefined, "one change, one publisher");
  change(one, removed("left", publication({ registId: "b" }), "b"));
  assert.equal(one.deltaSince(have), undefined);
});

test("so many changes are remembered, those of one step only together", () => {
  const one = watched(3);
  for (const registId of ["a", "b", "c", "d"]) change(one, put({ registId }));
  assert.equal(one.deltaSince(given(1n)), undefined);
  assert.equal(one.deltaSince(given(2n))?.changes.length, 3);
  change(one, put({ registId: "e" }), put({ registId: "f" }));
  assert.equal(one.deltaSince(given(3n)), undefined);
  assert.equal(one.deltaSince(given(4n))?.changes.length, 3);
});

test("a version that was raised without a change is a step too, and takes the place of one change", () => {
  const one = watched(2);
  change(one, put());
  one.raise(given(3n));
  assert.deepEqual(one.deltaSince(given(2n))?.changes, []);
  one.raise(given(4n));
  assert.equal(one.deltaSince(given(1n)), undefined);
});

test("where nobody is interested no change is remembered", () => {
  const one = watched();
  change(one, put({ registId: "a" }));
  one.interest.clear();
  change(one, put({ registId: "b" }));
  one.interest.asked(SESSION, START_MS);
  assert.equal(one.deltaSince(given(1n)), undefined);
  assert.equal(one.deltaSince(given(2n)), undefined);
});

test("a follower that led before tells no difference from then: its leader went on in between", () => {
  const one = watched();
  change(one, put({ registId: "a" }), put({ registId: "b" }));
  one.follow(given(9n, 2n));
  assert.equal(one.deltaSince(given(1n)), undefined);
  assert.deepEqual(one.version, given(9n, 2n));
});

test("a datum's version never goes back", () => {
  const { datum: one } = datum();
  assert.throws(() => one.commit([], given(1n)), /datum versions only grow/);
});

test("a condition changes the list without the content, and goes with the next publication", () => {
  const one = watched();
  change(one, put());
  const { version } = one;
  const unwell = one.setCondition("r1", { isHealthy: false });
  assert.ok(unwell !== undefined);
  assert.deepEqual(unwell, { ...publication(), condition: { isHealthy: false } });
  assert.equal(one.setCondition("r1", { isHealthy: false }), undefined, "it is known");
  assert.equal(one.setCondition("r9", { isHealthy: false }), undefined, "there is no such publication");
  one.commit([{ kind: "put", publication: unwell }], given(version.version + 1n));
  assert.deepEqual(one.deltaSince(version)?.changes, [{ kind: "put", publication: unwell }]);
  assert.notEqual(one.conditions, 0);
  assert.equal(one.apply(put()), "unseen", "what a session repeats says nothing of conditions");
  assert.deepEqual(one.publication("r1")?.condition, { isHealthy: false });
  change(one, put({ registeredMs: START_MS + 1 }));
  assert.deepEqual([one.publication("r1")?.condition, one.conditions], [undefined, 0]);
  one.setCondition("r1", { weight: 2 });
  change(one, removed("left", publication({ registeredMs: START_MS + 1 })));
  assert.equal(one.conditions, 0);
});
