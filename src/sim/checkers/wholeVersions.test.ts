import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../facts.ts";
import { type At, brokenBy, D1, pushed, READY, S, S1, S2, shows } from "./testing/history.ts";
import { WholeVersions } from "./wholeVersions.ts";

const BROKEN = "4 whole versions";
const [KEPT, NAMING] = ["c.1~1~c", "c.2~1~c"] as const;

const published: Fact = {
  ...{ kind: "published", client: "c", service: S, registId: "c.2", version: 1n, token: NAMING, zone: "Z1" },
  revision: "r1",
};
/** The content of the revision reaches a session. */
const found = (session: typeof S1): Fact => {
  const revision = { id: "r1" } as never;
  return {
    kind: "learned",
    node: session,
    role: "session",
    message: { kind: "revisions", found: [revision] } as never,
  };
};

const judged = (...history: readonly At[]) =>
  brokenBy(
    (evidence) => new WholeVersions(evidence),
    [...READY, [10, published], [20, shows(D1, S2, 10n, KEPT, NAMING)], ...history],
  );

test("a push shows the whole commit of its version", () => {
  assert.equal(judged([1_000, pushed(S2, 10n, true, KEPT, NAMING)]), undefined);
  assert.equal(judged([1_000, pushed(S2, 10n, true, NAMING)]), BROKEN);
  assert.equal(judged([1_000, pushed(S2, 9n, true)]), BROKEN, "no data node spoke of it");
});

test("an instance is left out only where its revision can't be read, or could not until now", () => {
  const cut: At = [60_000, pushed(S2, 10n, true, KEPT)];
  assert.equal(judged(cut), undefined);
  assert.equal(judged([100, found(S1)], cut), undefined, "another session can read it");
  assert.equal(judged([59_000, found(S2)], cut), undefined, "the next version is on its way");
  assert.equal(judged([100, found(S2)], cut), BROKEN);
});
