import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Rule } from "../model/rule.ts";
import { connect, nowMs, pass, reset, session, snapshot, subscribe } from "./testing/harness.ts";

beforeEach(reset);

const STOP: Rule = {
  id: "stop",
  effect: "holdPushes",
  match: {},
  isInForce: true,
  setBy: "operator",
  setMs: 1,
  reason: "",
  epoch: 0n,
};

/** Meta tells a change of its rules. */
function told(epoch: bigint, put: readonly Rule[], base?: bigint): void {
  const change = base === undefined ? {} : { base };
  session.step({ kind: "fromMeta", message: { kind: "rules", epoch, ...change, put, removed: [] } }, nowMs);
}

function subscribed() {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  session.step(
    { kind: "pushAnswered", client: client.id, push: client.channel.pushes.at(-1)?.id ?? -1, isTaken: true },
    nowMs,
  );
  return client;
}

test("a rule of a session's own holds its pushes, and meta hears of no other epoch", () => {
  const { channel } = subscribed();
  told(5n, [{ ...STOP, id: "other", match: { addresses: [] } }]);
  session.step({ kind: "setOwnRule", rule: STOP }, nowMs);
  snapshot(11n);
  assert.deepEqual(channel.versions, [10n]);
  assert.deepEqual(session.rules.holding, { meta: 1, session: 1 });
  assert.equal(session.rules.rules.epoch, 5n);
  assert.equal(session.rules.rules.get("stop")?.isInForce, true);
});

test("it stays through changes of other rules, and through all rules told anew", () => {
  const { channel } = subscribed();
  const stop = { ...STOP, isInForce: false, epoch: 5n };
  told(5n, [stop]);
  session.step({ kind: "setOwnRule", rule: STOP }, nowMs);
  told(6n, [{ ...STOP, id: "other", match: { addresses: [] }, epoch: 6n }], 5n);
  told(7n, [stop]);
  snapshot(11n);
  assert.deepEqual(channel.versions, [10n]);
});

test("it ends when meta changes the rule of its name, and the client gets the newest list", () => {
  const { channel } = subscribed();
  told(5n, []);
  session.step({ kind: "setOwnRule", rule: STOP }, nowMs);
  snapshot(11n);
  told(6n, [{ ...STOP, isInForce: false, epoch: 6n }], 5n);
  pass(100);
  assert.deepEqual(channel.versions, [10n, 11n]);
  assert.deepEqual(session.rules.holding, { meta: 0, session: 0 });
});

test("a rule that meta has changed before does not end a later one of the session's own", () => {
  const { channel } = subscribed();
  told(6n, [{ ...STOP, isInForce: false, epoch: 6n }]);
  session.step({ kind: "setOwnRule", rule: STOP }, nowMs);
  told(6n, [{ ...STOP, isInForce: false, epoch: 6n }]);
  snapshot(11n);
  assert.deepEqual(channel.versions, [10n]);
});
