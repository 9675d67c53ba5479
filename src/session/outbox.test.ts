import assert from "node:assert/strict";
import { test } from "node:test";
import type { PublishItem } from "../cluster/messages/sessionData.ts";
import { Outbox } from "./outbox.ts";
import { NOW_MS, publication, put, removal, STOCK } from "./testing/parts.ts";

const MIB = 1024 * 1024;

function newOutbox(...items: readonly PublishItem[]): Outbox {
  let batches = 0;
  const outbox = new Outbox(
    () => ++batches,
    () => 0,
  );
  for (const item of items) outbox.add(item);
  return outbox;
}

test("what waits is displaced by something newer, not by something older that comes later", () => {
  const outbox = newOutbox(...[7n, 8n, 4n].map((version) => removal({ version })));
  assert.deepEqual(outbox.next()?.items, [removal({ version: 8n })]);
});

test("of one stamp what was said last is sent: a registration and then its end", () => {
  const end = removal();
  assert.deepEqual(newOutbox(put(), end).next()?.items, [end]);
});

test("registrations of two services under one registId both wait, each displaced by its own newer one alone", () => {
  const [first, second] = [put(), put({ serviceKey: STOCK })];
  const outbox = newOutbox(first, second, put({ serviceKey: STOCK, version: 2n }));
  assert.equal(outbox.waiting, 2);
  assert.deepEqual(outbox.next()?.items, [first, put({ serviceKey: STOCK, version: 2n })]);
});

test("while a batch is under way the next ones wait, until that very batch is taken", () => {
  const outbox = newOutbox(put());
  const first = outbox.next();
  outbox.add(put({ registId: "p2" }));
  assert.equal(outbox.next(), undefined);
  assert.deepEqual(outbox.taken(99), [], "an answer to a batch from before a lost connection");
  assert.deepEqual([outbox.isUnderWay(99), outbox.isUnderWay(1)], [false, true]);
  assert.deepEqual(outbox.taken(1), first?.items);
  const { id, items } = outbox.next() ?? {};
  assert.deepEqual([id, items], [2, [put({ registId: "p2" })]]);
});

test("an outbox is empty when nothing waits and nothing is under way", () => {
  const outbox = newOutbox();
  assert.equal(outbox.isEmpty, true);
  outbox.add(put());
  assert.equal(outbox.isEmpty, false);
  outbox.next();
  assert.deepEqual([outbox.isEmpty, outbox.waiting], [false, 0]);
  outbox.taken(1);
  assert.equal(outbox.isEmpty, true);
  assert.equal(outbox.next(), undefined);
});

test("a batch that is put back stays behind what is newer, and before the others", () => {
  const outbox = newOutbox(put(), put({ registId: "p2" }));
  outbox.next();
  for (const item of [put({ registId: "p3" }), put({ version: 2n })]) outbox.add(item);
  outbox.putBack();
  assert.deepEqual(outbox.next()?.items, [put({ version: 2n }), put({ registId: "p2" }), put({ registId: "p3" })]);
});

test("putting back where nothing is under way changes nothing", () => {
  const outbox = newOutbox(put());
  outbox.putBack();
  assert.deepEqual(outbox.next()?.items, [put()]);
});

test("a batch that was refused waits behind all others, and not in place of what was said later", () => {
  const end = removal();
  const outbox = newOutbox(put(), put({ registId: "p2" }));
  outbox.next();
  for (const item of [put({ registId: "p3" }), end]) outbox.add(item);
  assert.deepEqual(outbox.refused(), [put(), put({ registId: "p2" })]);
  assert.deepEqual(outbox.refused(), [], "nothing is under way");
  assert.deepEqual(outbox.next()?.items, [put({ registId: "p3" }), end, put({ registId: "p2" })]);
});

test("a batch takes what may go alone, and there is none where nothing may", () => {
  const outbox = newOutbox(put(), put({ serviceKey: STOCK, registId: "p2" }));
  const isOf = (wanted: string) => (item: PublishItem) => item.kind === "put" && item.publication.serviceKey === wanted;
  assert.equal(outbox.next(isOf("nothing")), undefined);
  assert.equal(outbox.isBusy, false);
  assert.deepEqual(outbox.next(isOf(STOCK))?.items, [put({ serviceKey: STOCK, registId: "p2" })]);
  assert.equal(outbox.waiting, 1);
});

test("everything is drained for another node, what was under way too, once", () => {
  const outbox = newOutbox(put());
  outbox.next();
  outbox.add(put({ registId: "p2" }));
  assert.deepEqual(outbox.drain(), [put(), put({ registId: "p2" })]);
  assert.deepEqual([outbox.drain(), outbox.isEmpty], [[], true]);
});

test("a publication that still waits can be withdrawn, one that has been replaced is left alone", () => {
  const [older, newer] = [publication(), publication({ version: 2n })];
  const outbox = newOutbox({ kind: "put", publication: older }, { kind: "put", publication: newer });
  outbox.withdraw(older);
  assert.equal(outbox.waiting, 1);
  outbox.withdraw(newer);
  assert.equal(outbox.isEmpty, true);
});

test("a withdrawn publication under way does not wait again, when its batch is refused or may be lost", () => {
  for (const end of [(outbox: Outbox) => void outbox.refused(), (outbox: Outbox) => outbox.putBack()]) {
    const claim = publication({ version: 8n });
    const outbox = newOutbox({ kind: "put", publication: claim });
    outbox.next();
    outbox.withdraw(claim);
    const [holding, other] = [put({ version: 1n }), put({ registId: "p2" })];
    outbox.add(holding);
    outbox.add(other);
    end(outbox);
    assert.deepEqual(outbox.next()?.items, [holding, other]);
  }
});

test("a publication whose end waits is not withdrawn, nor one of another service", () => {
  const end = removal();
  const outbox = newOutbox(end);
  outbox.withdraw(publication());
  outbox.withdraw(publication({ serviceKey: STOCK }));
  assert.deepEqual(outbox.next()?.items, [end]);
});

test("a batch takes a hundred, or a quarter of what waits, up to five hundred", () => {
  for (const [waiting, taken] of [
    [10, 10],
    [300, 100],
    [401, 101],
    [800, 200],
    [20_000, 500],
  ] as const) {
    const outbox = newOutbox(...Array.from({ length: waiting }, (_, at) => removal({ registId: `r${at}` })));
    assert.equal(outbox.next()?.items.length, taken);
    assert.equal(outbox.waiting, waiting - taken);
  }
});

test("a batch ends at four MiB, and one publication always goes", () => {
  const large = Array.from({ length: 8 }, (_, at) => put({ registId: `p${at}`, payload: new Uint8Array(MIB) }));
  const outbox = newOutbox(...large);
  assert.equal(outbox.next()?.items.length, 4);
  const huge = put({ payload: new Uint8Array(5 * MIB), registeredMs: NOW_MS });
  assert.equal(newOutbox(huge, put({ registId: "p2" })).next()?.items.length, 1);
});
