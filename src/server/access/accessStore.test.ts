// The identities and policies of the store, at one meta node and at two.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessEdit, EditContext } from "../../access/accessEdit.ts";
import type { IdentityDraft } from "../../access/identity.ts";
import { tokenSecret } from "../../access/secretForm.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { AccessKeeper } from "../../meta/accessKeeper.ts";
import { ACCESS_EPOCH_RECORD } from "../../meta/accessRecords.ts";
import { keyAlone } from "../../records/keys.ts";
import type { Records } from "../../records/records.ts";
import { MemoryDatabase, openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { eventually } from "../testing/eventually.ts";
import { accessStoreOf } from "./accessStore.ts";

const NOW_MS = 1_700_000_000_000;
const CONTEXT = { setBy: "ann", nowMs: NOW_MS };
const nothing = () => undefined;

function put(name: string, changes: Partial<IdentityDraft> = {}): AccessEdit {
  const secret = tokenSecret("t".repeat(43));
  return {
    kind: "putIdentity",
    isNew: false,
    identity: { name, kind: "token", roles: [], secret, about: "", ...changes },
  };
}

/** A keeper whose turns the test makes; `look` is the next one. */
async function keeperOn(store: Pick<Records, "range" | "commit">, known = 0n) {
  let next: () => void = nothing;
  const warnings: string[] = [];
  const keeper = new AccessKeeper(
    {
      store: accessStoreOf(store, (error) => assert.fail(String(error))),
      clock: { nowMs: () => NOW_MS },
      timers: {
        after: (_, run) => {
          next = () => run(NOW_MS);
          return nothing;
        },
      },
      log: { debug: nothing, info: nothing, warn: (event) => void warnings.push(event), error: nothing },
      changed: nothing,
    },
    known,
  );
  await new Promise<void>((resolve) => keeper.begin(resolve));
  const change = (edit: AccessEdit, context: EditContext) =>
    new Promise<void>((resolve, reject) => {
      keeper.change(edit, context, (error) => (error === undefined ? resolve() : reject(error)));
    });
  const names = () => [...(keeper.since(0n)?.change.identities ?? [])].map(({ name }) => name).sort();
  return { keeper, change, names, look: () => next(), warnings };
}

const hasCode = (code: string) => (error: unknown) => error instanceof RegistryError && error.code === code;

test("a change is in the store, and another meta node has it after its next look", async () => {
  const database = new MemoryDatabase();
  const one = await keeperOn(await openMemoryRecords(database));
  const other = await keeperOn(await openMemoryRecords(database));
  await one.change(put("ci"), CONTEXT);
  assert.deepEqual(one.names(), ["ci"]);
  other.look();
  await eventually(other.names, (names) => names.length === 1);
  assert.deepEqual(other.keeper.since(0n), one.keeper.since(0n));
});

test("of two meta nodes that change something at once, neither undoes what the other has done", async () => {
  const database = new MemoryDatabase();
  const one = await keeperOn(await openMemoryRecords(database));
  const other = await keeperOn(await openMemoryRecords(database));
  const changes = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? one : other).change(put(`t${at}`), CONTEXT));
  const outcomes = await Promise.allSettled(changes);
  const made = outcomes.flatMap(({ status }, at) => (status === "fulfilled" ? [`t${at}`] : []));
  const reader = await keeperOn(await openMemoryRecords(database));
  assert.deepEqual(reader.names(), made);
  assert.ok(made.length >= 6, `${made.length} of 10 are made`);
});

test("a new name that both take at once is one node's", async () => {
  const database = new MemoryDatabase();
  const one = await keeperOn(await openMemoryRecords(database));
  const other = await keeperOn(await openMemoryRecords(database));
  const edit = { ...put("ci"), isNew: true } as AccessEdit;
  const outcomes = await Promise.allSettled([one.change(edit, CONTEXT), other.change(edit, CONTEXT)]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

test("a node that lacks a few changes is told these, and one that lacks more everything", async () => {
  const { keeper, change } = await keeperOn(await openMemoryRecords());
  await change(put("first"), CONTEXT);
  const epoch = keeper.since(0n)?.epoch ?? 0n;
  await change(put("second"), CONTEXT);
  await change({ kind: "removeIdentity", name: "first" }, CONTEXT);
  const told = keeper.since(epoch);
  assert.equal(told?.base, epoch);
  assert.deepEqual(
    told?.change.identities.map(({ name }) => name),
    ["second"],
  );
  assert.deepEqual(told?.change.identitiesGone, ["first"]);
  assert.equal(keeper.since(told?.epoch ?? 0n), undefined);
  assert.equal(keeper.since(epoch + 1n)?.base, undefined);
});

/** A store that fails while `isAway`; a commit is made all the same if `makesCommits`. */
async function failingStore(makesCommits = false) {
  const records = await openMemoryRecords();
  const state = { isAway: false };
  const away = () => fail("STORE_UNAVAILABLE", { reason: "it is away" });
  const store: Pick<Records, "range" | "commit"> = {
    async range(query) {
      if (state.isAway) throw away();
      return records.range(query);
    },
    async commit(commit) {
      if (!state.isAway || makesCommits) {
        const outcome = await records.commit(commit);
        if (!state.isAway) return outcome;
      }
      throw away();
    },
  };
  return { store, state };
}

test("while the store is away the node goes on with what it knows, and says so once", async () => {
  const { store, state } = await failingStore();
  const { change, names, look, warnings } = await keeperOn(store);
  await change(put("ci"), CONTEXT);
  state.isAway = true;
  look();
  await eventually(
    () => warnings.length,
    (count) => count === 1,
  );
  look();
  await assert.rejects(change(put("late"), CONTEXT), hasCode("STORE_OUTCOME_UNKNOWN"));
  assert.deepEqual(names(), ["ci"]);
  assert.equal(warnings.length, 1);
  state.isAway = false;
  await change(put("later"), CONTEXT);
  assert.deepEqual(names(), ["ci", "later"]);
});

test("a change of unknown outcome that was made after all is found", async () => {
  const { store, state } = await failingStore(true);
  const { change, names, look } = await keeperOn(store);
  state.isAway = true;
  await assert.rejects(change(put("ci"), CONTEXT), hasCode("STORE_OUTCOME_UNKNOWN"));
  state.isAway = false;
  assert.deepEqual(names(), []);
  look();
  await eventually(names, (found) => found.length === 1);
});

test("what contradicts the present state is refused, and changes nothing", async () => {
  const records = await openMemoryRecords();
  const { change } = await keeperOn(records);
  await assert.rejects(change({ kind: "removeIdentity", name: "x" }, CONTEXT), hasCode("IDENTITY_UNKNOWN"));
  const page = await records.range(keyAlone(ACCESS_EPOCH_RECORD.prefix));
  assert.deepEqual(page.kind === "page" && page.records, []);
});

test("a store that has lost changes which nodes know gets a later epoch, and they take what it has", async () => {
  const database = new MemoryDatabase();
  const { keeper, change, names, look } = await keeperOn(await openMemoryRecords(database));
  await change(put("kept"), CONTEXT);
  const told = keeper.since(0n)?.epoch ?? 0n;
  // Another node has heard of a change under a later epoch, which no store has any more.
  const ahead = told + 5n;
  assert.equal(keeper.since(ahead), undefined);
  look();
  await eventually(
    () => keeper.since(ahead)?.epoch ?? 0n,
    (epoch) => epoch > ahead,
  );
  assert.equal(keeper.since(ahead)?.base, undefined, "it is told everything");
  assert.deepEqual(names(), ["kept"]);
});

test("an epoch that no node can have been given is not believed", async () => {
  const { keeper, change, look } = await keeperOn(await openMemoryRecords());
  await change(put("ci"), CONTEXT);
  const { epoch = 0n } = keeper.since(0n) ?? {};
  keeper.since(1n << 62n);
  look();
  await change(put("next"), CONTEXT);
  assert.ok((keeper.since(0n)?.epoch ?? 0n) < epoch + 1_000n);
});

test("a node that knew a later epoch before it was restarted brings the store to a later one", async () => {
  const known = (BigInt(NOW_MS - 1_546_272_000_000) << 15n) + 100n;
  const { keeper } = await keeperOn(await openMemoryRecords(), known);
  assert.ok((keeper.since(0n)?.epoch ?? 0n) > known);
});
