import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey } from "../model/ids.ts";
import { kinds, ORDERS, OTHER, put, SESSION, serving } from "./testing/harness.ts";

const NOTHING = { version: 0n, origin: 0n };

test("an empty service whose last subscriber's release was lost is forgotten after a minute", () => {
  const node = serving();
  const { state } = node.list();
  node.pass(59_000);
  assert.deepEqual(kinds(node.fetch(state)), ["current"], "it is still known");
  node.pass(62_000);
  assert.deepEqual(kinds(node.fetch(state)), ["snapshot"], "it was forgotten, and is made anew");
});

test("what sessions scan for is not forgotten, nor what has publishers", () => {
  const node = serving();
  const { state } = node.list();
  for (let scan = 0; scan < 20; scan++) {
    node.pass(5_000);
    assert.deepEqual(node.tell({ kind: "scan", versions: [[ORDERS, state]] }, OTHER), []);
  }
  node.publish(put());
  const published = node.list().state;
  node.pass(120_000);
  assert.deepEqual(kinds(node.fetch(published)), ["current"]);
});

test("a session that asks again after its interest was forgotten hears changes again", () => {
  const node = serving();
  node.publish(put());
  const { state } = node.list();
  node.pass(120_000);
  node.fetch(state);
  assert.deepEqual(kinds(node.publish(put({ registId: "r2" }))), ["delta", "taken"]);
});

test("ten thousand services that nobody wants any more are gone after a few heartbeats", () => {
  const node = serving();
  const services = Array.from({ length: 10_000 }, (_, at) => brandServiceKey(`s${at}#@#I#@#G`));
  const given = services.map((serviceKey) => {
    const [answer] = node.tell({ kind: "fetch", serviceKey, have: NOTHING }, SESSION);
    assert.ok(answer?.kind === "snapshot");
    return { serviceKey, have: { version: answer.datum.version, origin: answer.datum.origin } };
  });
  node.pass(64_500);
  const known = given.filter(({ serviceKey, have }) => {
    return node.tell({ kind: "fetch", serviceKey, have }, SESSION)[0]?.kind === "current";
  });
  assert.deepEqual(known.length, 0);
});
