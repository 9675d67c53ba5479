import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { Meta } from "./meta.ts";

const LEASE_MS = 20_000;

/** A leader that starts with a stored table in which each of two nodes leads a slot. */
function started(): { meta: Meta; saved: SlotTable[]; heartbeat: (name: string, atMs: number) => void } {
  const saved: SlotTable[] = [];
  const owner = (name: string) => ({ leader: nodeId(name), leaderEpoch: 1n, followers: [] });
  const table: SlotTable = { epoch: 1n, slots: [owner("data-1"), owner("data-2")] };
  const meta = new Meta(
    { slotCount: 2, memberLeaseMs: LEASE_MS },
    { table, configs: new Map() },
    {
      send: () => undefined,
      saveSlotTable: (next) => saved.push(next),
      saveConfig: () => undefined,
      answer: () => undefined,
    },
  );
  const heartbeat = (name: string, atMs: number) =>
    meta.step(
      {
        kind: "received",
        from: { id: nodeId(name), role: "data" },
        message: { kind: "heartbeat", role: "data", tableEpoch: 1n },
      },
      atMs,
    );
  return { meta, saved, heartbeat };
}

test("whoever is heard first after a start of meta does not get the slots of the others", () => {
  const { meta, saved, heartbeat } = started();
  heartbeat("data-2", 0);
  heartbeat("data-1", 1_000);
  heartbeat("data-2", 1_000);
  meta.step({ kind: "woken" }, 1_000 + LEASE_MS - 1);
  assert.deepEqual(saved, []);
});

test("a stored leader that is not heard within its lease loses its slots", () => {
  const { meta, saved, heartbeat } = started();
  for (let atMs = 0; atMs < LEASE_MS; atMs += 1_000) heartbeat("data-2", atMs);
  meta.step({ kind: "woken" }, LEASE_MS);
  assert.deepEqual(
    saved.at(-1)?.slots.map(({ leader }) => leader),
    ["data-2", "data-2"],
  );
});
