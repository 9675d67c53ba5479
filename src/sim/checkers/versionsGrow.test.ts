import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { type At, brokenBy, D1, D2, READY, S, S1, saved } from "./testing/history.ts";
import { VersionsGrow } from "./versionsGrow.ts";

const BROKEN = "2 versions grow";

/** Told to a session: the empty list at a version that the leader of epoch `origin` has given. */
function shows(from: NodeId, version: bigint, origin: bigint): Fact {
  const datum = { serviceKey: S, version, origin, publications: [] };
  return { kind: "told", from, to: S1, message: { kind: "snapshot", datum } };
}

const judged = (...history: readonly At[]) =>
  brokenBy((evidence) => new VersionsGrow(evidence), [...READY, ...history]);

test("a data node never speaks of a version below one that it has spoken of", () => {
  assert.equal(judged([100, shows(D1, 10n, 1n)], [200, shows(D1, 11n, 1n)]), undefined);
  assert.equal(judged([100, shows(D1, 11n, 1n)], [200, shows(D1, 10n, 1n)]), BROKEN);
  assert.equal(judged([100, shows(D1, 11n, 1n)], [200, shows(D2, 10n, 1n)]), undefined, "another one did not know it");
});

test("one that went on after it was replaced may go on from the list of its successor", () => {
  const replaced: At = [100, saved(D2, 2n)];
  assert.equal(judged(replaced, [200, shows(D1, 11n, 1n)], [300, shows(D1, 10n, 2n)]), undefined);
  assert.equal(judged(replaced, [200, shows(D1, 11n, 1n)], [300, shows(D1, 10n, 1n)]), BROKEN, "from its own");
});
