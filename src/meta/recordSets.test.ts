import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, type RegistryError } from "../base/errors.ts";
import { keyAlone } from "../records/keys.ts";
import type { Commit } from "../records/records.ts";
import { RecordTable } from "../records/recordTable.ts";
import { encodeRecord, type RecordCodec } from "./metaRecords.ts";
import { RecordSet } from "./recordSet.ts";
import { RecordSets } from "./recordSets.ts";
import type { CommitResult } from "./saveOutcome.ts";
import { readWhole } from "./testing/storedState.ts";

interface Light {
  readonly street: string;
  readonly color: string;
}

/** A set of records such as others add. */
function codecOf(prefix: string): RecordCodec<Light> {
  return {
    prefix,
    nameOf: ({ street }) => street,
    toJson: (light) => light,
    fromJson: (json) => json as Light,
    advice: "restore a backup",
  };
}

const LEAD = { term: 7, leaseEpoch: 3n };

/** Two sets on one store, which answers when the test says so. */
function scene() {
  const table = new RecordTable();
  const commits: Commit[] = [];
  const told: string[] = [];
  const answers: string[] = [];
  const setOf = (prefix: string) =>
    new RecordSet<Light, Light | string>({
      codec: codecOf(prefix),
      conflict: (change) => {
        if (typeof change === "string" || change.color !== "blue") return undefined;
        return fail("FIELD_INVALID", { field: "color", value: "blue" });
      },
      save: (change) =>
        typeof change === "string"
          ? { kind: "remove", value: { street: change, color: "" } }
          : { kind: "put", value: change },
      loaded: (values) => told.push(`loaded ${values.map(({ color }) => color).join(" ")}`),
      saved: ({ kind, value }) => told.push(`${kind} ${value.street} ${value.color}`.trim()),
    });
  const [lights, signs] = [setOf("meta/light/"), setOf("meta/sign/")];
  const sets = new RecordSets(
    {
      commit: (commit) => commits.push(commit),
      answer: (request, error: RegistryError | undefined) => answers.push(`${request} ${error?.code ?? "done"}`),
      refusal: () => fail("NOT_META_LEADER", { leader: "m2" }),
    },
    [lights, signs],
  );
  const make = (number: number): CommitResult => table.commit(commits[number - 1] as Commit, (epoch) => epoch === 3n);
  return { table, commits, told, answers, lights, signs, sets, make };
}

const red = { street: "main", color: "red" };
const green = { street: "main", color: "green" };

test("a change is saved over the record as it was read, published and answered", () => {
  const { table, commits, told, answers, lights, sets, make } = scene();
  sets.load(readWhole(table), 0);
  sets.change(lights, 1, red);
  sets.change(lights, 2, green);
  sets.begin(LEAD, 0);
  sets.begin(LEAD, 0);
  assert.equal(commits.length, 1, "one at a time");
  assert.deepEqual(commits[0]?.conditions, [
    { kind: "leads", epoch: 3n },
    { kind: "revision", key: "meta/light/main", revision: 0n },
  ]);
  assert.deepEqual([told, answers], [["loaded ", "loaded "], []], "nothing is said before it is stored");
  assert.deepEqual(sets.committed(1, make(1), 0), { outcome: "saved", term: 7 });
  assert.deepEqual([told.at(-1), answers, lights.revisionOf(red)], ["put main red", ["1 done"], 1n]);
  sets.begin(LEAD, 0);
  sets.committed(2, make(2), 0);
  assert.deepEqual([told.at(-1), answers], ["put main green", ["1 done", "2 done"]]);
  sets.change(lights, 3, "main");
  sets.begin(LEAD, 0);
  sets.committed(3, make(3), 0);
  assert.deepEqual([told.at(-1), lights.revisionOf(red)], ["remove main", 0n]);
  const page = table.range(keyAlone("meta/light/main"));
  assert.deepEqual(page.kind === "page" && page.records, []);
});

test("a change that contradicts what is stored is refused when its turn comes, after the changes before it", () => {
  const { table, commits, answers, lights, sets, make } = scene();
  sets.load(readWhole(table), 0);
  const blue = { street: "main", color: "blue" };
  for (const [at, light] of [red, blue, blue, green].entries()) sets.change(lights, at, light);
  sets.begin(LEAD, 0);
  sets.begin(LEAD, 0);
  assert.deepEqual([commits.length, answers], [1, []], "nothing is refused while a save is under way");
  sets.committed(1, make(1), 0);
  sets.begin(LEAD, 0);
  assert.deepEqual([commits.length, answers], [2, ["0 done", "1 FIELD_INVALID", "2 FIELD_INVALID"]]);
});

test("a record that another has changed since is not overwritten", () => {
  const { table, commits, told, answers, lights, sets, make } = scene();
  sets.load(readWhole(table), 0);
  const value = encodeRecord(codecOf("meta/light/"), green);
  table.commit({ conditions: [], operations: [{ kind: "put", key: "meta/light/main", value }] }, () => false);
  sets.change(lights, 1, red);
  sets.begin(LEAD, 0);
  assert.deepEqual(sets.committed(1, make(1), 0), { outcome: "refused", term: 7 });
  assert.deepEqual([answers, told.length], [["1 NOT_META_LEADER"], 2]);
  sets.load(readWhole(table), 0);
  assert.ok(told.includes("loaded green"));
  sets.change(lights, 2, red);
  sets.begin(LEAD, 0);
  assert.equal(sets.committed(2, make(2), 0)?.outcome, "saved");
  assert.equal(commits.length, 2);
});

test("a read from before a save does not take its revision away", () => {
  const { table, lights, sets, make } = scene();
  const old = readWhole(table);
  sets.load(old, 0);
  sets.change(lights, 1, red);
  sets.begin(LEAD, 0);
  sets.committed(1, make(1), 0);
  sets.load(old, 0);
  sets.change(lights, 2, green);
  sets.begin(LEAD, 0);
  assert.equal(sets.committed(2, make(2), 0)?.outcome, "saved");
});

test("a request is answered with the end of its commit", () => {
  const ends: [CommitResult, string, string][] = [
    [{ kind: "committed", revision: 5n }, "1 done", "saved"],
    [{ kind: "refused", condition: { kind: "leads", epoch: 3n } }, "1 NOT_META_LEADER", "refused"],
    [{ kind: "unknown" }, "1 STORE_OUTCOME_UNKNOWN", "unknown"],
    [{ kind: "failed", error: fail("RECORD_TOO_LARGE", {}) }, "1 RECORD_TOO_LARGE", "failed"],
  ];
  for (const [result, answer, outcome] of ends) {
    const { table, answers, lights, sets } = scene();
    sets.load(readWhole(table), 0);
    sets.change(lights, 1, red);
    sets.begin(LEAD, 0);
    assert.deepEqual([sets.committed(1, result, 0)?.outcome, answers], [outcome, [answer]]);
    assert.equal(sets.committed(1, result, 0), undefined, "once");
  }
});

test("sets wait for the store beside each other, and an unknown number is not theirs", () => {
  const { table, commits, lights, signs, sets, make } = scene();
  sets.load(readWhole(table), 0);
  sets.change(lights, 1, red);
  sets.change(signs, 2, red);
  sets.change(signs, 3, green);
  sets.begin(LEAD, 0);
  assert.equal(commits.length, 2);
  assert.deepEqual([lights.underWay?.value, signs.underWay?.value, signs.waiting], [red, red, [green]]);
  assert.equal(sets.committed(9, { kind: "unknown" }, 0), undefined);
  sets.committed(2, make(2), 0);
  sets.begin(LEAD, 0);
  assert.equal(commits.length, 3);
});

test("a node that leads no more refuses what waits, and answers what is under way when the store has", () => {
  const { table, answers, lights, signs, sets, make } = scene();
  sets.load(readWhole(table), 0);
  for (const request of [1, 2]) sets.change(lights, request, red);
  for (const request of [3, 4]) sets.change(signs, request, red);
  sets.begin(LEAD, 0);
  sets.refuseWaiting();
  assert.deepEqual(answers, ["2 NOT_META_LEADER", "4 NOT_META_LEADER"]);
  sets.committed(1, make(1), 0);
  assert.equal(answers.at(-1), "1 done");
});

test("a change for which there is no room among those that wait is refused in words", () => {
  const { answers, lights, sets } = scene();
  for (let request = 0; request <= 1_000; request++) sets.change(lights, request, red);
  assert.deepEqual(answers, ["1000 STORE_UNAVAILABLE"]);
});
