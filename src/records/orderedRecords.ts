// Records in the order of their keys. The keys stand in runs of some hundred, so that an insertion moves a run at most
// and a range begins with two binary searches.

import { defined } from "../base/assert.ts";
import { compareKeys, isIn } from "./keys.ts";
import type { KeyRange, StoredRecord } from "./records.ts";

const RUN_KEYS_MAX = 512;

export class OrderedRecords {
  readonly #records = new Map<string, StoredRecord>();
  /** None is empty. */
  readonly #runs: string[][] = [];
  #bytes = 0;

  get size(): number {
    return this.#records.size;
  }

  /** The bytes of all values. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): StoredRecord | undefined {
    return this.#records.get(key);
  }

  set(record: StoredRecord): void {
    const { key } = record;
    const known = this.#records.get(key);
    this.#records.set(key, record);
    this.#bytes += record.value.length - (known?.value.length ?? 0);
    if (known === undefined) this.#insert(key);
  }

  /** Returns the record that was there. */
  delete(key: string): StoredRecord | undefined {
    const known = this.#records.get(key);
    if (known === undefined) return undefined;
    this.#records.delete(key);
    this.#bytes -= known.value.length;
    const at = this.#runOf(key);
    const run = defined(this.#runs[at], "a key that is there has a run");
    run.splice(firstFrom(run, key), 1);
    if (run.length === 0) this.#runs.splice(at, 1);
    return known;
  }

  /** The records of a range, in order. They may not be changed meanwhile. */
  *range(range: KeyRange): Generator<StoredRecord, void> {
    let at = this.#runOf(range.from);
    let place = firstFrom(this.#runs[at] ?? [], range.from);
    for (let run = this.#runs[at]; run !== undefined; run = this.#runs[++at], place = 0) {
      for (; place < run.length; place++) {
        const key = defined(run[place], "the place is in the run");
        if (!isIn(range, key)) return;
        yield defined(this.#records.get(key), "each key in a run has a record");
      }
    }
  }

  #insert(key: string): void {
    // A range is read in order: a key after all others is placed without a search.
    const last = this.#runs.length - 1;
    const isLast = compareKeys(this.#runs[last]?.at(-1) ?? "", key) < 0;
    const at = isLast ? Math.max(0, last) : this.#runOf(key);
    const run = this.#runs[at];
    if (run === undefined) return void this.#runs.push([key]);
    run.splice(isLast ? run.length : firstFrom(run, key), 0, key);
    if (run.length > RUN_KEYS_MAX) this.#runs.splice(at + 1, 0, run.splice(RUN_KEYS_MAX / 2));
  }

  /** The last run that does not begin after the key, or the first one. */
  #runOf(key: string): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#runs[middle]?.[0] ?? "", key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** The place of the first key of a run that is not before this one. */
function firstFrom(run: readonly string[], key: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(run[middle] ?? "", key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
