import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  batches,
  connect,
  gauges,
  type HarnessClient,
  nowMs,
  ORDERS,
  pass,
  publish,
  removals,
  reset,
  session,
  snapshot,
  subscribe,
  taken,
  toMeta,
} from "./testing/harness.ts";

beforeEach(reset);

const clear = ({ id }: HarnessClient, of: "publications" | "everything") =>
  session.step({ kind: "cleared", client: id, of }, nowMs);

function registered() {
  const client = connect();
  publish(client);
  publish(client, { registId: "p2", version: 7n });
  subscribe(client);
  const key = { serviceKey: ORDERS, registId: "w1", version: 1n };
  session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
  taken();
  return client;
}

test("a client's publications end under the versions that they have, as if it had taken them back", () => {
  const client = registered();
  const before = client.channel.outcomes.length;
  const told = toMeta.length;
  clear(client, "publications");
  assert.equal(toMeta.length, told);
  taken();
  const ended = removals().flatMap((item) => (item.kind === "remove" ? [item.removal] : []));
  assert.deepEqual(
    ended.map(({ registId, cause, stamp }) => [registId, cause, stamp.version]),
    [
      ["p1", "unpublished", 1n],
      ["p2", "unpublished", 7n],
    ],
  );
  assert.equal(client.channel.outcomes.length, before, "it is told nothing");
  assert.equal([...session.publicationsOf(client.id)].length, 0);
});

test("its subscriptions and watches stay, unless everything ends", () => {
  const client = registered();
  clear(client, "publications");
  snapshot(10n);
  assert.deepEqual(client.channel.versions, [10n]);
  clear(client, "everything");
  snapshot(11n);
  assert.deepEqual(client.channel.versions, [10n]);
  assert.equal(gauges.get("roster_subscribers"), 0);
  assert.deepEqual(toMeta.at(-1), { kind: "unwatchConfig", serviceKeys: [ORDERS] });
  assert.equal(session.chargedBytes, 0);
});

test("a client without registrations loses none, and meta hears nothing", () => {
  const client = connect();
  const told = toMeta.length;
  clear(client, "everything");
  assert.deepEqual([toMeta.length, removals()], [told, []]);
});

test("a publication of the same version that comes again is the newer one", () => {
  const client = registered();
  clear(client, "publications");
  taken();
  taken();
  pass(10);
  publish(client);
  const [put] = batches().at(-1) ?? [];
  const [removal] = removals();
  assert.ok(put?.kind === "put" && removal?.kind === "remove");
  assert.equal(put.publication.version, removal.removal.stamp.version);
  assert.ok(put.publication.registeredMs > removal.removal.stamp.registeredMs);
});

test("a publication that another client holds stays: this client's claim behind it goes", () => {
  const [holder, other] = [connect(), connect()];
  publish(holder);
  publish(other);
  clear(other, "everything");
  assert.deepEqual(
    [...session.publicationsOf(holder.id)].map(({ registId }) => registId),
    ["p1"],
  );
  assert.deepEqual(removals(), []);
});
