// The sums that a slot keeps over its datums, and its difference from a copy.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey, clientId } from "../model/ids.ts";
import { RegistrationDigest } from "../model/registrationDigest.ts";
import { SlotContents, usedBytes } from "./slotContents.ts";
import { ORDERS, OTHER, publication, put, removed, SESSION, START_MS } from "./testing/harness.ts";
import { given, sharedMemory } from "./testing/parts.ts";

const STOCK = brandServiceKey("stock#@#I#@#G");
const byOther = { owner: { session: OTHER, client: clientId("c2") } };

function scene() {
  const memory = sharedMemory();
  const contents = new SlotContents(3, memory);
  return { memory, contents, datum: contents.add(ORDERS, given(5n)) };
}

function digest(...publications: readonly ReturnType<typeof publication>[]) {
  const sum = new RegistrationDigest();
  for (const one of publications) sum.add(one);
  return { count: sum.count, value: sum.value };
}

const shown = (sum: RegistrationDigest | undefined) => sum && { count: sum.count, value: sum.value };

test("the digest of a session is that of what it answers for, through every change of owner", () => {
  const { contents, datum } = scene();
  contents.apply(datum, put());
  contents.apply(datum, put({ registId: "r2" }));
  assert.deepEqual(shown(contents.digestOf(SESSION)), digest(publication(), publication({ registId: "r2" })));
  contents.apply(datum, put({ registeredMs: START_MS + 9, ...byOther }));
  assert.deepEqual(shown(contents.digestOf(SESSION)), digest(publication({ registId: "r2" })));
  assert.deepEqual(shown(contents.digestOf(OTHER)), digest(publication({ registeredMs: START_MS + 9 })));
  contents.apply(datum, removed("left", publication({ registId: "r2" }), "r2"));
  assert.deepEqual([contents.digestOf(SESSION), [...contents.owners()], contents.publishers], [undefined, [OTHER], 1]);
});

test("a copy without a condition of its leader's differs", () => {
  const { contents, datum } = scene();
  contents.apply(datum, put());
  const before = contents.keptVersions();
  assert.deepEqual(contents.differenceTo(before), { datums: [], gone: [] });
  datum.setCondition("r1", { isHealthy: false });
  const [lacking] = contents.differenceTo(before).datums;
  assert.deepEqual(lacking?.publications[0]?.condition, { isHealthy: false });
  const copy = scene();
  copy.contents.replace(lacking ?? assert.fail("it is sent"));
  assert.deepEqual(copy.contents.keptVersions(), contents.keptVersions());
});

test("what is refused, or removes nothing, changes no sum", () => {
  const { contents, datum } = scene();
  contents.apply(datum, put({ version: 2n }));
  contents.apply(datum, put({ version: 1n }));
  contents.apply(datum, removed("unpublished", publication(), "r9"));
  contents.apply(datum, removed("left", publication({ version: 1n })));
  assert.deepEqual([shown(contents.digestOf(SESSION)), contents.publishers], [digest(publication({ version: 2n })), 1]);
});

test("a session's registrations are found in all services, and nobody else's", () => {
  const { contents, datum } = scene();
  contents.apply(datum, put());
  contents.apply(datum, put({ registId: "r2", ...byOther }));
  contents.apply(contents.add(STOCK, given(1n)), put({ registId: "r3", serviceKey: STOCK }));
  assert.deepEqual([...contents.ownedBy(SESSION)].map(({ registId }) => registId).sort(), ["r1", "r3"]);
  assert.deepEqual(
    [...contents.ownedBy(OTHER)].map(({ registId }) => registId),
    ["r2"],
  );
});

test("a service that is dropped leaves the sums, and the highest version that was forgotten", () => {
  const { contents, datum, memory } = scene();
  contents.apply(datum, put());
  contents.add(STOCK, given(4n));
  assert.equal(memory.datums, 2);
  contents.drop(ORDERS);
  contents.drop(ORDERS);
  contents.drop(STOCK);
  assert.deepEqual([contents.publishers, contents.digestOf(SESSION), contents.forgotten], [0, undefined, 5n]);
  assert.deepEqual([memory.datums, contents.datums.size], [0, 0]);
});

test("a slot that is given away holds nothing any more, and no contest either", () => {
  const { contents, datum, memory } = scene();
  contents.apply(datum, put());
  contents.apply(datum, put({ registeredMs: START_MS + 1, ...byOther }));
  assert.ok(!contents.contests.isEmpty, "another session took it by a millisecond");
  contents.clear();
  assert.deepEqual([contents.publishers, memory.datums, contents.contests.isEmpty], [0, 0, true]);
});

test("a leader's datum takes the place of what is here, with its removals", () => {
  const { contents, datum, memory } = scene();
  contents.apply(datum, put({ registId: "gone" }));
  const tombstones = [["r9", { version: 7n, registeredMs: START_MS }]] as const;
  const copy = contents.replace({ serviceKey: ORDERS, ...given(8n, 2n), publications: [publication()], tombstones });
  assert.equal(contents.datums.get(ORDERS), copy);
  assert.deepEqual([copy.version, copy.size, contents.publishers, memory.datums], [given(8n, 2n), 1, 1, 1]);
  assert.deepEqual(copy.tombstone("r9"), { version: 7n, registeredMs: START_MS });
  assert.equal(copy.tombstone("gone"), undefined);
});

test("a follower lacks what it does not hold exactly so, and has too much of what is not here", () => {
  const { contents, datum } = scene();
  contents.apply(datum, put());
  const [held] = contents.keptVersions();
  assert.ok(held !== undefined);
  assert.deepEqual(held, { serviceKey: ORDERS, ...given(5n), count: 1, digest: digest(publication()).value });
  const lacks = (...theirs: Parameters<typeof contents.differenceTo>[0]) => {
    const { datums, gone } = contents.differenceTo(theirs);
    return [datums.map(({ serviceKey }) => serviceKey), gone];
  };
  assert.deepEqual(lacks(held), [[], []]);
  assert.deepEqual(lacks(), [[ORDERS], []]);
  assert.deepEqual(lacks({ ...held, serviceKey: STOCK }), [[ORDERS], [STOCK]]);
  contents.apply(datum, put({ registeredMs: START_MS + 1 }));
  assert.deepEqual(lacks(held), [[ORDERS], []], "the same version, with another owner");
});

test("what a node uses are its publications, its tombstones and a thousand bytes for each service", () => {
  const { contents, memory, datum } = scene();
  const empty = usedBytes(memory);
  contents.add(STOCK, given(1n));
  assert.equal(usedBytes(memory), empty + 1_000);
  for (let at = 0; at < 100; at++) {
    const payload = Uint8Array.from({ length: 10_000 }, (_, index) => (at * 7919 + index * index) >> 3);
    contents.apply(datum, put({ registId: `r${at}`, payload }));
  }
  assert.ok(usedBytes(memory) > empty + 500_000);
  const before = usedBytes(memory);
  for (let at = 0; at < 2_000; at++) contents.apply(datum, removed("unpublished", publication(), `removed ${at}`));
  assert.ok(usedBytes(memory) > before);
});
