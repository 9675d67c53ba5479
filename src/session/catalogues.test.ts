// Questions about the catalogue at a session, and its copy of what leaders tell.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ALL_SERVICES, type CatalogueEntry, groupScope, SlotCatalogue } from "../model/catalogue.ts";
import { brandServiceKey, type CatalogueScope, nodeId, type ServiceKey } from "../model/ids.ts";
import { ANY_NAME, type NamePattern, readNamePattern } from "../model/namePattern.ts";
import type { CatalogueAsker } from "../registry/catalogue.ts";
import {
  DATA,
  forgetSent,
  fromData,
  nowMs,
  ORDERS,
  pass,
  reset,
  START_MS,
  session,
  tableOf,
  toData,
} from "./testing/harness.ts";

beforeEach(reset);

const STOCK = brandServiceKey("stock#@#I#@#G");
const GROUP = groupScope({ namespace: "I", group: "G" });
const OTHER = nodeId("data-2");
// A version of the time at which the tests run, as leaders give it.
const BASE = BigInt(START_MS - 1_546_272_000_000) << 15n;

const entry = (serviceKey: ServiceKey, version: bigint, size = 1, origin = 1n): CatalogueEntry => ({
  serviceKey,
  version: BASE + version,
  origin,
  size,
});

const text = (entries: readonly CatalogueEntry[]) =>
  entries.map(({ serviceKey, version, size }) => `${serviceKey.split("#")[0]} v${version - BASE} ${size}`).join(", ");

interface Ask {
  readonly scope?: CatalogueScope;
  readonly pattern?: NamePattern;
  readonly entriesMax?: number;
  readonly forMs?: number;
  readonly isStanding?: boolean;
}

/** Asks; `heard` has what came: `=` the answer, with `…` if it is not whole and `+` if it is cut; `~` changes. */
function ask({
  scope = ALL_SERVICES,
  pattern = ANY_NAME,
  entriesMax = 10,
  forMs = 1_000,
  isStanding = false,
}: Ask = {}) {
  const heard: string[] = [];
  const asker: CatalogueAsker = {
    answer: (answer) => {
      if (answer.kind === "failed") heard.push(answer.error.code);
      else {
        const unshown = answer.unshown > 0 ? ` (${answer.unshown} held)` : "";
        heard.push(`= ${text(answer.entries)}${answer.isWhole ? "" : "…"}${answer.isCut ? "+" : ""}${unshown}`);
      }
    },
    changed: (entries) => void heard.push(`~ ${text(entries)}`),
  };
  const untilMs = nowMs + forMs;
  session.step({ kind: "askedCatalogue", asker, scope, pattern, entriesMax, untilMs, isStanding }, nowMs);
  return { asker, heard };
}

/** The leader tells the slot as a whole. */
function whole(entries: readonly CatalogueEntry[], held: readonly ServiceKey[] = []): void {
  fromData({ kind: "catalogue", scope: ALL_SERVICES, slot: 0, entries, held, isFirst: true, isLast: true });
}

/** The leader tells changes to one who was told `before`. */
function changed(before: readonly (CatalogueEntry | ServiceKey)[], entries: readonly CatalogueEntry[]): void {
  const told = new SlotCatalogue(0);
  for (const one of before) {
    if (typeof one === "string") told.set(one, "held");
    else told.set(one.serviceKey, one);
  }
  fromData({ kind: "catalogueChanged", scope: ALL_SERVICES, base: told.digest, entries });
}

/** What the data nodes were asked: the slots that are known, those that are not, and the services that are ahead. */
const watches = () =>
  toData.flatMap((message) =>
    message.kind === "catalogueWatch" ? [[message.known.length, message.unknown.length, message.ahead.length]] : [],
  );

const releases = () => toData.filter(({ kind }) => kind === "catalogueRelease").length;

test("a session that nobody asks wants nothing; one that is asked is told, and answers everybody when it is", () => {
  pass(20_000);
  assert.deepEqual(watches(), []);
  const [one, other] = [ask(), ask({ pattern: readNamePattern("st*") })];
  assert.deepEqual([watches(), one.heard], [[[0, 1, 0]], []]);
  whole([entry(ORDERS, 1n, 2), entry(STOCK, 2n)]);
  assert.deepEqual([one.heard, other.heard], [["= orders v1 2, stock v2 1"], ["= stock v2 1"]]);
  assert.deepEqual(ask().heard, ["= orders v1 2, stock v2 1"], "the next one at once");
});

test("who waits in vain is answered at the end of its time with what there is, which is not whole", () => {
  const { heard } = ask();
  pass(999);
  assert.deepEqual(heard, []);
  pass(1);
  assert.deepEqual(heard, ["= …"]);
  whole([entry(ORDERS, 1n)]);
  assert.equal(heard.length, 1);
});

test("an answer has no more entries than were asked for, and says so", () => {
  ask();
  whole([entry(ORDERS, 1n), entry(STOCK, 1n)]);
  assert.deepEqual(ask({ entriesMax: 1 }).heard, ["= orders v1 1+"]);
  assert.deepEqual(ask({ entriesMax: 2 }).heard, ["= orders v1 1, stock v1 1"]);
});

test("a standing question is told the changes in order, those that match, until its asker gives up", () => {
  const { asker, heard } = ask({ isStanding: true, pattern: readNamePattern("orders") });
  const first = [entry(ORDERS, 1n)];
  whole(first);
  changed(first, [entry(ORDERS, 2n, 3), entry(STOCK, 3n)]);
  changed([entry(ORDERS, 2n, 3), entry(STOCK, 3n)], [entry(STOCK, 4n, 0)]);
  assert.deepEqual(heard, ["= orders v1 1", "~ orders v2 3"]);
  session.step({ kind: "gaveUpCatalogue", asker }, nowMs);
  changed([entry(ORDERS, 2n, 3)], [entry(ORDERS, 5n, 0)]);
  assert.equal(heard.length, 2);
  assert.deepEqual(ask().heard, ["= "]);
});

test("who gives up while it waits hears nothing more", () => {
  const { asker, heard } = ask();
  session.step({ kind: "gaveUpCatalogue", asker }, nowMs);
  whole([entry(ORDERS, 1n)]);
  pass(5_000);
  assert.deepEqual(heard, []);
});

test("changes that do not follow what is here are not taken: the slot is asked for, once until the next scan", () => {
  const { heard } = ask({ isStanding: true });
  whole([entry(ORDERS, 1n)]);
  forgetSent();
  changed([entry(ORDERS, 2n)], [entry(ORDERS, 3n)]);
  changed([entry(ORDERS, 3n)], [entry(ORDERS, 4n)]);
  assert.deepEqual([watches(), heard], [[[1, 0, 0]], ["= orders v1 1"]]);
  whole([entry(ORDERS, 4n)]);
  assert.deepEqual(heard, ["= orders v1 1", "~ orders v4 1"]);
});

test("each scan compares, and a new link too", () => {
  ask({ isStanding: true });
  whole([]);
  forgetSent();
  pass(10_000);
  assert.deepEqual(watches(), [
    [1, 0, 0],
    [1, 0, 0],
  ]);
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  forgetSent();
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  assert.deepEqual(watches(), [[1, 0, 0]]);
});

test("an earlier leader's telling stays until the new one's comes, and the earlier leader counts no more", () => {
  const { heard } = ask({ isStanding: true });
  whole([entry(ORDERS, 1n), entry(STOCK, 1n)]);
  session.step({ kind: "dataUp", node: OTHER }, nowMs);
  forgetSent();
  const table = { kind: "slotTable", table: tableOf(OTHER, 2n), versionFloor: 0n } as const;
  session.step({ kind: "fromMeta", message: table }, nowMs);
  assert.deepEqual(watches(), [[1, 0, 0]]);
  whole([]);
  assert.deepEqual(ask().heard, ["= orders v1 1, stock v1 1"]);
  const message = { kind: "catalogue", scope: ALL_SERVICES, slot: 0, held: [], isFirst: true, isLast: true } as const;
  session.step({ kind: "fromData", from: OTHER, message: { ...message, entries: [entry(STOCK, 1n)] } }, nowMs);
  assert.deepEqual(heard, ["= orders v1 1, stock v1 1", "~ orders v1 0"]);
});

test("a version never goes back: the leader is told of the higher one, which stays until the leader goes above", () => {
  const { heard } = ask({ isStanding: true });
  whole([entry(ORDERS, 5n, 2)]);
  forgetSent();
  whole([entry(ORDERS, 4n)]);
  assert.deepEqual([watches(), heard], [[[1, 0, 1]], ["= orders v5 2"]]);
  changed([entry(ORDERS, 4n)], [entry(ORDERS, 6n)]);
  forgetSent();
  pass(5_000);
  assert.deepEqual([watches(), heard], [[[1, 0, 0]], ["= orders v5 2", "~ orders v6 1"]]);
});

test("a service that is gone does not return with a lower version than it was shown with", () => {
  const { heard } = ask({ isStanding: true });
  whole([entry(ORDERS, 5n)]);
  changed([entry(ORDERS, 5n)], [entry(ORDERS, 7n, 0)]);
  changed([], [entry(ORDERS, 6n)]);
  assert.deepEqual(heard, ["= orders v5 1", "~ orders v7 0"]);
  changed([entry(ORDERS, 6n)], [entry(ORDERS, 8n)]);
  assert.equal(heard.at(-1), "~ orders v8 1");
});

test("a version that no clock can have given is followed by the next leader's lower one", () => {
  const { heard } = ask({ isStanding: true });
  const days = BigInt(3 * 86_400_000) << 15n;
  whole([entry(ORDERS, days)]);
  whole([entry(ORDERS, 1n, 1, 2n)]);
  assert.equal(heard.at(-1), "~ orders v1 1");
});

test("a service whose list is held is shown as before, and not at all if it never was", () => {
  const { heard } = ask({ isStanding: true });
  whole([entry(ORDERS, 1n, 3)]);
  whole([], [ORDERS, STOCK]);
  assert.deepEqual(ask().heard, ["= orders v1 3 (1 held)"]);
  changed([ORDERS, STOCK], [entry(ORDERS, 2n), entry(STOCK, 0n, 0)]);
  assert.deepEqual(heard, ["= orders v1 3", "~ orders v2 1"]);
  assert.deepEqual(ask().heard, ["= orders v2 1"]);
});

test("a scope is kept for a minute after the last question, and then released", () => {
  ask();
  whole([]);
  pass(59_999);
  assert.deepEqual([ask({ isStanding: false }).heard, releases()], [["= "], 0]);
  pass(59_999);
  assert.equal(releases(), 0);
  pass(1);
  assert.equal(releases(), 1);
  forgetSent();
  pass(10_000);
  assert.deepEqual(watches(), []);
});

test("a standing question keeps its scope", () => {
  const { asker } = ask({ isStanding: true });
  whole([]);
  pass(300_000);
  assert.equal(releases(), 0);
  session.step({ kind: "gaveUpCatalogue", asker }, nowMs);
  pass(1);
  assert.equal(releases(), 1);
});

test("of one scope too many the one that was asked for longest ago goes; if all are asked for, it is refused", () => {
  const scope = (at: number) => groupScope({ namespace: "I", group: `g${at}` });
  for (let at = 0; at < 64; at++) ask({ scope: scope(at), forMs: 100 + at });
  assert.deepEqual(ask({ scope: scope(64) }).heard, ["QUERIES_EXHAUSTED"]);
  pass(110);
  ask({ scope: scope(64) });
  assert.deepEqual(
    toData.flatMap((message) => (message.kind === "catalogueRelease" ? message.scopes : [])),
    [scope(0)],
  );
});

test("a catalogue that is too large fails its askers, and is not tried again for a minute", () => {
  const { heard } = ask({ isStanding: true });
  const part = (from: number) =>
    Array.from({ length: 2_000 }, (_, at) => entry(brandServiceKey(`s${from + at}#@#I#@#G`), 1n));
  const message = { kind: "catalogue", scope: ALL_SERVICES, slot: 0, held: [] } as const;
  for (let from = 0; from <= 250_000; from += 2_000) {
    fromData({ ...message, entries: part(from), isFirst: from === 0, isLast: from === 250_000 });
  }
  assert.deepEqual([heard, releases()], [["CATALOGUE_TOO_LARGE"], 1]);
  assert.deepEqual(ask().heard, ["CATALOGUE_TOO_LARGE"]);
  pass(60_000);
  assert.deepEqual(ask().heard, []);
});

test("with too many entries in all the largest scope goes, and not the one that has grown", () => {
  const [all, group] = [ask({ isStanding: true }), ask({ scope: GROUP, isStanding: true })];
  const entries = Array.from({ length: 250_000 }, (_, at) => entry(brandServiceKey(`s${at}#@#I#@#H`), 1n));
  whole(entries);
  assert.equal(all.heard.length, 1);
  fromData({
    kind: "catalogue",
    scope: GROUP,
    slot: 0,
    entries: [entry(ORDERS, 1n)],
    held: [],
    isFirst: true,
    isLast: true,
  });
  assert.equal(all.heard.at(-1), "CATALOGUE_TOO_LARGE");
  assert.deepEqual(group.heard, ["= orders v1 1"]);
});

test("of too many askers the last is refused, until one of the others has gone", () => {
  const { asker } = ask({ isStanding: true });
  for (let at = 1; at < 10_000; at++) ask({ isStanding: true });
  assert.deepEqual(ask().heard, ["QUERIES_EXHAUSTED"]);
  session.step({ kind: "gaveUpCatalogue", asker }, nowMs);
  assert.deepEqual(ask().heard, []);
});

test("the versions of ten thousand gone services are remembered, and no more", () => {
  const { heard } = ask({ isStanding: true });
  const many = Array.from({ length: 10_001 }, (_, at) => entry(brandServiceKey(`s${at}#@#I#@#G`), 2n));
  whole(many);
  whole([]);
  heard.length = 0;
  const [forgotten, remembered] = [brandServiceKey("s0#@#I#@#G"), brandServiceKey("s1#@#I#@#G")];
  whole([entry(forgotten, 1n), entry(remembered, 1n)]);
  assert.deepEqual(heard, ["~ s0 v1 1"]);
});

test("parts of a telling that was cut off are not mixed with the next one", () => {
  const { heard } = ask();
  const message = { kind: "catalogue", scope: ALL_SERVICES, slot: 0, held: [] } as const;
  fromData({ ...message, entries: [entry(ORDERS, 1n)], isFirst: true, isLast: false });
  fromData({ ...message, entries: [entry(STOCK, 1n)], isFirst: true, isLast: false });
  fromData({ ...message, entries: [], isFirst: false, isLast: true });
  assert.deepEqual(heard, ["= stock v1 1"]);
});
