import assert from "node:assert/strict";
import { test } from "node:test";
import type { PublishItem } from "../messages/sessionData.ts";
import { brandDataInfoId } from "../model/ids.ts";
import { type Batch, Outbox } from "./outbox.ts";

let batches = 0;

const removal = (version: bigint, registId = "r"): PublishItem => ({
  kind: "remove",
  removal: {
    dataInfoId: brandDataInfoId("orders#@#I#@#G"),
    registId,
    cause: "unpublished",
    stamp: { version, registeredMs: 0 },
  },
});

function outboxWith(waiting: number): Outbox {
  const outbox = new Outbox(() => ++batches);
  for (let at = 0; at < waiting; at++) outbox.add(removal(1n, `r${at}`));
  return outbox;
}

test("what waits is displaced by something newer, not by something older that comes later", () => {
  const outbox = new Outbox(() => ++batches);
  outbox.add(removal(7n));
  outbox.add(removal(8n));
  outbox.add(removal(4n));
  assert.deepEqual(outbox.next()?.items, [removal(8n)]);
});

test("a batch that is put back stays behind what is newer", () => {
  const outbox = new Outbox(() => ++batches);
  outbox.add(removal(1n));
  outbox.next();
  outbox.add(removal(2n));
  outbox.putBack();
  assert.deepEqual(outbox.next()?.items, [removal(2n)]);
});

test("a batch takes a hundred, or a quarter of what waits, up to five hundred", () => {
  for (const [waiting, taken] of [
    [10, 10],
    [300, 100],
    [800, 200],
    [20_000, 500],
  ] as const) {
    assert.equal(outboxWith(waiting).next()?.items.length, taken);
  }
});

test("four batches are under way, and each answer makes room for one", () => {
  const outbox = outboxWith(20_000);
  const sent = Array.from({ length: 4 }, () => outbox.next());
  assert.equal(outbox.next(), undefined);
  assert.equal(outbox.taken(sent[1]?.id ?? 0).length, 500);
  assert.equal(outbox.next()?.items.length, 500);
  assert.equal(outbox.next(), undefined);
});

test("of a registration one change is under way, and none overtakes another", () => {
  const outbox = outboxWith(1);
  const first = outbox.next();
  outbox.add(removal(2n, "r0"));
  outbox.add(removal(3n, "r0"));
  assert.equal(outbox.next(), undefined);
  outbox.add(removal(1n, "other"));
  assert.deepEqual(outbox.next()?.items, [removal(1n, "other")]);
  outbox.taken(first?.id ?? 0);
  assert.deepEqual(outbox.next()?.items, [removal(3n, "r0")]);
});

test("registrations of two services with one registId go one after the other, and none is lost", () => {
  const outbox = outboxWith(1);
  const other = brandDataInfoId("other#@#I#@#G");
  const elsewhere = (version: bigint): PublishItem => ({
    kind: "remove",
    removal: { ...at(outboxWith(1).next(), 0).removal, dataInfoId: other, stamp: { version, registeredMs: 0 } },
  });
  outbox.add(elsewhere(1n));
  const first = outbox.next();
  assert.deepEqual(first?.items, [removal(1n, "r0")]);
  outbox.add(removal(2n, "r0"));
  outbox.add(elsewhere(2n));
  assert.equal(outbox.next(), undefined);
  outbox.taken(first?.id ?? 0);
  const second = outbox.next();
  assert.deepEqual(second?.items, [elsewhere(2n)]);
  outbox.taken(second?.id ?? 0);
  assert.deepEqual(outbox.next()?.items, [removal(2n, "r0")]);
});

test("a refused batch waits again behind what is newer or as new, and the others are under way still", () => {
  const outbox = outboxWith(300);
  const [first, second] = [outbox.next(), outbox.next()];
  const left: PublishItem = { kind: "remove", removal: { ...at(first, 0).removal, cause: "left" } };
  outbox.add(left);
  assert.equal(outbox.refused(first?.id ?? 0), true);
  assert.equal(outbox.refused(first?.id ?? 0), false);
  assert.deepEqual(outbox.next()?.items, [left, ...(first?.items.slice(1) ?? [])]);
  assert.equal(outbox.taken(second?.id ?? 0).length, 100);
});

test("all that was under way waits again, in its order", () => {
  const outbox = outboxWith(2_000);
  const sent = Array.from({ length: 4 }, () => outbox.next()?.items ?? []).flat();
  outbox.add(removal(3n, "r1"));
  outbox.putBack();
  const items = outbox.drain();
  assert.equal(items.length, 2_000);
  assert.deepEqual(items.slice(0, 3), [removal(1n, "r0"), removal(3n, "r1"), removal(1n, "r2")]);
  assert.deepEqual(items[sent.length - 1], sent.at(-1));
});

function at(batch: Batch | undefined, index: number): PublishItem & { kind: "remove" } {
  const item = batch?.items[index];
  assert.ok(item?.kind === "remove");
  return item;
}
