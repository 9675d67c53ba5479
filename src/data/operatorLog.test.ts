import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatumChange } from "../model/datum.ts";
import { OperatorLog } from "./operatorLog.ts";
import { ORDERS, publication } from "./testing/harness.ts";
import { given } from "./testing/parts.ts";

const put = (registId: string): DatumChange => ({ kind: "put", publication: publication({ registId }) });
const removed = (registId: string): DatumChange => ({ kind: "removed", registId, stamp: publication() });

/** A log whose service goes from version to version, from 1 on, with these changes. */
function logOf(changesMax: number, ...steps: readonly (readonly DatumChange[])[]) {
  const log = new OperatorLog(ORDERS, changesMax);
  const append = (base: bigint, version: bigint, changes: readonly DatumChange[]) =>
    log.append({ serviceKey: ORDERS, base: given(base), ...given(version), changes });
  for (const [at, changes] of steps.entries()) append(BigInt(at + 1), BigInt(at + 2), changes);
  const since = (version: bigint, origin = 1n) => {
    const delta = log.since(given(version, origin), (registId) => publication({ registId }));
    return delta?.changes.map((change) =>
      change.kind === "put" ? change.publication.registId : `-${change.registId}`,
    );
  };
  return { log, append, since };
}

test("from each version that the log reaches back to it gives the difference, each publisher once", () => {
  const { since } = logOf(10, [put("a"), put("b")], [removed("a")], [put("b"), put("c")]);
  assert.deepEqual(
    [since(1n), since(2n), since(3n)],
    [
      ["-a", "b", "c"],
      ["-a", "b", "c"],
      ["b", "c"],
    ],
  );
  assert.deepEqual([since(4n), since(2n, 9n)], [undefined, undefined], "the newest, and one of another leader");
});

test("beyond its bound the log reaches back less far, and a version without a change takes a place too", () => {
  const { since } = logOf(3, [put("a")], [], [put("b")], [put("c")]);
  assert.deepEqual([since(1n), since(2n)], [undefined, ["b", "c"]]);
  assert.deepEqual(logOf(1, [put("a"), put("b")]).since(1n), undefined, "one step that is larger than the log");
});

test("a log that was cleared reaches back to nothing before, and begins anew", () => {
  const { log, append, since } = logOf(3, [put("a")], [put("b")]);
  log.clear();
  assert.equal(since(1n), undefined);
  append(7n, 8n, [put("c")]);
  append(8n, 9n, [put("d")]);
  append(9n, 10n, [put("e")]);
  assert.deepEqual([since(1n), since(7n)], [undefined, ["c", "d", "e"]], "and has all its room");
});
