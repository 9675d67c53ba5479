import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { ALL_SERVICES, type CatalogueEntry } from "../../model/catalogue.ts";
import { versionSpan } from "../../model/version.ts";
import type { Fact } from "../facts.ts";
import { CatalogueChecker } from "./catalogues.ts";
import {
  type At,
  acknowledged,
  brokenBy,
  connected,
  D1,
  published,
  READY,
  S,
  S1,
  shows,
  stopped,
} from "./testing/history.ts";

const EARLIER = 1_000_000;

/** A question to s1, asked at 100 s, that is to be answered within four seconds. */
function asked({ isStanding = false, isLast = false } = {}): At {
  return [100_000, { kind: "catalogueAsked", question: 1, node: S1, machine: "s1", waitMs: 4_000, isStanding, isLast }];
}

const entry = (version: bigint, size: number): CatalogueEntry => ({ serviceKey: S, version, origin: 1n, size });

function answered(...entries: readonly CatalogueEntry[]): At {
  return [100_010, { kind: "catalogueAnswered", question: 1, node: S1, entries, isWhole: true }];
}

function told(...entries: readonly CatalogueEntry[]): At {
  return [100_020, { kind: "catalogueTold", question: 1, node: S1, entries }];
}

/** The rule that is broken after d1 has named version 4, without publishers, and version 5, with one. */
const broken = (...history: readonly At[]) =>
  brokenBy(
    (evidence) => new CatalogueChecker(evidence),
    [...READY, [50_000, shows(D1, S1, 4n)], [60_000, shows(D1, S1, 5n, "c.1~1~c")], ...history],
  );

const over: At = [110_000, { kind: "over", live: [] }];
const later = (atMs: number): At => [atMs, { kind: "fault", what: "time passes" }];
const GIVEN_UP: Fact = { kind: "catalogueGivenUp", question: 1 };
const ONE = entry(5n, 1);

test("a question that is answered in its time with what there is breaks nothing", () => {
  assert.equal(broken(asked(), answered(ONE), over), undefined);
  assert.equal(broken(asked({ isLast: true }), answered(ONE), over), undefined);
  assert.equal(broken(asked({ isStanding: true }), answered(), told(ONE), later(EARLIER), over), undefined);
});

test("a question that is not answered in its time waits for ever, unless given up, or its session is gone", () => {
  assert.equal(broken(asked(), later(104_500)), undefined);
  assert.equal(broken(asked(), later(104_700)), "quiet: nothing waits for ever");
  assert.equal(broken(asked(), [101_000, GIVEN_UP], later(EARLIER)), undefined);
  assert.equal(broken(asked(), [101_000, stopped(S1)], later(EARLIER)), undefined);
  const paused: At = [101_000, { kind: "paused", machine: "s1", isPaused: true }];
  assert.equal(broken(asked(), paused, later(EARLIER)), undefined);
});

test("only one who asks is answered, once, and only one who stays is told changes, until it gives up", () => {
  assert.equal(broken(answered(ONE)), "bug");
  assert.equal(broken(asked(), answered(ONE), answered(ONE)), "bug");
  assert.equal(broken(asked(), answered(ONE), told(ONE)), "bug");
  assert.equal(broken(asked({ isStanding: true }), told(ONE)), "bug");
  assert.equal(broken(asked({ isStanding: true }), answered(), [100_015, GIVEN_UP], told(ONE)), "bug");
  const error = fail("QUERIES_EXHAUSTED", {});
  const failed = { kind: "catalogueAnswered", question: 1, node: S1, entries: [], isWhole: false, error } as const;
  assert.equal(broken(asked(), [100_010, failed]), "bug");
});

test("a service goes back only from the list of a leader whose clock was days ahead", () => {
  const standing = asked({ isStanding: true });
  assert.equal(broken(standing, answered(ONE), told(entry(4n, 0))), "3 a subscriber never goes back");
  const ahead = entry(5n + versionSpan(48 * 3_600_000), 1);
  assert.equal(broken(standing, answered(ahead), told(ONE)), undefined);
  const gone = entry(6n, 0);
  assert.equal(broken(standing, answered(gone), told(ONE)), "3 a subscriber never goes back");
});

test("a version is shown with its number of publishers", () => {
  assert.equal(broken(asked(), answered(entry(5n, 2))), "4 whole versions");
  assert.equal(broken(asked(), answered(entry(4n, 1))), "4 whole versions");
});

test("at the end each session has seen all slots, and shows the newest version of what has publishers", () => {
  const last = asked({ isLast: true });
  assert.equal(broken(last, over), "7 convergence");
  assert.equal(broken(last, answered(), over), "7 convergence");
  assert.equal(broken(asked({ isStanding: true }), answered(), over), "7 convergence");
  const partly = { kind: "catalogueAnswered", question: 1, node: S1, entries: [ONE], isWhole: false } as const;
  assert.equal(broken(last, [100_010, partly], over), "7 convergence");
  assert.equal(broken(asked({ isStanding: true }), [100_010, partly], over), undefined);
  assert.equal(broken(last, answered(entry(6n, 1)), over), "7 convergence");
  const emptied: At = [70_000, shows(D1, S1, 7n)];
  assert.equal(broken(emptied, last, answered(ONE), over), "7 convergence");
  assert.equal(broken(emptied, last, answered(), over), undefined);
});

test("of a list that no session is told, the data nodes' own catalogue says what is shown at the end", () => {
  const base = { slot: 0, count: 1, digest: 1n };
  const message = { kind: "catalogueChanged", scope: ALL_SERVICES, base, entries: [entry(6n, 3)] } as const;
  const named: At = [70_000, { kind: "told", from: D1, to: S1, message }];
  const last = asked({ isLast: true });
  assert.equal(broken(named, last, answered(entry(6n, 3)), over), undefined);
  assert.equal(broken(named, last, answered(entry(6n, 2)), over), "7 convergence");
  assert.equal(broken(named, last, answered(entry(7n, 3)), over), "7 convergence");
});

test("a service without living publishers is not shown at the end, whatever its last leader told before", () => {
  const last = asked({ isLast: true });
  const publishes: readonly At[] = [
    [59_990, connected("c", S1)],
    [59_991, published(1n)],
    [59_992, acknowledged(1n, S1)],
  ];
  const takenBack: At = [70_000, { kind: "unpublished", client: "c", service: S, registId: "c.1", version: 2n }];
  const died: At = [70_000, { kind: "died", client: "c", how: "killed" }];
  for (const end of [takenBack, died]) {
    assert.equal(broken(...publishes, end, last, answered(), over), undefined);
    assert.equal(broken(...publishes, end, last, answered(ONE), over), "7 convergence");
  }
  assert.equal(broken(...publishes, last, answered(), over), "7 convergence");
  assert.equal(broken(...publishes, last, answered(ONE), over), undefined);
});
