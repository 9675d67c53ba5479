// Copies of records at several nodes, under a store that fails in every way it can, by seeds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { nodeId } from "../../model/ids.ts";
import { keysWith } from "../../records/keys.ts";
import { RecordCopy } from "../../records/recordCopy.ts";
import { RecordTable } from "../../records/recordTable.ts";
import { Gate } from "../network/gate.ts";
import { MachineNetwork } from "../network/machineNetwork.ts";
import type { NetworkProcess } from "../network/nodeWire.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { nodeTime } from "./nodeTime.ts";
import { acquireLease, Store } from "./store.ts";
import { StoreRecords } from "./storeRecords.ts";

const SEEDS = 25;
const STEPS = 400;
const STEP_MS = 25;
const PREFIX = "gateways/p/";
const RANGE = keysWith(PREFIX);
const WEATHER = { delayMs: 1, spikeMs: 0, spikeChance: 0, splitChance: 0, noticeMs: 10 };

/** A node with a copy, and the content that listeners have put together from the changes. */
interface Node {
  readonly machine: string;
  readonly records: StoreRecords;
  readonly copy: RecordCopy;
  readonly heard: Map<string, bigint>;
}

class World {
  readonly dice: Dice;
  readonly scheduler = new Scheduler(0);
  readonly network: MachineNetwork;
  readonly store: Store;
  readonly nodes: readonly Node[];
  readonly trouble: (() => void)[] = [];
  hasLost = false;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    const { scheduler } = this;
    this.network = new MachineNetwork({ scheduler, dice: this.dice.fork(), weather: WEATHER });
    this.store = new Store(this.network, new RecordTable());
    this.nodes = ["a", "b", "c"].map((machine) => this.#node(machine));
  }

  #node(machine: string): Node {
    const gate = new Gate();
    const time = nodeTime(this.scheduler, gate, { offsetMs: 0, drift: 0 });
    const process = { machine, gate, time, isRunning: true };
    const records = new StoreRecords(this.store, process);
    const failed = (error: unknown) => assert.fail(String(error));
    const copy = new RecordCopy({ records, prefix: PREFIX, recordsMax: 1_000, failed });
    const heard = new Map<string, bigint>();
    let told = 0n;
    copy.listen((changes) => {
      for (const { key, revision, before, after } of changes) {
        assert.ok(revision >= told || this.hasLost, "changes come in the order of revisions");
        told = revision;
        assert.equal(before?.revision, heard.get(key), "what was before is what was told last");
        if (after === undefined) heard.delete(key);
        else heard.set(key, after.revision);
      }
    });
    void copy.begin();
    return { machine, records, copy, heard };
  }

  /** The store acts up, or recovers. */
  turnOfFate(): void {
    const { dice, store } = this;
    const kind = dice.below(12);
    if (kind === 0) store.setDown(true);
    if (kind === 1) store.setSlow(dice.below(6_000));
    if (kind === 2) store.setUnknown(0.3);
    if (kind === 3) this.#cut(dice.pick(this.nodes).machine);
    if (kind === 4) this.#failOver();
    if (kind === 5) this.#compact();
    if (kind > 6) this.heal();
  }

  heal(): void {
    this.store.setDown(false);
    this.store.setSlow(0);
    this.store.setUnknown(0);
    for (const open of this.trouble.splice(0)) open();
  }

  /** A client writes at some node. Whatever the node has been told to be committed is in its copy. */
  async write(): Promise<void> {
    const { copy } = this.dice.pick(this.nodes);
    const key = `${PREFIX}${this.dice.below(20)}`;
    const known = copy.get(key)?.revision ?? 0n;
    const isDelete = this.dice.chance(0.2);
    const operation = isDelete
      ? ({ kind: "delete", key } as const)
      : ({ kind: "put", key, value: new Uint8Array(3) } as const);
    const conditions = this.dice.chance(0.5) ? [{ kind: "revision", key, revision: known } as const] : [];
    try {
      const outcome = await copy.commit({ conditions, operations: [operation] });
      if (outcome.kind === "refused" || this.hasLost) return;
      assert.ok(copy.revision >= outcome.revision, `the copy is at ${copy.revision} after ${outcome.revision}`);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
    }
  }

  /** Another client of the database writes what is none of the copies' business. */
  writeElsewhere(): void {
    const { records } = this.dice.pick(this.nodes);
    const operations = [{ kind: "put", key: "gateways/q", value: new Uint8Array(1) } as const];
    records.commit({ conditions: [], operations }).catch(() => undefined);
  }

  async pass(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      this.scheduler.run(this.scheduler.nowMs + STEP_MS, () => false);
      // Promises are settled between two turns.
      await new Promise((resolve) => setImmediate(resolve));
      if (step % 20 === 0) for (const { copy } of this.nodes) copy.check(this.scheduler.nowMs);
    }
  }

  content(): ReadonlyMap<string, bigint> {
    let content: ReadonlyMap<string, bigint> = new Map();
    this.store.ask(
      this.#checker(),
      ({ table }) => ({ answer: table.range(RANGE) }),
      (page) => {
        if (page?.kind === "page") content = new Map(page.records.map(({ key, revision }) => [key, revision]));
      },
    );
    this.scheduler.run(this.scheduler.nowMs + 100, () => false);
    return content;
  }

  /** A program that no fault comes to. */
  #checker(): NetworkProcess {
    const gate = new Gate();
    const time = nodeTime(this.scheduler, gate, { offsetMs: 0, drift: 0 });
    return { machine: "checker", gate, time, isRunning: true };
  }

  #cut(machine: string): void {
    this.trouble.push(
      this.network.block([
        { from: machine, to: "store" },
        { from: "store", to: machine },
      ]),
    );
  }

  // As the meta node at each of these processes does, which takes the lead and raises the revision.
  #failOver(): void {
    this.hasLost = true;
    this.store.failOver(this.dice.below(300));
    let revision = 0n;
    for (const { records } of this.nodes) if (records.seen > revision) revision = records.seen;
    const candidate = { holder: nodeId("m.a"), address: "m:1" };
    this.store.ask(this.#checker(), acquireLease(candidate, 1, { revision, leaseEpoch: 0n }), () => undefined);
  }

  #compact(): void {
    this.store.ask(
      this.#checker(),
      (state) => {
        const table = state.table.copy();
        table.compact(table.revision);
        return { answer: true, state: { ...state, table } };
      },
      () => undefined,
    );
  }
}

test("copies follow the store through outages, compaction, lost changes and unknown outcomes", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new World(seed);
    for (let step = 0; step < STEPS; step++) {
      if (world.dice.chance(0.05)) world.turnOfFate();
      if (world.dice.chance(0.5)) void world.write();
      if (world.dice.chance(0.2)) world.writeElsewhere();
      if (world.dice.chance(0.3)) for (const { records } of world.nodes) if (world.dice.chance(0.5)) records.wake();
      await world.pass(1);
    }
    world.heal();
    // A statement that was slow, a watch that looks rarely, and a copy that is read again.
    await world.pass(600);
    const expected = world.content();
    for (const { machine, copy, heard, records } of world.nodes) {
      const found = new Map([...copy.range(RANGE)].map(({ key, revision }) => [key, revision]));
      assert.deepEqual(found, expected, `seed ${seed}: the copy of ${machine}`);
      assert.deepEqual(
        new Map([...heard].sort()),
        new Map([...found].sort()),
        `seed ${seed}: what ${machine} has told`,
      );
      copy.close();
      records.close();
    }
  }
});
