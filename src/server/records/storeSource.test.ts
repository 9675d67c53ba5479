import assert from "node:assert/strict";
import { test } from "node:test";
import type { Timers } from "../../base/ports.ts";
import { keysWith } from "../../records/keys.ts";
import { readAll } from "../../records/readAll.ts";
import { openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { committed, put } from "../../store/testing/testRecords.ts";
import { hostTimers } from "../../transport/clock.ts";
import { StoreSource } from "./storeSource.ts";

test("the node does other things between the pages of a long range", async () => {
  const records = await openMemoryRecords();
  for (let at = 0; at < 25; at++) {
    await committed(records, ...Array.from({ length: 100 }, (_, one) => put(`gateways/p/${at}-${one}`)));
  }
  let pauses = 0;
  const after: Timers["after"] = (delayMs, run) => {
    pauses++;
    return hostTimers.after(delayMs, run);
  };
  const source = new StoreSource({ isOpen: true, opened: async () => records }, { after });
  const whole = await readAll(source, keysWith("gateways/p/"), 10_000);
  assert.equal(whole.records.length, 2_500);
  assert.equal(pauses, 2);
  source.close();
  await records.close();
});
