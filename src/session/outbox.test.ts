import assert from "node:assert/strict";
import { test } from "node:test";
import type { PublishItem } from "../messages/sessionData.ts";
import { brandDataInfoId } from "../model/ids.ts";
import { Outbox } from "./outbox.ts";

let batches = 0;

const removal = (version: bigint): PublishItem => ({
  kind: "remove",
  removal: {
    dataInfoId: brandDataInfoId("orders#@#I#@#G"),
    registId: "r",
    cause: "unpublished",
    stamp: { version, registeredMs: 0 },
  },
});

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
    const outbox = new Outbox(() => ++batches);
    for (let at = 0; at < waiting; at++) {
      const item = removal(1n);
      if (item.kind === "remove") outbox.add({ ...item, removal: { ...item.removal, registId: `r${at}` } });
    }
    assert.equal(outbox.next()?.items.length, taken);
  }
});
