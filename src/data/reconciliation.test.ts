// A leader's comparison of a session's reported registrations with its own, one slot at a time.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession, InventoryEntry, PublishItem } from "../cluster/messages/sessionData.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import { clientId, type NodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { RegistrationDigest } from "../model/registrationDigest.ts";
import type { SlotOwner } from "../model/slot.ts";
import { keyOf } from "./items.ts";
import { Reconciliation } from "./reconciliation.ts";
import { countedMetrics } from "./testing/countedMetrics.ts";
import { ORDERS, OTHER, publication, put, removed, SESSION, START_MS } from "./testing/harness.ts";
import { follows, given, leads, slotsAfter, tableOf } from "./testing/parts.ts";

/** A leader that holds these publications, and its messages and effects. */
function scene(held: readonly Publication[] = [], owners: readonly Partial<SlotOwner>[] = [leads]) {
  const slots = slotsAfter(owners);
  const led = slots.ledSlot(0);
  assert.ok(led !== undefined);
  for (const one of held) {
    led.contents.apply(led.contents.datums.get(ORDERS) ?? led.contents.add(ORDERS, given(1n)), {
      kind: "put",
      publication: one,
    });
  }
  const { metrics, counts } = countedMetrics();
  const sent: { to: NodeId; message: DataToSession }[] = [];
  const taken: PublishItem[] = [];
  const heard: NodeId[] = [];
  const awaited: NodeId[] = [];
  const reconciliation = new Reconciliation(
    {
      slots,
      intake: {
        take: (items) => {
          taken.push(...items);
          return { superseded: [], unlisted: [] };
        },
      },
      completeness: {
        heard: (_slot, session) => void heard.push(session),
        waitFor: (_slot, session) => void awaited.push(session),
      },
    },
    { toSession: (to, message) => void sent.push({ to, message }) },
    metrics,
  );
  const told = () => sent.splice(0).map(({ message }) => message);
  const digests = (slot: SlotDigest, epoch = 1n, from = SESSION) =>
    reconciliation.digests(from, { kind: "digests", epoch, slots: [slot] }, START_MS);
  const inventory = (
    entries: readonly InventoryEntry[],
    part: { slot?: number; isFirst?: boolean; isLast?: boolean; from?: NodeId } = {},
  ) => {
    const { from = SESSION, slot = 0, isFirst = true, isLast = true } = part;
    reconciliation.inventory(from, { kind: "inventory", epoch: 1n, slot, entries, isFirst, isLast }, START_MS);
  };
  return { reconciliation, slots, led, sent, told, taken, heard, awaited, digests, inventory, counts };
}

function digestOf(slot: number, ...publications: readonly Publication[]): SlotDigest {
  const digest = new RegistrationDigest();
  for (const one of publications) digest.add(one);
  return { slot, count: digest.count, digest: digest.value };
}

const mine = publication();
const theirs = (changes: Partial<Publication> = {}): Publication => {
  return publication({ owner: { session: OTHER, client: clientId("c2") }, ...changes });
};
const SYNCED = { kind: "synced", slots: [0] };
const wanted = (keys: readonly string[]) => ({
  kind: "wanted",
  slot: 0,
  keys: keys.map((registId) => [ORDERS, registId]),
  superseded: [],
});

test("equal digests: the session is heard; different ones: it is asked what it has, and awaited", () => {
  const it = scene([mine, theirs({ registId: "r2" })]);
  it.digests(digestOf(0, mine));
  assert.deepEqual([it.told(), it.heard, it.awaited], [[SYNCED], [SESSION], []]);
  it.digests({ ...digestOf(0, mine), digest: 1n });
  it.digests({ ...digestOf(0, mine), count: 2 });
  const differs = { kind: "differs", slots: [0] };
  assert.deepEqual([it.told(), it.heard, it.awaited], [[differs, differs], [SESSION], [SESSION, SESSION]]);
});

test("a session that was heard already is not awaited for a difference", () => {
  const it = scene([mine]);
  it.led.markHeard(SESSION);
  it.digests(digestOf(0));
  assert.deepEqual(it.awaited, []);
});

test("what a session says of a slot that is not led here is left unanswered", () => {
  const it = scene([], [leads, follows]);
  it.digests(digestOf(1));
  it.inventory([mine], { slot: 1 });
  assert.deepEqual([it.told(), it.heard], [[], []]);
});

test("digests that agree end what was wanted and claimed before", () => {
  const it = scene();
  it.inventory([mine]);
  it.led.claims.set(SESSION, [mine]);
  it.digests(digestOf(0));
  assert.deepEqual([it.led.wanted.size, it.led.claims.size], [0, 0]);
});

test("what a session says by a newer table counts when ours has come, by its newest word", () => {
  const it = scene();
  it.digests(digestOf(0, mine), 2n);
  it.digests(digestOf(0), 3n);
  assert.deepEqual(it.told(), []);
  it.slots.adopt(tableOf(2n, leads), START_MS);
  it.reconciliation.adopted(START_MS);
  assert.deepEqual(it.told(), []);
  it.slots.adopt(tableOf(3n, leads), START_MS);
  it.reconciliation.adopted(START_MS);
  it.reconciliation.adopted(START_MS);
  assert.deepEqual([it.told(), it.heard], [[SYNCED], [SESSION]]);
});

test("a session whose link is gone has said nothing early, and no part of an inventory; another's word stands", () => {
  const it = scene();
  for (const from of [SESSION, OTHER]) {
    it.digests(digestOf(0), 2n, from);
    it.inventory([], { isLast: false, from });
  }
  it.reconciliation.unlinked(SESSION);
  for (const from of [SESSION, OTHER]) it.inventory([], { isFirst: false, from });
  assert.deepEqual(it.heard.splice(0), [OTHER]);
  it.slots.adopt(tableOf(2n, leads), START_MS);
  it.reconciliation.adopted(START_MS);
  assert.deepEqual(it.heard, [OTHER]);
});

test("what is lacking is wanted, and the session is heard when the last of it has come", () => {
  const it = scene();
  it.inventory([mine, publication({ registId: "r2" })]);
  assert.deepEqual([it.told(), it.heard], [[wanted(["r1", "r2"])], []]);
  it.reconciliation.published(SESSION, put(), START_MS);
  it.reconciliation.published(OTHER, put({ registId: "r2" }), START_MS);
  assert.deepEqual(it.heard, []);
  it.reconciliation.published(SESSION, removed("left", mine, "r2"), START_MS);
  assert.deepEqual([it.told(), it.heard, it.led.wanted.size], [[SYNCED], [SESSION], 0]);
  it.reconciliation.published(SESSION, put(), START_MS);
  assert.deepEqual(it.told(), []);
});

test("an inventory counts with its last part, and one that begins anew forgets what came before", () => {
  const it = scene();
  it.inventory([mine], { isLast: false });
  it.inventory([publication({ registId: "r2" })], { isFirst: false, isLast: false });
  assert.deepEqual(it.told(), []);
  it.inventory([publication({ registId: "r3" })], { isFirst: false });
  assert.deepEqual(it.told(), [wanted(["r1", "r2", "r3"])]);
  it.inventory([mine], { isLast: false });
  it.inventory([publication({ registId: "r4" })]);
  assert.deepEqual(it.told(), [wanted(["r4"])]);
  it.inventory([mine], { isFirst: false });
  assert.deepEqual(it.told(), [], "a part whose beginning was never heard");
});

test("what is here of the session and is not in its inventory goes, by exactly its stamp", () => {
  const it = scene([mine, publication({ registId: "r2" }), theirs({ registId: "r3" })]);
  it.inventory([mine]);
  assert.deepEqual(it.taken, [removed("left", { version: 1n, registeredMs: START_MS }, "r2")]);
  assert.deepEqual([it.told(), it.heard], [[SYNCED], [SESSION]]);
});

test("each registration is judged by its stamp against what is here", () => {
  const verdict = (entry: Publication, ...held: readonly Publication[]) => {
    const it = scene(held);
    it.inventory([entry]);
    const [first] = it.told();
    return first?.kind === "wanted" && first.keys.length === 0 ? "superseded" : first?.kind;
  };
  assert.equal(verdict(mine, mine), "synced");
  assert.equal(verdict(publication({ version: 2n }), mine), "wanted");
  assert.equal(verdict(publication({ registeredMs: START_MS + 1 }), theirs()), "wanted");
  assert.equal(verdict(mine, publication({ version: 2n })), "superseded");
  assert.equal(verdict(mine, theirs({ version: 2n })), "wanted", "it may be a stranger's, which says it first");
  assert.equal(verdict(mine, theirs()), "superseded");
  assert.equal(verdict(mine, theirs({ registId: "r2" })), "wanted");
});

test("who lost to another's registration is told what won, and claims it if only the time decided", () => {
  const it = scene([theirs({ registeredMs: START_MS + 1 }), publication({ registId: "r2", version: 3n })]);
  it.inventory([mine, publication({ registId: "r2" })]);
  const stamp = { version: 1n, registeredMs: START_MS };
  const lost = (registId: string, by: object) => ({ serviceKey: ORDERS, registId, stamp, by, isRemoved: false });
  assert.deepEqual(it.told(), [
    {
      kind: "wanted",
      slot: 0,
      keys: [],
      superseded: [
        lost("r1", { version: 1n, registeredMs: START_MS + 1 }),
        lost("r2", { version: 3n, registeredMs: START_MS }),
      ],
    },
    SYNCED,
  ]);
  assert.deepEqual(
    it.led.claims.get(SESSION)?.map(({ registId }) => registId),
    ["r1"],
  );
  assert.equal(it.led.contents.contests.get(mine)?.loser, SESSION);
  it.inventory([]);
  assert.equal(it.led.claims.size, 0);
});

test("what was removed is awaited: it comes again, or its client has left, or its version was another host's", () => {
  const outcome = (stamp: Partial<Publication>) => {
    const it = scene([publication(stamp)]);
    const datum = it.led.contents.datums.get(ORDERS);
    if (datum !== undefined) it.led.contents.apply(datum, removed("left", publication(stamp)));
    it.inventory([mine]);
    const [first] = it.told();
    assert.ok(first?.kind === "wanted");
    return [first.keys.length, first.superseded[0]?.isRemoved, it.heard.length, it.led.claims.size];
  };
  assert.deepEqual(outcome({ registeredMs: START_MS + 1 }), [0, true, 0, 0]);
  assert.deepEqual(outcome({ version: 2n }), [1, undefined, 0, 0]);
});

test("of a session that is gone living ones are offered what they claim of it, once", () => {
  const it = scene([theirs(), theirs({ registId: "r2" })]);
  it.led.claims.set(SESSION, [mine, publication({ registId: "r2", version: 0n }), publication({ registId: "r3" })]);
  const nobody = () => false;
  assert.deepEqual([...it.reconciliation.offer(it.led, OTHER, nobody)], [keyOf(mine)]);
  const [{ to, message } = { to: undefined, message: undefined }] = it.sent;
  assert.equal(to, SESSION);
  assert.deepEqual(message?.kind === "wanted" && message.superseded.map((one) => [one.registId, one.isRemoved]), [
    ["r1", true],
  ]);
  assert.deepEqual(
    it.led.claims.get(SESSION)?.map(({ registId }) => registId),
    ["r2", "r3"],
  );
  it.told();
  assert.equal(it.reconciliation.offer(it.led, OTHER, nobody).size, 0);
  assert.deepEqual(it.told(), []);
});

test("nothing is offered to a session that is absent itself, and a claim that is used up is gone", () => {
  const it = scene([theirs()]);
  it.led.claims.set(SESSION, [mine]);
  assert.equal(it.reconciliation.offer(it.led, OTHER, () => true).size, 0);
  assert.equal(it.led.claims.size, 1);
  assert.equal(it.reconciliation.offer(it.led, OTHER, () => false).size, 1);
  assert.equal(it.led.claims.size, 0);
});

test("a difference is counted once when it is found and once when it is gone; a new leader's apart", () => {
  const it = scene([mine]);
  const by = (what: string) =>
    [`found`, `repaired`].map((end) => it.counts.get(`roster_divergence_${end}_total ${what}`));
  it.digests(digestOf(0));
  assert.deepEqual(by("takeover"), [1, undefined]);
  it.digests(digestOf(0, mine));
  assert.deepEqual(
    [by("takeover"), by("digest")],
    [
      [1, 1],
      [undefined, undefined],
    ],
  );
  it.led.markHeard(SESSION);
  it.digests(digestOf(0));
  it.digests(digestOf(0));
  assert.deepEqual(by("digest"), [1, undefined]);
  it.inventory([]);
  assert.deepEqual(by("digest"), [1, 1]);
  it.digests(digestOf(0));
  it.reconciliation.lost(it.led);
  assert.deepEqual(by("digest"), [2, 2]);
  it.digests(digestOf(0));
  it.reconciliation.offer(it.led, SESSION, () => false);
  assert.deepEqual(by("digest"), [3, 3]);
});
