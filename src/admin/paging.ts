// Pages of a long list, in the order of a key: a page begins behind the last key of the page before, so entries that
// come and go between two pages neither repeat others nor hide them.

import type { IntegerParameter, TextParameter } from "./parameter.ts";
import { integer, maybeText, type Schema } from "./schema.ts";

/** The parameters of a list in pages. */
export const PAGE_PARAMETERS = {
  limit: {
    type: "integer",
    min: 1,
    max: 1_000,
    default: 100,
    about: "The most entries in the answer.",
  },
  after: {
    type: "text",
    charsMax: 8_000,
    default: "",
    about: "The `next` of the page before; empty for the first page.",
  },
} as const satisfies Record<string, IntegerParameter | TextParameter>;

/** The fields of a page beside its entries. */
export const PAGE_FIELDS: Readonly<Record<string, Schema>> = {
  total: integer("The number of entries on all pages."),
  next: maybeText("To be given as `after` for the next page; null on the last one."),
};

export interface Page<Entry> {
  readonly entries: readonly Entry[];
  readonly total: number;
  readonly next: string | null;
}

/**
 * One page of the entries, in the order of their keys. It goes over all entries once and keeps only those of the page,
 * so a page of a hundred among 100,000 takes some ten milliseconds.
 */
export function pageOf<Entry>(
  entries: Iterable<Entry>,
  { limit, after, keyOf }: { limit: number; after: string; keyOf: (entry: Entry) => string },
): Page<Entry> {
  const page: { readonly key: string; readonly entry: Entry }[] = [];
  let total = 0;
  let isMore = false;
  for (const entry of entries) {
    total++;
    const key = keyOf(entry);
    if (after !== "" && key <= after) continue;
    const last = page[page.length - 1];
    if (page.length === limit) {
      isMore = true;
      if (last !== undefined && key >= last.key) continue;
      page.pop();
    }
    page.splice(placeOf(page, key), 0, { key, entry });
  }
  return {
    entries: page.map(({ entry }) => entry),
    total,
    next: isMore ? (page[page.length - 1]?.key ?? null) : null,
  };
}

/** The number of entries with a lower key. */
function placeOf(page: readonly { readonly key: string }[], key: string): number {
  let [from, to] = [0, page.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((page[middle]?.key ?? "") < key) from = middle + 1;
    else to = middle;
  }
  return from;
}
