// Under any events at the data nodes, the table keeps its promises at every step, and comes to rest balanced.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NodeId } from "../model/ids.ts";
import { type SlotTable, slotOwner } from "../model/slot.ts";
import { DataTier, type DataTierOptions, spread } from "./testing/dataTier.ts";

type Happening =
  | { readonly kind: "join" | "die" | "leave" | "stay"; readonly node: number }
  | { readonly kind: "report"; readonly seed: number }
  | { readonly kind: "settle"; readonly rounds: number };

const NODES = 12;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant("join" as const), node: fc.nat(NODES - 1) }), weight: 4 },
  {
    arbitrary: fc.record({ kind: fc.constantFrom("die" as const, "leave", "stay"), node: fc.nat(NODES - 1) }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constant("report" as const), seed: fc.nat(999) }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant("settle" as const), rounds: fc.nat(20) }), weight: 3 },
);

const options: fc.Arbitrary<DataTierOptions> = fc.record({
  slotCount: fc.integer({ min: 1, max: 48 }),
  slotReplicas: fc.integer({ min: 1, max: 4 }),
  slotMovesMax: fc.integer({ min: 1, max: 10 }),
});

function happen(tier: DataTier, event: Happening): void {
  switch (event.kind) {
    case "join":
      // A name that dies and joins again would be another run.
      return tier.join(`d${event.node}.${tier.table?.epoch ?? 0n}`);
    case "report":
      return tier.report((slot, node) => (slot * 31 + node.length * 7 + event.seed * 13 + node.charCodeAt(1)) % 3 > 0);
    case "settle":
      tier.settle(event.rounds);
      return;
    default: {
      const name = tier.names[event.node % Math.max(1, tier.names.length)];
      if (name === undefined) return;
      if (event.kind === "die") tier.die(name);
      else tier.setLeaving(name, event.kind === "leave");
    }
  }
}

function checkShape(tier: DataTier): void {
  for (const { leader, followers } of tier.table?.slots ?? []) {
    assert.ok(!followers.includes(leader), "a leader does not follow itself");
    assert.equal(new Set(followers).size, followers.length, "a node follows a slot once");
    if (tier.names.length === 0) continue;
    for (const node of [leader, ...followers]) assert.ok(tier.nodes.has(node), "nobody in the table is dead");
  }
}

function checkStep(tier: DataTier, before: SlotTable, wasInSync: (slot: number, node: NodeId) => boolean): void {
  const { table } = tier;
  assert.ok(table !== undefined);
  if (table === before) return;
  assert.equal(table.epoch, before.epoch + 1n);
  for (const [slot, { leader, leaderEpoch }] of table.slots.entries()) {
    const old = slotOwner(before, slot);
    assert.equal(leaderEpoch, leader === old.leader ? old.leaderEpoch : table.epoch);
    if (leader === old.leader) continue;
    const couldLead = old.followers.some((node) => tier.nodes.has(node) && wasInSync(slot, node));
    const mustBeInSync = tier.nodes.has(old.leader) || couldLead;
    if (mustBeInSync) assert.ok(wasInSync(slot, leader), "only who holds the slot whole takes the lead");
  }
}

function arrangeChecked(tier: DataTier): void {
  const before = tier.table;
  const movesBefore = tier.movesUnderWay();
  const inSync = new Set<string>();
  for (const [slot, { followers }] of (before?.slots ?? []).entries()) {
    for (const node of followers) if (tier.isInSync(slot, node)) inSync.add(`${slot} ${node}`);
  }
  tier.arrange();
  checkShape(tier);
  if (before !== undefined) checkStep(tier, before, (slot, node) => inSync.has(`${slot} ${node}`));
  assert.ok(tier.movesUnderWay() <= Math.max(movesBefore, tier.options.slotMovesMax), "moves are limited");
}

function checkRest(tier: DataTier): void {
  const rounds = tier.settle(2_000);
  assert.ok(rounds < 30 + 8 * tier.options.slotCount, `${rounds} tables`);
  checkShape(tier);
  if (tier.usable.length === 0 || tier.table === undefined) return;
  const { leads, follows } = tier.loads();
  assert.ok(spread(leads) <= 1, `leads ${leads}`);
  assert.ok(spread(follows) <= 1, `follows ${follows}`);
  const copies = Math.min(tier.options.slotReplicas, tier.usable.length) - 1;
  for (const { leader, followers } of tier.table.slots) {
    assert.ok(tier.usable.includes(leader), "who leaves leads nothing");
    assert.equal(followers.length, copies, "as many copies as there can be");
    assert.ok(
      followers.every((node) => tier.usable.includes(node)),
      "who leaves follows nothing",
    );
  }
  assert.equal(tier.arrange(), undefined);
}

test("a table keeps its promises whatever happens, and comes to rest balanced", () => {
  const runs = Number(process.env["ARRANGE_RUNS"] ?? 300);
  fc.assert(
    fc.property(options, fc.array(happening, { maxLength: 40 }), (given, happenings) => {
      const tier = new DataTier(given);
      tier.join("d0.0");
      arrangeChecked(tier);
      for (const event of happenings) {
        happen(tier, event);
        arrangeChecked(tier);
      }
      checkRest(tier);
    }),
    { numRuns: runs },
  );
});
