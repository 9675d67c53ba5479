// Reads a whole range, page by page, as of one revision.

import { fail } from "../base/errors.ts";
import { keyAfter } from "./keys.ts";
import type { KeyRange, Records, StoredRecord } from "./records.ts";

/** A whole range, as of one revision. */
export interface WholeRange {
  readonly revision: bigint;
  readonly records: readonly StoredRecord[];
}

// History lasts for minutes, and reading a range takes seconds: even a second try is rare.
const TRIES_MAX = 3;

/**
 * Reads all records of a range, `recordsMax` at most. Throws STORE_UNAVAILABLE if the store fails, and if there are
 * more: a role that keeps a set of records bounds it when it writes.
 */
export async function readAll(
  records: Pick<Records, "range">,
  range: KeyRange,
  recordsMax: number,
): Promise<WholeRange> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const whole = await readPages(records, range, recordsMax);
    if (whole !== undefined) return whole;
  }
  throw fail("STORE_UNAVAILABLE", { reason: "the history is compacted faster than a range is read", ...range });
}

/** Undefined if the history was compacted meanwhile. */
async function readPages(
  records: Pick<Records, "range">,
  { from, to }: KeyRange,
  recordsMax: number,
): Promise<WholeRange | undefined> {
  const found: StoredRecord[] = [];
  let page = await records.range({ from, to });
  for (;;) {
    if (page.kind === "compacted") return undefined;
    for (const record of page.records) found.push(record);
    if (found.length > recordsMax) {
      throw fail("STORE_UNAVAILABLE", { reason: "the range has more records than can be read", from, recordsMax });
    }
    const last = found.at(-1);
    if (page.isLast || last === undefined) return { revision: page.revision, records: found };
    page = await records.range({ from: keyAfter(last.key), to, at: page.revision });
  }
}
