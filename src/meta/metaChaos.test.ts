// Under any events at members, meta nodes and the store, tables are stored one after the other, each by the lease in
// force; and when everything is well again the cluster comes to rest, with the same knowledge everywhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { spread } from "./testing/dataTier.ts";
import { MetaCluster } from "./testing/metaCluster.ts";

type Trouble =
  | {
      readonly kind: "kill" | "restart" | "leave" | "mute" | "unmute" | "cut";
      readonly at: number;
      readonly meta: number;
    }
  | { readonly kind: "killMeta" | "pauseMeta"; readonly meta: number; readonly durationMs: number }
  | { readonly kind: "store"; readonly fault: "none" | "away" | "answer is lost"; readonly storeMs: number };

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("kill" as const, "restart" as const, "leave", "mute", "unmute", "cut"),
    at: fc.nat(7),
    meta: fc.nat(1),
  }),
  fc.record({
    kind: fc.constantFrom("killMeta" as const, "pauseMeta" as const),
    meta: fc.nat(1),
    durationMs: fc.constantFrom(500, 4_000, 12_000),
  }),
  fc.record({
    kind: fc.constant("store" as const),
    fault: fc.constantFrom("none" as const, "none" as const, "away" as const, "answer is lost" as const),
    storeMs: fc.constantFrom(5, 5, 800, 3_000),
  }),
);

const history = fc.array(fc.tuple(trouble, fc.constantFrom(10, 300, 1_100, 3_500, 8_000)), { maxLength: 25 });

const NAMES = ["d0", "d1", "d2", "d3", "d4", "s0", "s1", "s2"];

class Chaos {
  readonly cluster = new MetaCluster();
  #runs = 0;

  constructor() {
    this.cluster.startMeta("m0.0");
    this.cluster.startMeta("m1.0");
    for (const name of NAMES) this.#start(name);
    this.cluster.run(5_000);
  }

  apply(event: Trouble): void {
    switch (event.kind) {
      case "killMeta":
        return this.#killMeta(event.meta, event.durationMs);
      case "pauseMeta": {
        const meta = this.#meta(event.meta);
        if (meta?.isPaused === false) meta.pause(event.durationMs);
        return;
      }
      case "store":
        this.cluster.store.fault = event.fault;
        this.cluster.storeMs = event.storeMs;
        return;
      default:
        return this.#member(event.kind, NAMES[event.at] ?? "d0", event.meta);
    }
  }

  heal(): void {
    this.cluster.store.fault = "none";
    this.cluster.storeMs = 5;
    this.cluster.run(15_000);
    for (const name of NAMES) {
      const member = this.#living(name);
      if (member === undefined || member.refusal !== undefined || member.isLeaving) this.#restart(name);
      else member.isSilent = false;
    }
    for (const at of [0, 1]) if (this.#meta(at) === undefined) this.#startMeta(at);
    for (const meta of this.cluster.metas.values()) {
      for (const member of this.cluster.members) if (!meta.isLinked(member)) member.linkTo(meta);
    }
    this.cluster.run(120_000);
  }

  #member(kind: "kill" | "restart" | "leave" | "mute" | "unmute" | "cut", name: string, at: number): void {
    const member = this.#living(name);
    if (kind === "restart") return this.#restart(name);
    if (member === undefined) return;
    const meta = this.#meta(at);
    if (kind === "kill") member.kill();
    else if (kind === "leave") member.isLeaving = true;
    else if (kind === "cut" && meta !== undefined) {
      member.cutFrom(meta);
      this.cluster.after(1_500, () => {
        if (member.isRunning && meta.isRunning && !meta.isLinked(member)) member.linkTo(meta);
      });
    } else member.isSilent = kind === "mute";
  }

  #killMeta(at: number, durationMs: number): void {
    const meta = this.#meta(at);
    if (meta === undefined) return;
    meta.kill();
    this.cluster.metas.delete(meta.name);
    this.cluster.after(durationMs, () => this.#startMeta(at));
  }

  #startMeta(at: number): void {
    if (this.#meta(at) === undefined) this.cluster.startMeta(`m${at}.${++this.#runs}`);
  }

  #meta(at: number) {
    return [...this.cluster.metas.values()].find(({ name }) => name.startsWith(`m${at}.`));
  }

  #living(name: string) {
    return this.cluster.members.findLast(({ member, isRunning }) => isRunning && member.id.startsWith(`${name}.`));
  }

  #restart(name: string): void {
    for (const { member } of this.cluster.members) {
      if (member.id.startsWith(`${name}.`)) this.cluster.member(member.id).kill();
    }
    this.#start(name);
  }

  #start(name: string): void {
    this.cluster.start(name.startsWith("d") ? "data" : "session", `${name}.${++this.#runs}`);
  }
}

function checkStore({ store }: MetaCluster): void {
  let last = { epoch: 0n, leaseEpoch: 0n };
  for (const { table, leaseEpoch } of store.tables) {
    assert.equal(table.epoch, last.epoch + 1n);
    assert.ok(leaseEpoch >= last.leaseEpoch);
    last = { epoch: table.epoch, leaseEpoch };
  }
}

function checkRest(cluster: MetaCluster): void {
  const { leader } = cluster;
  assert.ok(leader?.meta.isReady, "somebody leads");
  const living = cluster.members.filter(({ isRunning }) => isRunning);
  assert.deepEqual(
    living.filter(({ refusal }) => refusal !== undefined),
    [],
  );
  const ids = living.map(({ member }) => member.id).sort();
  const table = cluster.store.state.slotTable;
  for (const member of living) {
    assert.deepEqual(member.knownIds, ids);
    assert.equal(member.table?.epoch, table?.epoch);
  }
  const data = ids.filter((id) => id.startsWith("d"));
  const slots = table?.slots ?? [];
  assert.equal(slots.length, cluster.options.slotCount);
  assert.ok(spread(data.map((id) => slots.filter((slot) => slot.leader === id).length)) <= 1);
  assert.ok(
    spread(data.map((id) => slots.filter(({ followers }) => followers.some((each) => each === id)).length)) <= 1,
  );
  for (const { leader: node, followers } of slots) {
    assert.equal(followers.length, 1);
    for (const each of [node, ...followers]) assert.ok(data.includes(each));
  }
}

test("a cluster comes to rest after any troubles, and never stores two tables of one epoch", () => {
  fc.assert(
    fc.property(history, (events) => {
      const chaos = new Chaos();
      for (const [event, forMs] of events) {
        chaos.apply(event);
        chaos.cluster.run(forMs);
        void chaos.cluster.leader;
      }
      chaos.heal();
      checkStore(chaos.cluster);
      checkRest(chaos.cluster);
    }),
    { numRuns: Number(process.env["META_CHAOS_RUNS"] ?? 25) },
  );
});
