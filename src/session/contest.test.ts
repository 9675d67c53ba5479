// The decision between two connections that want one registration, each condition at its bounds; the stories are in
// takeOver.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldPublication } from "./client.ts";
import { contest, isOneClient, returnMs } from "./takeOver.ts";
import { NOW_MS, newClient, publication } from "./testing/parts.ts";

type TestClient = ReturnType<typeof newClient>;

function heldBy(client: TestClient, changes: Partial<HeldPublication> = {}): HeldPublication {
  const held = { publication: publication({ version: 5n }), client, bytes: 0, behind: undefined };
  return { ...held, state: { kind: "taken" }, ...changes };
}

/** The answer to another connection that claims the registration; "taken" if it may have it. */
function claim(held: HeldPublication | undefined, client: TestClient, { version = 5n, atMs = 0, stallMs = -1e9 } = {}) {
  const times = { nowMs: NOW_MS + atMs, resumedMs: NOW_MS + stallMs };
  return contest(held, client, { registId: "p1", version, ...times })?.code ?? "taken";
}

/** A holder that was asked at `NOW_MS` and has sent nothing since. */
function silentHolder({ answersQuestions = true } = {}): TestClient {
  const holder = newClient();
  holder.askedMs = NOW_MS;
  holder.channel.heardMs = NOW_MS - 1;
  holder.channel.answersQuestions = answersQuestions;
  return holder;
}

test("what nobody holds, or oneself, or what was lost elsewhere, may be had", () => {
  const [holder, other] = [newClient(), newClient()];
  other.channel.address = "10.0.0.99";
  assert.deepEqual([claim(undefined, other), claim(heldBy(holder), holder)], ["taken", "taken"]);
  for (const kind of ["superseded", "outrun"] as const) {
    assert.equal(claim(heldBy(holder, { state: { kind } }), other), "taken");
  }
});

test("who claims again what another client has elsewhere is told so, and any other may have it", () => {
  const [holder, other] = [newClient(), newClient()];
  const held = heldBy(holder, { state: { kind: "contested", holder: undefined, refusals: 1 } });
  assert.deepEqual([claim(held, holder), claim(held, other)], ["REGISTRATION_HELD", "taken"]);
});

test("another connection may raise the version by 2^44 and no more", () => {
  const holder = newClient();
  holder.departedMs = NOW_MS;
  const step = 1n << 44n;
  assert.equal(claim(heldBy(holder), newClient(), { version: 5n + step }), "taken");
  assert.equal(claim(heldBy(holder), newClient(), { version: 6n + step }), "FIELD_INVALID");
});

test("a holder that has gone gives way to the same version or a higher one, not to a lower", () => {
  const holder = newClient();
  holder.departedMs = NOW_MS;
  const outcomes = [4n, 5n, 6n].map((version) => claim(heldBy(holder), newClient(), { version }));
  assert.deepEqual(outcomes, ["REGISTRATION_HELD", "taken", "taken"]);
});

test("a holder that answers has two seconds from the question, one that never did sixteen", () => {
  for (const [answersQuestions, patienceMs] of [
    [true, 2_000],
    [false, 16_000],
  ] as const) {
    const held = heldBy(silentHolder({ answersQuestions }));
    assert.equal(claim(held, newClient(), { atMs: patienceMs - 1 }), "REGISTRATION_HELD");
    assert.equal(claim(held, newClient(), { atMs: patienceMs }), "taken");
  }
});

test("the time of a holder begins anew when this process had stood still", () => {
  const held = heldBy(silentHolder());
  assert.equal(claim(held, newClient(), { atMs: 2_999, stallMs: 1_000 }), "REGISTRATION_HELD");
  assert.equal(claim(held, newClient(), { atMs: 3_000, stallMs: 1_000 }), "taken");
});

test("a holder that has said something is asked, twice a second at the most", () => {
  const holder = newClient();
  for (const atMs of [0, 499, 500, 999]) claim(heldBy(holder), newClient(), { atMs });
  assert.deepEqual(holder.channel.questions, [NOW_MS, NOW_MS + 500]);
});

test("one client is one process where both name theirs, and one address where not", () => {
  const [holder, other] = [newClient(), newClient()];
  const isOne = (processId?: string) => isOneClient(holder, other, processId === undefined ? {} : { processId });
  assert.equal(isOne(), true);
  assert.equal(isOne("a"), true, "the holder has named none");
  holder.processId = "a";
  assert.deepEqual([isOne("a"), isOne("b"), isOne("")], [true, false, true]);
  other.channel.address = "10.0.0.99";
  assert.deepEqual([isOne("a"), isOne("b"), isOne("")], [true, false, false]);
});

test("a stranger is refused without the holder being asked", () => {
  const [holder, stranger] = [newClient(), newClient()];
  stranger.channel.address = "10.0.0.99";
  assert.equal(claim(heldBy(holder), stranger), "REGISTRATION_HELD");
  assert.deepEqual(holder.channel.questions, []);
});

test("a client that was asked less than one and a half seconds ago has until its next try beside its grace", () => {
  const client = newClient();
  client.askedMs = NOW_MS;
  assert.equal(returnMs(client, 1_000, NOW_MS + 1_499), 2_500);
  assert.equal(returnMs(client, 1_000, NOW_MS + 1_500), 1_000);
});
