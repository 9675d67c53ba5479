// Publications and removals that an operator tries, without a client.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId } from "../model/ids.ts";
import { LEASE_KEEPER } from "../model/publication.ts";
import { ORDERS, publication, put, serving, type TestData } from "./testing/harness.ts";

function shown(node: TestData): string[] {
  const [answer] = node.fetch();
  assert.ok(answer?.kind === "snapshot");
  return answer.datum.publications.map(({ registId }) => registId).sort();
}

const TRIED = publication({
  registId: "tried",
  address: "10.0.0.7:80",
  owner: { session: LEASE_KEEPER, client: clientId("10.0.0.7:1_10.0.0.9:9600") },
  lease: { removedAfterMs: 30_000 },
});

function hearing(): TestData {
  const node = serving();
  node.pass(1_000);
  node.publish(put({ registId: "r1", address: "10.0.0.1:80" }));
  return node;
}

test("a tried publication is in the list for the time of its lease, and not longer", () => {
  const node = hearing();
  node.step({ kind: "tried", items: [put(TRIED)] });
  assert.deepEqual(shown(node), ["r1", "tried"]);
  node.pass(29_000);
  assert.deepEqual(shown(node), ["r1", "tried"]);
  node.pass(3_000);
  assert.deepEqual(shown(node), ["r1"]);
});

test("a tried publication takes nothing over that a client has", () => {
  const node = hearing();
  node.step({ kind: "tried", items: [put({ ...TRIED, registId: "r1", version: 99n })] });
  node.pass(40_000);
  assert.deepEqual(shown(node), ["r1"]);
});

test("a publication that is removed without its client is back when the session registers it with a later time", () => {
  const node = hearing();
  const held = publication({ registId: "r1", address: "10.0.0.1:80" });
  const stamp = { version: held.version, registeredMs: held.registeredMs + 1 };
  const removal = { serviceKey: ORDERS, registId: "r1", cause: "unpublished" as const, stamp };
  node.step({ kind: "tried", items: [{ kind: "remove", removal }] });
  assert.deepEqual(shown(node), []);
  const again = { kind: "put" as const, publication: held };
  const [taken] = node.tell({ kind: "publish", batch: 9, epoch: 1n, items: [again] });
  assert.ok(taken?.kind === "taken" && taken.superseded.length === 1, "the session hears that it has lost");
  node.publish(put({ ...held, registeredMs: stamp.registeredMs + 1 }));
  assert.deepEqual(shown(node), ["r1"]);
});
