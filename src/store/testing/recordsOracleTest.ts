// Random commits and questions, on a store and on the obvious table at once: both must say the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { keysWith } from "../../records/keys.ts";
import type { Change, ChangesPage, Commit, Compacted, RangePage, StoredRecord } from "../../records/records.ts";
import { RecordTable } from "../../records/recordTable.ts";
import { type NewDatabase, put, remove, textOf } from "./testRecords.ts";

const KEYS = ["a", "a/1", "a/2", "b", "\u00e9", "\uff5e", "\u{1f490}"];

const key = fc.constantFrom(...KEYS);
const range = fc.oneof(
  fc.constantFrom("", "a", "a/", "\u00e9").map(keysWith),
  fc.record({ from: fc.oneof(fc.constant(""), key), to: fc.oneof(fc.constant(""), key) }),
);

/** `back`: how many revisions ago, of those that there were. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      // A condition holds, or is of some other time.
      conditions: fc.array(fc.record({ key, back: fc.constantFrom(0, 0, 0, 1, 3) }), { maxLength: 2 }),
      operations: fc.uniqueArray(fc.record({ key, isPut: fc.boolean(), value: fc.string({ maxLength: 3 }) }), {
        selector: (operation) => operation.key,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("range" as const),
      range,
      back: fc.nat(6),
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("changes" as const), range, back: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("compact" as const), back: fc.nat(6) }) },
);

/** Revisions differ between stores: they are compared by their place in the order. */
class Places {
  readonly #real: bigint[] = [];
  readonly #modelled: bigint[] = [];

  add(real: bigint, modelled: bigint): void {
    if (this.#real.at(-1) === real) return assert.equal(this.#modelled.at(-1), modelled);
    assert.ok(real > (this.#real.at(-1) ?? -1n));
    this.#real.push(real);
    this.#modelled.push(modelled);
  }

  /** The revisions of both, so many commits ago. */
  back(steps: number): readonly [bigint, bigint] {
    const at = Math.max(0, this.#real.length - 1 - steps);
    return [this.#real[at] ?? 0n, this.#modelled[at] ?? 0n];
  }

  /** The place of a real revision, and of a modelled one. */
  readonly ofReal = (revision: bigint): number => this.#real.indexOf(revision);
  readonly ofModelled = (revision: bigint): number => this.#modelled.indexOf(revision);
}

type Placed = (revision: bigint) => number;

function wordsOfRecord({ key: name, value, revision, createdRevision }: StoredRecord, placed: Placed): string {
  return `${name}=${textOf(value)} @${placed(revision)} from ${placed(createdRevision)}`;
}

function wordsOf(answer: RangePage | ChangesPage | Compacted, placed: Placed): unknown {
  if (answer.kind === "compacted") return `compacted @${placed(answer.oldest)}`;
  if (answer.kind === "page") {
    return [placed(answer.revision), answer.isLast, answer.records.map((each) => wordsOfRecord(each, placed))];
  }
  const wordsOfChange = (change: Change) =>
    change.kind === "put" ? wordsOfRecord(change.record, placed) : `${change.key} deleted @${placed(change.revision)}`;
  return [placed(answer.revision), answer.isLast, answer.changes.map(wordsOfChange)];
}

export function recordsOracleTest(name: string, newDatabase: NewDatabase): void {
  test(`${name}: whatever is written and asked, the answer is that of the obvious table`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const records = await newDatabase().open();
        const table = new RecordTable();
        const places = new Places();
        const first = await records.commit({ conditions: [], operations: [put("a", "0")] });
        const modelled = table.commit({ conditions: [], operations: [put("a", "0")] }, () => false);
        assert.ok(first.kind === "committed" && modelled.kind === "committed");
        places.add(first.revision, modelled.revision);
        const current = (of: string) => {
          const page = table.range({ ...keysWith(""), limit: 1000 });
          return page.kind === "page" ? (page.records.find((each) => each.key === of)?.revision ?? 0n) : 0n;
        };
        for (const each of steps) {
          switch (each.kind) {
            case "commit": {
              const operations = each.operations.map((one) => (one.isPut ? put(one.key, one.value) : remove(one.key)));
              const bothOf = (of: { key: string; back: number }): readonly [bigint, bigint] => {
                const revision = of.back === 0 ? current(of.key) : places.back(of.back)[1];
                if (revision === 0n) return [0n, 0n];
                return pairOf(places, revision);
              };
              const commits = [0, 1].map(
                (side): Commit => ({
                  conditions: each.conditions.map((one) => ({
                    kind: "revision",
                    key: one.key,
                    revision: bothOf(one)[side] ?? 0n,
                  })),
                  operations,
                }),
              );
              const outcome = await records.commit(commits[0] as Commit);
              const expected = table.commit(commits[1] as Commit, () => false);
              assert.equal(outcome.kind, expected.kind);
              if (outcome.kind === "committed" && expected.kind === "committed") {
                places.add(outcome.revision, expected.revision);
              } else if (outcome.kind === "refused" && expected.kind === "refused") {
                const keyOf = (condition: typeof outcome.condition) =>
                  condition.kind === "revision" ? condition.key : "";
                assert.equal(keyOf(outcome.condition), keyOf(expected.condition));
              }
              break;
            }
            case "range": {
              const [real, model] = places.back(each.back);
              const answer = await records.range({ ...each.range, at: real, limit: each.limit });
              const expected = table.range({ ...each.range, at: model, limit: each.limit });
              assert.deepEqual(wordsOf(answer, places.ofReal), wordsOf(expected, places.ofModelled));
              break;
            }
            case "changes": {
              const [real, model] = places.back(each.back);
              const answer = await records.changes(each.range, real);
              const expected = table.changes(each.range, model);
              assert.deepEqual(wordsOf(answer, places.ofReal), wordsOf(expected, places.ofModelled));
              break;
            }
            default: {
              const [real, model] = places.back(each.back);
              await records.compact(real);
              table.compact(model);
            }
          }
        }
        await records.close();
      }),
      { numRuns: 30 },
    );
  });
}

function pairOf(places: Places, modelled: bigint): readonly [bigint, bigint] {
  for (let back = 0; ; back++) {
    const pair = places.back(back);
    if (pair[1] === modelled) return pair;
    assert.ok(back < 1_000);
  }
}
