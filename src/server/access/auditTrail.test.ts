// The audit trail of several nodes, on a store that comes and goes.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEntry, AuditQuery } from "../../admin/auditEntry.ts";
import { fail } from "../../base/errors.ts";
import { nodeId } from "../../model/ids.ts";
import type { Records } from "../../records/records.ts";
import { openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { hostTimers } from "../../transport/clock.ts";
import { listEntries, pruneEntries } from "./auditStore.ts";
import { AuditTrail, type TrailEnvironment } from "./auditTrail.ts";

const START_MS = 1_700_000_000_000;
const QUERY: AuditQuery = {
  outcome: "made",
  by: undefined,
  operation: undefined,
  sinceMs: undefined,
  untilMs: undefined,
  limit: 100,
  after: "",
};
const nothing = () => undefined;

function entry(changes: Partial<AuditEntry> = {}): Omit<AuditEntry, "atMs" | "node"> {
  const texts = { operation: "x.get", by: "ann", kind: "user", from: "10.0.0.7", code: "", parameters: "{}" };
  return { outcome: "made", ...texts, status: 200, before: "", after: "", ...changes };
}

/** A store that fails while `isAway`. */
async function storeOf() {
  const records = await openMemoryRecords();
  const state = { isAway: false };
  const answered = <Answer>(answer: () => Promise<Answer>): Promise<Answer> =>
    state.isAway ? Promise.reject(fail("STORE_UNAVAILABLE", { reason: "it is away" })) : answer();
  const store: Pick<Records, "range" | "commit"> = {
    range: (query) => answered(() => records.range(query)),
    commit: (commit) => answered(() => records.commit(commit)),
  };
  return { store, state };
}

/** A node's trail, with its clock and its log. */
function trailOf(changes: Partial<TrailEnvironment>) {
  const clock = { nowMs: START_MS };
  const lines: string[] = [];
  const write = (event: string) => void lines.push(event);
  const trail = new AuditTrail({
    id: nodeId("n1.a"),
    store: undefined,
    operations: { ask: nothing },
    isLeading: () => true,
    limits: { entriesMax: 100, ageMsMax: 1_000_000 },
    clock: { nowMs: () => clock.nowMs },
    timers: hostTimers,
    log: { debug: write, info: write, warn: write, error: write },
    failed: (error) => assert.fail(String(error)),
    ...changes,
  });
  return { trail, clock, lines };
}

const namesOf = (entries: readonly AuditEntry[]) => entries.map(({ operation }) => operation);

test("each entry is a line of the log at once and a record a moment later, the newest first", async () => {
  const { store } = await storeOf();
  const { trail, clock, lines } = trailOf({ store });
  trail.record(entry({ operation: "first" }));
  clock.nowMs++;
  trail.record(entry({ operation: "second" }));
  assert.deepEqual(lines, ["an operator has made a change", "an operator has made a change"]);
  const { entries } = await trail.list(QUERY);
  assert.deepEqual(namesOf(entries), ["second", "first"]);
  assert.deepEqual(entries[1], { ...entry({ operation: "first" }), atMs: START_MS, node: "n1.a" });
  await trail.close();
});

test("a node without the store hands its entries to the leader", async () => {
  const { store } = await storeOf();
  const meta = trailOf({ store, id: nodeId("m1.a") });
  const ask: TrailEnvironment["operations"]["ask"] = (to, { asked }, outcome) => {
    assert.equal(to, "leader");
    void meta.trail.keep(asked.parameters).then(() => outcome({ kind: "answered", status: 200, body: "null" }));
  };
  const { trail } = trailOf({ operations: { ask } });
  trail.record(entry());
  await trail.flush();
  assert.deepEqual(
    (await meta.trail.list(QUERY)).entries.map(({ node }) => node),
    ["n1.a"],
  );
  await assert.rejects(trail.list(QUERY), /ROLE_NEEDED/);
  await Promise.all([trail.close(), meta.trail.close()]);
});

test("while the store is away no entry is lost, and none is stored twice afterwards", async () => {
  const { store, state } = await storeOf();
  const { trail, lines } = trailOf({ store });
  state.isAway = true;
  for (let at = 0; at < 120; at++) trail.record(entry({ operation: `x${at}` }));
  await trail.flush();
  assert.equal(lines.length, 120);
  state.isAway = false;
  await trail.flush();
  const { entries } = await listEntries(store, { ...QUERY, limit: 1_000 });
  assert.deepEqual(namesOf(entries).sort(), Array.from({ length: 120 }, (_, at) => `x${at}`).sort());
  await trail.close();
});

test("a store that is away for long costs a bounded number of entries, and the log says how many", async () => {
  const { store, state } = await storeOf();
  const { trail, lines } = trailOf({ store });
  state.isAway = true;
  for (let at = 0; at < 1_007; at++) trail.record(entry());
  state.isAway = false;
  await trail.flush();
  assert.equal((await listEntries(store, { ...QUERY, limit: 2_000 })).entries.length, 1_000);
  assert.match(lines.at(-1) ?? "", /in the log only/);
  await trail.close();
});

test("a stranger's refused requests fill neither the store nor the place of changes", async () => {
  const { store } = await storeOf();
  const { trail, clock, lines } = trailOf({ store });
  trail.record(entry({ operation: "kept" }));
  for (let at = 0; at < 5_000; at++) trail.record(entry({ outcome: "refused", code: "CREDENTIALS_NEEDED" }));
  await trail.flush();
  assert.equal((await listEntries(store, { ...QUERY, outcome: "refused", limit: 1_000 })).entries.length, 100);
  assert.ok(lines.length < 100, `${lines.length} lines`);
  clock.nowMs += 60_000;
  trail.record(entry({ outcome: "refused", operation: "later" }));
  const { entries } = await trail.list({ ...QUERY, outcome: "refused", limit: 1 });
  assert.deepEqual(namesOf(entries), ["later"]);
  assert.deepEqual(namesOf((await trail.list(QUERY)).entries), ["kept"]);
  await trail.close();
});

test("entries are asked for by principal, operation and time, and in pages", async () => {
  const { store } = await storeOf();
  const { trail, clock } = trailOf({ store });
  for (let at = 0; at < 10; at++) {
    clock.nowMs = START_MS + at;
    trail.record(entry({ operation: at % 2 === 0 ? "even" : "odd", by: at < 5 ? "ann" : "bob" }));
  }
  const times = async (query: Partial<AuditQuery>) =>
    (await trail.list({ ...QUERY, ...query })).entries.map(({ atMs }) => atMs - START_MS);
  assert.deepEqual(await times({ by: "bob" }), [9, 8, 7, 6, 5]);
  assert.deepEqual(await times({ operation: "odd", by: "ann" }), [3, 1]);
  assert.deepEqual(await times({ sinceMs: START_MS + 3, untilMs: START_MS + 6 }), [5, 4, 3]);
  const found: number[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await trail.list({ ...QUERY, operation: "even", limit: 2, after });
    found.push(...page.entries.map(({ atMs }) => atMs - START_MS));
    after = page.next;
  }
  assert.deepEqual(found, [8, 6, 4, 2, 0]);
  await trail.close();
});

test("entries that are too many or too old go, the oldest first", async () => {
  const { store } = await storeOf();
  const { trail, clock } = trailOf({ store });
  for (let at = 0; at < 300; at++) {
    clock.nowMs = START_MS + at;
    trail.record(entry({ operation: String(at) }));
  }
  await trail.flush();
  const nowMs = START_MS + 300;
  await pruneEntries(store, { entriesMax: 120, ageMsMax: 1_000 }, nowMs);
  const left = async () => namesOf((await listEntries(store, { ...QUERY, limit: 1_000 })).entries);
  assert.deepEqual([(await left()).length, (await left())[0], (await left()).at(-1)], [120, "299", "180"]);
  await pruneEntries(store, { entriesMax: 120, ageMsMax: 20 }, nowMs);
  assert.deepEqual([(await left()).length, (await left()).at(-1)], [20, "280"]);
  await trail.close();
});

test("what another node sends is checked", async () => {
  const { store } = await storeOf();
  const { trail } = trailOf({ store });
  const whole = { ...entry(), atMs: START_MS, node: "n2.a" };
  for (const bad of [{}, [["n2.a-1", {}]], [["../x", whole]], [[1, whole]], [["n2.a-1", { ...whole, outcome: "x" }]]]) {
    await assert.rejects(trail.keep(JSON.stringify(bad)), /FIELD_INVALID/, JSON.stringify(bad));
  }
  await trail.keep(JSON.stringify([["n2.a-1", { ...whole, after: `\u009b${"x".repeat(5_000)}` }]]));
  const [kept] = (await trail.list(QUERY)).entries;
  assert.ok(kept !== undefined && kept.after.length < 2_020 && kept.after.startsWith("\\u009b"));
  await trail.close();
});
