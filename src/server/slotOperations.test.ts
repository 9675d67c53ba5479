// Operators pause, resume and ask for the arrangement of slots, by our own operations and at SOFARegistry's paths, on a
// cluster of separate processes; a pause outlives the restart of all of them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { assertInForm } from "./testing/answerSchemas.ts";
import { eventually } from "./testing/eventually.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
// A data node that does not come back is waited for only so long.
const META = { dataDir: nodes.newDirectory(), memberLeaseMs: 5_000 };
let meta: RunningServer;
let data: RunningServer;
after(() => nodes.close());

const at = () => ({ metaAddresses: [`127.0.0.1:${meta.ports.node}`] });

before(async () => {
  meta = await nodes.start(["meta"], META);
  data = await nodes.start(["data"], at());
  await settled(1);
});

/** SOFARegistry's path at the meta node. */
async function sofa(method: "GET" | "PUT", name: string) {
  const answer = await fetch(`http://127.0.0.1:${meta.ports.metaHttp}/openapi/v1/slot/table/${name}`, { method });
  return {
    status: answer.status,
    body: (await answer.json()) as { success: boolean; message: string; data?: unknown },
  };
}

/** Waits until this many data nodes lead slots, and every slot is served. */
async function settled(leaders: number): Promise<void> {
  await eventually(
    async () => (await operate(meta, "GET", "/slots")).body.items,
    (slots) =>
      new Set(slots.map(({ leader }) => leader)).size === leaders && slots.every(({ state }) => state === "serving"),
    30_000,
  );
}

async function paused(): Promise<unknown> {
  const answer = await operate(data, "GET", "/slots");
  assertInForm("slots.list", answer);
  return (answer.body as unknown as { paused: unknown }).paused;
}

test("a pause says who, why and since when, in all places, and a second one does not begin anew", async () => {
  const { body, status } = await operate(data, "POST", "/slots/pause", { by: "ann", reason: "new switches" });
  assert.deepEqual(
    [status, body.message],
    [200, "the arrangement of slots is paused; to resume it: roster slots resume"],
  );
  const { since, ...rest } = (await paused()) as { since: string };
  assert.deepEqual(rest, { by: "ann (local)", reason: "new switches" });
  const health = await operate(data, "GET", "/health");
  assertInForm("health.get", health);
  assert.deepEqual(
    health.body.items.map(({ slotsPausedSince }) => slotsPausedSince).filter((one) => one !== null),
    [since],
  );
  const second = await operate(data, "POST", "/slots/pause", { by: "bob" });
  assert.match(second.body.message, /it was paused at .* by ann \(local\) \(new switches\)/);
  assert.deepEqual(await paused(), { by: "bob (local)", reason: "", since });
  const page = await (await fetch(`http://127.0.0.1:${meta.ports.metaHttp}/metrics`)).text();
  assert.match(page, /^roster_slots_paused 1$/m);
  assert.deepEqual((await sofa("GET", "reconcile/status")).body, { success: true, message: "stopped" });
});

test("a new data node gets nothing in a pause, also after all processes were started anew", async () => {
  await nodes.stop(data);
  await nodes.stop(meta);
  meta = await nodes.start(["meta"], META);
  data = await nodes.start(["data"], at());
  await settled(1);
  const { by } = (await paused()) as { by: string };
  assert.equal(by, "bob (local)");
  const second = await nodes.start(["data"], at());
  await eventually(
    async () => (await operate(meta, "GET", "/nodes")).body.items,
    (rows) => rows.filter(({ role, state }) => role === "data" && state === "up").length === 2,
  );
  const refreshed = await sofa("PUT", "force/refresh");
  assert.equal(refreshed.body.success, true);
  const { slots } = refreshed.body.data as { slots: readonly { leader: string; followers: readonly string[] }[] };
  assert.equal(slots.length, 256);
  const address = `127.0.0.1:${second.ports.node}`;
  // Missing copies are made all at once, moves begin when these are there.
  assert.ok(slots.every(({ leader, followers }) => leader !== address && followers.join() === address));
  await settled(1);
});

test("SOFARegistry's start ends the pause, and slots are balanced; its stop begins one", async () => {
  assert.deepEqual((await sofa("PUT", "reconcile/start")).body, { success: true, message: "succeed" });
  assert.deepEqual((await sofa("GET", "reconcile/status")).body, { success: true, message: "running" });
  await settled(2);
  assert.equal(await paused(), null);
  assert.deepEqual((await sofa("PUT", "reconcile/stop")).body, { success: true, message: "succeed" });
  const { by } = (await paused()) as { by: string };
  assert.equal(by, "an operator at 127.0.0.1");
});

test("a pause is resumed once, and a preview changes nothing", async () => {
  const preview = await operate(data, "POST", "/slots/resume", { preview: true });
  assert.match(preview.body.message, /would be arranged again; it was paused at .* by an operator at 127\.0\.0\.1/);
  assert.notEqual(await paused(), null);
  const done = await operate(data, "POST", "/slots/resume", {});
  assert.match(done.body.message, /^slots are arranged again/);
  assert.equal(
    (await operate(data, "POST", "/slots/resume", {})).body.message,
    "the arrangement of slots is not paused",
  );
  const again = await operate(data, "POST", "/slots/rebalance", {});
  assertInForm("slots.rebalance", again);
  assert.match(again.body.message, /slot table \d+/);
});
