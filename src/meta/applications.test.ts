// Application-level discovery in a meta node: what it registers, finds and tells.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../base/errors.ts";
import type { AppAnswer } from "../cluster/messages/apps.ts";
import { SEEN_SAVE_MS } from "./applications.ts";
import { find, HOUR_MS, leading, register, renew, revision, S1, S2, scene, stored, watch } from "./testing/appScene.ts";

test("a registration is answered when the store has it, and is found at once by every session", () => {
  const one = leading();
  one.hear(S1, register("r1"));
  one.work();
  assert.deepEqual(one.told(S1), []);
  one.settle();
  assert.deepEqual(one.told(S1), [stored("r1")]);
  one.hear(S2, find("r1", "r2"));
  assert.deepEqual(one.told(S2), [
    { kind: "revisions", found: [revision("r1")], unknown: [] },
    { kind: "revisions", found: [], unknown: ["r2"] },
  ]);
});

test("what is registered already is answered at once, whoever asks", () => {
  const one = leading();
  one.hear(S1, register("r1"));
  one.hear(S2, register("r1"));
  one.settle();
  assert.deepEqual([one.told(S1), one.told(S2)], [[stored("r1")], [stored("r1")]]);
  one.hear(S2, register("r1", ["another"]));
  assert.deepEqual([one.told(S2), one.waiting], [[stored("r1")], []]);
  one.hear(S2, find("r1"));
  assert.deepEqual(one.told(S2), [{ kind: "revisions", found: [revision("r1")], unknown: [] }]);
});

test("the next leader knows everything, and reads contents when they are asked for", () => {
  const first = leading();
  first.hear(S1, register("r1", ["orders", "stock"]));
  first.hear(S1, register("r2", ["orders"], "mall"));
  first.settle();
  const next = leading(first.store);
  next.hear(S2, find("r1"));
  next.hear(S1, find("r1"));
  assert.deepEqual(next.told(S2), []);
  next.work();
  assert.equal(next.waiting.length, 1, "the content is read once for both");
  next.settle();
  const answer: AppAnswer = { kind: "revisions", found: [revision("r1", ["orders", "stock"])], unknown: [] };
  assert.deepEqual([next.told(S1), next.told(S2)], [[answer], [answer]]);
  next.hear(S2, watch("orders", "stock", "none"));
  const [message] = next.told(S2);
  assert.ok(message?.kind === "serviceApps");
  assert.deepEqual(
    message.entries.map(({ applications }) => applications),
    [["mall", "shop"], ["shop"], []],
  );
});

test("a change of the applications of a service is told to those who watch it, under a higher version", () => {
  const one = leading();
  one.hear(S1, watch("orders", "stock"));
  const [before] = one.told(S1);
  one.hear(S2, register("r1"));
  one.hear(S2, register("r2", ["carts"]));
  one.settle();
  const [after] = one.told(S1);
  assert.ok(before?.kind === "serviceApps" && after?.kind === "serviceApps");
  const [entry] = after.entries;
  assert.deepEqual([after.entries.length, entry?.service, entry?.applications], [1, "orders", ["shop"]]);
  assert.ok((entry?.version ?? 0n) > (before.entries[0]?.version ?? 0n));
  one.hear(S1, { kind: "unwatchServiceApps", services: ["orders", "stock"] });
  one.hear(S2, register("r3", ["orders"], "mall"));
  one.settle();
  assert.deepEqual(one.told(S1), []);
});

test("no version goes back with a new leader, whatever its clock shows", () => {
  const first = leading();
  first.hear(S1, watch("orders", "stock"));
  first.hear(S1, register("r1"));
  first.settle();
  const highest = versionsIn(first.told(S1)).reduce((a, b) => (a > b ? a : b));
  const next = scene(first.store);
  next.nowMs -= 10 * HOUR_MS;
  next.applications.begin(1n, next.nowMs);
  next.settle();
  next.hear(S1, watch("orders", "stock"));
  for (const version of versionsIn(next.told(S1))) assert.ok(version >= highest);
  next.hear(S1, register("r2", ["orders"], "mall"));
  next.settle();
  for (const version of versionsIn(next.told(S1))) assert.ok(version > highest);
});

test("a version that the store did not take is never told, so that the next leader's changes are later ones", () => {
  const first = leading();
  first.hear(S1, register("r1"));
  first.settle();
  first.nowMs += HOUR_MS;
  first.hear(S1, register("r2", ["orders"], "mall"));
  first.work();
  const [lost] = first.take();
  assert.ok(lost?.commit !== undefined);
  first.answer(lost, "away");
  first.applications.lost();
  first.applications.begin(1n, first.nowMs);
  first.settle();
  first.hear(S2, watch("orders"));
  const [told = 0n] = versionsIn(first.told(S2));
  const next = leading(first.store);
  next.hear(S2, watch("orders"));
  assert.deepEqual(versionsIn(next.told(S2)), [told]);
  next.hear(S1, register("r3", ["orders"], "depot"));
  next.settle();
  const [later = 0n] = versionsIn(next.told(S2));
  assert.ok(later > told);
});

test("a new leader tells those who watched all along", () => {
  const one = scene();
  one.duty = "isSilent";
  one.hear(S1, watch("orders"));
  assert.deepEqual(one.told(S1), []);
  one.applications.begin(1n, one.nowMs);
  one.settle();
  assert.deepEqual(
    one.told(S1).map(({ kind }) => kind),
    ["serviceApps"],
  );
  one.applications.ended(S1);
  one.applications.begin(1n, one.nowMs);
  one.settle();
  assert.deepEqual(one.told(S1), []);
});

test("a heartbeat names what is unknown, and is saved once an hour", () => {
  const one = leading();
  one.hear(S1, register("r1"));
  one.settle();
  one.told(S1);
  const commits = one.commits.length;
  one.hear(S1, renew("r1", "r2"));
  one.settle();
  assert.deepEqual(one.told(S1), [{ kind: "revisionsStored", stored: ["r1"], unknown: ["r2"] }]);
  assert.equal(one.commits.length, commits);
  one.nowMs += SEEN_SAVE_MS + 1;
  one.hear(S1, renew("r1"));
  one.settle();
  assert.equal(one.commits.length, commits + 1);
  assert.equal(leading(one.store).applications.heads.get("r1")?.seenMs, one.nowMs);
});

test("while the index is read, and while another node leads, nothing is answered", () => {
  const one = scene();
  one.applications.begin(1n, one.nowMs);
  for (const message of [register("r1"), find("r1"), renew("r1"), watch("orders")]) one.hear(S1, message);
  assert.deepEqual(one.told(S1), []);
  one.settle();
  one.told(S1);
  one.duty = "isSilent";
  for (const message of [register("r1"), find("r1"), renew("r1"), watch("orders")]) one.hear(S1, message);
  one.settle();
  assert.deepEqual(one.told(S1), []);
});

test("without a leader a node tells what it knows, and nothing that it can't know", () => {
  const one = leading();
  one.hear(S1, register("r1"));
  one.settle();
  one.told(S1);
  one.applications.lost();
  one.duty = "remembers";
  one.hear(S1, find("r1", "r2"));
  one.hear(S1, renew("r1", "r2"));
  one.hear(S1, renew("r2"));
  one.hear(S1, register("r3"));
  one.hear(S1, watch("orders"));
  one.hear(S1, { kind: "listApps", question: 1 });
  const kinds = one.told(S1).map((each) => ("found" in each || "stored" in each ? { ...each } : each.kind));
  assert.deepEqual(kinds, [
    { kind: "revisions", found: [revision("r1")], unknown: [] },
    { kind: "revisionsStored", stored: ["r1"], unknown: [] },
    "serviceApps",
    "appsListed",
  ]);
  const stranger = scene();
  stranger.duty = "remembers";
  stranger.hear(S1, watch("orders"));
  assert.deepEqual(stranger.told(S1), [], "it has never read the store");
});

test("a commit that is refused or not answered is nothing that happened: the index is read anew", () => {
  for (const outcome of ["away", "refused"] as const) {
    const one = leading();
    one.hear(S1, register("r1"));
    one.work();
    const [statement] = one.take();
    assert.ok(statement?.commit !== undefined);
    const refused = { kind: "refused", condition: { kind: "leads", epoch: 1n } } as const;
    one.answer(statement, outcome === "refused" ? refused : "away");
    assert.deepEqual([one.told(S1), one.applications.isReady], [[], false]);
    one.hear(S1, find("r1"));
    assert.deepEqual(one.told(S1), []);
    one.pass(one.applications.nextMs() - one.nowMs);
    assert.deepEqual(one.told(S1), [stored("r1")], "it is tried again");
  }
});

test("registrations that the store can't take are refused, and others go on", () => {
  const one = leading();
  one.hear(S1, register("r1"));
  one.work();
  const [statement] = one.take();
  assert.ok(statement !== undefined);
  const error = fail("RECORD_TOO_LARGE", {});
  one.answer(statement, { kind: "failed", error });
  assert.deepEqual(one.told(S1), [{ kind: "revisionRefused", id: "r1", reason: error.message }]);
  one.hear(S1, register("r2"));
  one.settle();
  assert.deepEqual(one.told(S1), [stored("r2")]);
  assert.equal(one.applications.recordsCommitted(99, { kind: "unknown" }, one.nowMs), false, "it is not its own");
});

test("a commit that was made, and whose answer was lost, is found when the index is read", () => {
  const one = leading();
  one.hear(S1, register("r1"));
  one.work();
  const [statement] = one.take();
  assert.ok(statement?.commit !== undefined);
  one.store.commit(statement.commit, () => true);
  one.answer(statement, "away");
  one.pass(10_000);
  one.hear(S1, register("r1"));
  one.settle();
  assert.ok(one.told(S1).some((each) => each.kind === "revisionsStored"));
  assert.equal(one.applications.heads.size, 1);
});

test("a statement of an earlier lead that comes late is refused, and never follows what it does not know of", () => {
  const one = leading();
  one.hear(S1, register("r1"));
  one.work();
  const [late] = one.take();
  one.applications.lost();
  one.applications.begin(1n, one.nowMs);
  one.settle();
  one.hear(S1, register("r2"));
  one.settle();
  assert.ok(late?.commit !== undefined);
  assert.equal(one.store.commit(late.commit, () => true).kind, "refused");
  one.answer(late);
  assert.deepEqual([...one.applications.heads.keys()], ["r2"]);
});

test("an index of many pages is read as a whole, and read again if a page fails", () => {
  const first = leading();
  for (let at = 0; at < 1_200; at++) first.hear(S1, register(`r${at}`));
  first.settle();
  assert.equal(first.told(S1).length, 1_200);
  const next = scene(first.store);
  next.applications.begin(1n, next.nowMs);
  const [page] = next.take();
  assert.ok(page !== undefined);
  next.answer(page);
  const [second] = next.take();
  assert.ok(second?.query?.at !== undefined, "as of one revision");
  next.answer(second, "away");
  assert.equal(next.applications.isReady, false);
  next.pass(2_000);
  assert.deepEqual([next.applications.isReady, next.applications.heads.size], [true, 1_200]);
});

test("commits stay within what a store takes at once", () => {
  const one = leading();
  for (let at = 0; at < 40; at++) one.hear(S1, register(`small${at}`, [`s${at}`], `app${at}`));
  for (let at = 0; at < 5; at++) one.hear(S1, register(`large${at}`, ["orders"], "shop", 500_000));
  one.settle();
  assert.equal(one.told(S1).length, 45);
  for (const { operations } of one.commits) {
    const bytes = operations.reduce((sum, each) => sum + (each.kind === "put" ? each.value.length : 0), 0);
    assert.ok(operations.length <= 100 && bytes <= 1_200_000, `${operations.length} operations of ${bytes} bytes`);
  }
});

test("contents go to a session in parts of a megabyte", () => {
  const one = leading();
  const ids = Array.from({ length: 5 }, (_, at) => `r${at}`);
  for (const id of ids) one.hear(S1, register(id, ["orders"], "shop", 500_000));
  one.settle();
  one.told(S1);
  one.hear(S1, find(...ids));
  const parts = one.told(S1).map((each) => (each.kind === "revisions" ? each.found.length : 0));
  assert.deepEqual(parts, [3, 2]);
});

test("a revision with impossible names is refused, and one whose application has too many services", () => {
  const one = leading();
  one.hear(S1, register("a b"));
  one.hear(S1, register("r1", ["orders"], ""));
  one.hear(S1, register("r2", [""]));
  const long = Array.from({ length: 800 }, (_, at) => `${at}`.padEnd(1_400, "x"));
  one.hear(S1, register("r3", long));
  one.settle();
  const reasons = one.told(S1).map((each) => (each.kind === "revisionRefused" ? each.reason : each.kind));
  for (const [at, expected] of [/revision/, /application/, /service/, /REVISIONS_EXHAUSTED/].entries()) {
    assert.match(reasons[at] ?? "", expected);
  }
  assert.equal(one.applications.heads.size, 0);
});

test("all names are listed, in parts", () => {
  const one = leading();
  one.hear(S1, { kind: "listApps", question: 7 });
  assert.deepEqual(one.told(S1), [
    { kind: "appsListed", question: 7, revisions: [], services: [], isLast: true, isCut: false },
  ]);
  for (let at = 0; at < 2_500; at++) one.hear(S1, register(`r${at}`));
  one.settle();
  one.told(S1);
  one.hear(S1, { kind: "listApps", question: 8 });
  const parts = one.told(S1).map((each) => (each.kind === "appsListed" ? each : assert.fail()));
  assert.deepEqual(
    parts.map(({ revisions, services, isLast }) => [revisions.length, services.length, isLast]),
    [
      [2_000, 1, false],
      [500, 0, true],
    ],
  );
});

function versionsIn(messages: readonly AppAnswer[]): bigint[] {
  return messages.flatMap((each) => (each.kind === "serviceApps" ? each.entries.map(({ version }) => version) : []));
}
