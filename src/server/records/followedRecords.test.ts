import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { keysWith } from "../../records/keys.ts";
import { FollowedRecords } from "./followedRecords.ts";
import type { RecordsSource } from "./recordsSource.ts";

const RANGE = keysWith("gateways/p/");

const unexpected = (error: unknown) => assert.fail(String(error));

/** Records over a source that is away; its questions, and the timers that run. */
function away() {
  const seen = { questions: 0, timers: 0 };
  const absent = async () => {
    seen.questions++;
    throw fail("STORE_UNAVAILABLE", { reason: "the store is closed" });
  };
  const source: RecordsSource = { range: absent, commit: absent, changes: absent, close: () => undefined };
  const after = () => {
    seen.timers++;
    return () => void seen.timers--;
  };
  return { seen, records: new FollowedRecords({ source, timers: { after }, failed: unexpected }) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const watcher = { changed: () => assert.fail("nothing changes"), compacted: () => assert.fail("nothing is compacted") };

test("a watch asks a source that is away again, until the records are closed", async () => {
  const { seen, records } = away();
  records.watch(RANGE, 1n, watcher);
  await settled();
  assert.deepEqual(seen, { questions: 1, timers: 1 });
  records.close();
  await settled();
  assert.deepEqual(seen, { questions: 1, timers: 0 });
});

// A copy whose first read ends after the close began such a watch, which held the process for ever.
test("a watch that begins after the close asks nothing, and leaves no timer", async () => {
  const { seen, records } = away();
  records.close();
  records.watch(RANGE, 1n, watcher)();
  records.watch(RANGE, 1n, watcher);
  await settled();
  assert.deepEqual(seen, { questions: 0, timers: 0 });
});
