// The fate of one batch, item by item.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PublishItem } from "../cluster/messages/sessionData.ts";
import { brandServiceKey, type NodeId } from "../model/ids.ts";
import type { Applied } from "./commits.ts";
import type { Datum } from "./datum.ts";
import { Intake } from "./intake.ts";
import { ORDERS, OTHER, publication, put, removed, SESSION, START_MS } from "./testing/harness.ts";
import { follows, given, leads, slotsAfter } from "./testing/parts.ts";

const STOCK = brandServiceKey("stock#@#I#@#G");

/** A node that leads the only slot, and the results of batches there. */
function scene(owner = leads, serviceBytesMax = 1_000_000) {
  const slots = slotsAfter([owner]);
  const commits: { datum: Datum; applied: Applied }[] = [];
  const unpublished: Datum[] = [];
  const seen: (NodeId | undefined)[] = [];
  const said = { refuses: false };
  let version = 10n;
  const intake = new Intake(
    {
      slots,
      versions: { give: (_nowMs, origin) => given(++version, origin) },
      contention: {
        keepOut: (_item, from) => {
          seen.push(from);
          return said.refuses;
        },
        judge: () => "newest",
      },
      hold: { unpublished: (datum) => void unpublished.push(datum as Datum) },
      leases: { put: () => undefined, removed: () => undefined },
      commits: { commit: (_led, datum, applied) => void commits.push({ datum, applied }) },
    },
    { serviceBytesMax },
  );
  const take = (items: readonly PublishItem[], from?: NodeId) => intake.take(items, START_MS, from);
  const kinds = () =>
    commits.map(({ datum, applied }) => [datum.serviceKey, applied.changes.length, applied.taken.length]);
  return { slots, take, commits, kinds, unpublished, seen, said };
}

test("all items of a service are committed together, in a datum that is made for its first publication", () => {
  const it = scene();
  const notTaken = it.take([put(), put({ serviceKey: STOCK }), put({ registId: "r2" })], SESSION);
  assert.deepEqual(notTaken, { superseded: [], unlisted: [] });
  assert.deepEqual(it.kinds(), [
    [ORDERS, 2, 2],
    [STOCK, 1, 1],
  ]);
  assert.deepEqual(it.commits[0]?.datum.version, given(11n, 1n));
  assert.equal(it.slots.datum(ORDERS), it.commits[0]?.datum);
});

test("what nobody sees is taken all the same, for followers; what something newer refuses is named", () => {
  const it = scene();
  it.take([put({ version: 2n })]);
  it.commits.splice(0);
  const again = put({ version: 2n, registeredMs: START_MS + 1 });
  const { superseded } = it.take([again, put({ version: 1n }), removed("left", publication({ version: 0n }))]);
  assert.deepEqual(it.kinds(), [[ORDERS, 0, 1]]);
  const [lost] = superseded;
  assert.deepEqual(
    [superseded.length, lost?.registId, lost?.stamp.version, lost?.by.version, lost?.isRemoved],
    [1, "r1", 1n, 2n, false],
    "a removal that comes late is nobody's news",
  );
});

test("a removal from a service that nobody knows leaves nothing behind", () => {
  const it = scene();
  it.take([removed("unpublished", publication())], SESSION);
  assert.deepEqual([it.commits, it.slots.datum(ORDERS), it.seen], [[], undefined, []]);
});

test("what another node leads is passed over", () => {
  const it = scene(follows);
  assert.deepEqual(it.take([put()], SESSION), { superseded: [], unlisted: [] });
  assert.deepEqual([it.commits, it.slots.datum(ORDERS)], [[], undefined]);
});

test("a session whose item is looked at has spoken, what the node does by itself is nobody's word", () => {
  const it = scene();
  it.take([put()]);
  assert.equal(it.slots.ledSlot(0)?.spoke.size, 0);
  it.take([put()], OTHER);
  assert.deepEqual([...(it.slots.ledSlot(0)?.spoke ?? [])], [OTHER]);
});

test("a removal that may be of somebody else's registration is not applied, and asked about with its session", () => {
  const it = scene();
  it.take([put()], SESSION);
  it.commits.splice(0);
  it.said.refuses = true;
  it.take([removed("left", publication())], OTHER);
  assert.deepEqual([it.commits, it.seen, it.slots.datum(ORDERS)?.size], [[], [OTHER], 1]);
  it.said.refuses = false;
  it.take([removed("left", publication())], SESSION);
  assert.deepEqual(it.kinds(), [[ORDERS, 1, 1]]);
});

test("only a client that takes back what was listed is not waited for again", () => {
  const outcome = (item: PublishItem) => {
    const it = scene();
    it.take([put()], SESSION);
    it.take([item], SESSION);
    return it.unpublished.length;
  };
  assert.equal(outcome(removed("unpublished", { version: 2n, registeredMs: START_MS })), 1);
  assert.equal(outcome(removed("left", publication())), 0);
  assert.equal(outcome(removed("unpublished", { version: 2n, registeredMs: START_MS }, "r2")), 0);
  assert.equal(outcome(put({ version: 2n, address: "other" })), 0);
});

test("what would make the list too large is not applied, and named with what the list takes", () => {
  // A small publication counts as 256 bytes.
  const it = scene(leads, 400);
  it.take([put()], SESSION);
  const { unlisted, superseded } = it.take([put({ registId: "r2" })], SESSION);
  assert.deepEqual([unlisted.length, unlisted[0]?.registId, unlisted[0]?.bytesMax, superseded], [1, "r2", 400, []]);
  assert.equal(it.slots.datum(ORDERS)?.size, 1);
});
