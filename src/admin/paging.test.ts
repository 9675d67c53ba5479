import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pageOf } from "./paging.ts";

const keyOf = (key: string) => key;

/** All pages, one after the other. */
function pagesOf(keys: readonly string[], limit: number): string[][] {
  const pages: string[][] = [];
  let after = "";
  for (;;) {
    const { entries, next, total } = pageOf(keys, { limit, after, keyOf });
    assert.equal(total, keys.length);
    pages.push([...entries]);
    if (next === null) return pages;
    after = next;
  }
}

test("the pages together are all entries in order, each once, whatever their order before", () => {
  const keys = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 });
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 12 }), (all, limit) => {
      const pages = pagesOf(all, limit);
      assert.deepEqual(pages.flat(), [...all].sort());
      for (const page of pages.slice(0, -1)) assert.equal(page.length, limit);
    }),
  );
});

test("an entry that goes between two pages neither repeats nor hides others", () => {
  const first = pageOf(["a", "b", "c", "d"], { limit: 2, after: "", keyOf });
  assert.equal(first.next, "b");
  assert.deepEqual(pageOf(["a", "c", "d"], { limit: 2, after: "b", keyOf }).entries, ["c", "d"]);
});

test("no entries are one empty page", () => {
  assert.deepEqual(pageOf([], { limit: 5, after: "", keyOf }), { entries: [], total: 0, next: null });
});
