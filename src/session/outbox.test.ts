import assert from "node:assert/strict";
import { test } from "node:test";
import type { PublishItem } from "../messages/sessionData.ts";
import { brandDataInfoId } from "../model/ids.ts";
import { Outbox } from "./outbox.ts";

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

test("one batch is under way, and four while more waits than a batch may hold", () => {
  const outbox = outboxWith(700);
  const sizes = [outbox, outbox, outbox].map((each) => each.next()?.items.length);
  assert.deepEqual(sizes, [175, 132, undefined]);

  const stormy = outboxWith(20_000);
  const sent = Array.from({ length: 4 }, () => stormy.next());
  assert.equal(stormy.next(), undefined);
  assert.equal(stormy.taken(sent[1]?.id ?? 0).length, 500);
  assert.equal(stormy.next()?.items.length, 500);
  assert.equal(stormy.next(), undefined);
});

test("a refused batch waits again, before what waited already, and the others are under way still", () => {
  const outbox = outboxWith(700);
  const first = outbox.next();
  const second = outbox.next();
  assert.equal(outbox.refused(first?.id ?? 0), true);
  assert.equal(outbox.refused(first?.id ?? 0), false);
  assert.deepEqual(outbox.next()?.items, first?.items.slice(0, 142));
  assert.equal(outbox.taken(second?.id ?? 0).length, 132);
});

test("of what was under way in several batches the newest waits again", () => {
  const outbox = outboxWith(2_000);
  outbox.next();
  outbox.add(removal(2n, "r0"));
  for (let sent = 1; sent < 4; sent++) outbox.next();
  outbox.add(removal(3n, "r1"));
  outbox.putBack();
  const items = outbox.drain();
  assert.equal(items.length, 2_000);
  assert.deepEqual(items.slice(0, 3), [removal(2n, "r0"), removal(3n, "r1"), removal(1n, "r2")]);
});
