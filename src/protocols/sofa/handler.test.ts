import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget, CHARGE, unlimitedBudget } from "../../base/budget.ts";
import { fail } from "../../base/errors.ts";
import { UNREAD_BYTES_MAX } from "../../base/ports.ts";
import { encodeRequest, encodeResponse } from "../../encoding/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1, type BoltDialect } from "../../encoding/bolt/frame.ts";
import type { Outcome } from "../../registry/registry.ts";
import { decodeMessage, wireForm } from "./codec/codec.ts";
import { CONFIG, configurator, handlerScene, publisher, push, START_MS, subscriber } from "./testing/handlerScene.ts";

const ACCEPTED: Outcome = { kind: "accepted", registId: "r1", version: 1n };
const REFUSED: Outcome = { ...ACCEPTED, kind: "failed", error: fail("OVERLOADED", { waiting: 2, max: 1 }) };
const CRC: BoltDialect = { protocol: 2, version: 2, crc: true };

type Scene = ReturnType<typeof handlerScene>;

/** The last frame to the client that is not a question, decoded. */
function lastMessage({ connection }: Scene) {
  const frame = connection.frames.findLast(({ command }) => command !== "heartbeat");
  assert.ok(frame);
  return decodeMessage(wireForm(frame), frame.className, frame.content);
}

test("each request is answered once, with its own id", () => {
  const scene = handlerScene();
  for (const id of [11, 12]) scene.send(publisher(), { id });
  const [first, second] = scene.events.flatMap((event) => (event.kind === "published" ? [event.request] : []));
  assert.ok(first !== undefined && second !== undefined && first !== second);
  scene.handler.answer(second, ACCEPTED);
  for (let at = 0; at < 3; at++) scene.handler.answer(first, ACCEPTED);
  scene.handler.answer(999, ACCEPTED);
  assert.deepEqual(
    scene.responses().map(({ id }) => id),
    [12, 11],
  );
  assert.equal(scene.counts.get("roster_requests_total publisherRegister ok"), 2);
});

test("each kind of registration, and each end of one, is the event that it is", () => {
  const scene = handlerScene();
  for (const [message, begin, end] of [
    [publisher, "published", "unpublished"],
    [subscriber, "subscribed", "unsubscribed"],
    [configurator, "watchedConfig", "unwatchedConfig"],
  ] as const) {
    scene.send(message());
    assert.equal(scene.events.at(-1)?.kind, begin);
    scene.send(message({ eventType: "UNREGISTER" }));
    assert.equal(scene.events.at(-1)?.kind, end);
  }
});

test("a client is anonymous, and comes from the host of its connection", () => {
  const scene = handlerScene();
  const principal = { kind: "anonymous", name: "anonymous", roles: [], from: "10.0.0.7" };
  assert.deepEqual(scene.last("connected")?.principal, principal);
});

test("an event type that nobody knows is answered with success, and nobody hears of it", () => {
  const scene = handlerScene();
  scene.send(publisher({ eventType: "PAUSE" }));
  assert.equal(scene.events.at(-1)?.kind, "connected");
  const answer = lastMessage(scene);
  assert.ok(answer.kind === "registerResponse" && answer.success);
});

test("a refusal is counted by its code and answered with its words", () => {
  const scene = handlerScene();
  scene.send(subscriber());
  scene.handler.answer(scene.last("subscribed")?.request ?? 0, REFUSED);
  assert.equal(scene.counts.get("roster_requests_total subscriberRegister OVERLOADED"), 1);
  const answer = lastMessage(scene);
  assert.ok(answer.kind === "registerResponse" && !answer.success && answer.message?.startsWith("OVERLOADED"));
  assert.deepEqual(scene.logged, ["warn a registration was refused"]);
});

test("a field that is wrong is counted, answered, and said once in the log for each kind of refusal", () => {
  const scene = handlerScene();
  for (let at = 0; at < 3; at++) scene.send(publisher({ dataId: "" }));
  assert.equal(scene.counts.get("roster_requests_total publisherRegister FIELD_INVALID"), 3);
  assert.equal(scene.responses().length, 3);
  scene.handler.received(encodeRequest(BOLT_V1, { ...UNKNOWN_CLASS, kind: "oneway" }), START_MS);
  assert.deepEqual(scene.logged, ["warn a registration was refused", "warn a request was refused"]);
});

const UNKNOWN_CLASS = { id: 3, codec: 1, timeoutMs: 1, className: "com.example.X", content: Uint8Array.of(0x4e) };

test("a request that can't be read is counted, and answered unless nobody waits for that", () => {
  const scene = handlerScene();
  for (const kind of ["request", "oneway"] as const)
    scene.handler.received(encodeRequest(BOLT_V1, { ...UNKNOWN_CLASS, kind }), START_MS);
  assert.equal(scene.counts.get("roster_frames_refused_total BOLT_CLASS_UNKNOWN"), 2);
  assert.equal(scene.responses().length, 1);
  assert.equal(scene.connection.isClosed, false);
});

test("bytes that are no frame are counted by what is wrong with them, other ends are not", () => {
  const scene = handlerScene();
  scene.handler.received(new TextEncoder().encode("GET / HTTP/1.1"), START_MS);
  const counted = [...scene.counts.keys()].filter((key) => key.startsWith("roster_frames_refused_total"));
  assert.match(counted.join(), /^roster_frames_refused_total BOLT_[A-Z_]+$/);
  const slow = handlerScene();
  slow.connection.bufferedBytes = CONFIG.clientOutputBytesMax + 1;
  slow.heartbeat();
  assert.equal(slow.connection.isClosed, true);
  assert.deepEqual(
    [...slow.counts.keys()].filter((key) => key.startsWith("roster_frames_refused_total")),
    [],
  );
});

test("a bug that a request meets ends its connection, is logged as one, and is told as a departure", () => {
  const scene = handlerScene({
    onEvent: ({ kind }) => {
      if (kind === "published") assert.fail("a bug of ours");
    },
  });
  scene.send(publisher());
  assert.deepEqual(
    [scene.connection.isClosed, scene.ends(), scene.last("disconnected")?.kind],
    [true, 1, "disconnected"],
  );
  assert.deepEqual(scene.logged, ["error a connection was closed because of a bug in roster"]);
  assert.match(String(scene.reasons[0]), /a bug of ours\n +at .*handler.test.ts/, "and where it is");
  assert.equal(scene.counts.get("roster_connections_closed_total BUG"), 1);
});

test("a bug that a push meets ends its client's connection, and not the session's step", () => {
  const scene = handlerScene();
  assert.ok(scene.handler.push(push({ view: { ...push().view, serviceKey: undefined as never } })) !== "blocked");
  assert.equal(scene.connection.isClosed, true);
  assert.deepEqual(scene.logged, ["error a connection was closed because of a bug in roster"]);
});

test("an end is told once, with its reason, and what the connection held is given back", () => {
  const budget = unlimitedBudget();
  const scene = handlerScene({ budget });
  scene.handler.received(encodeRequest(BOLT_V1, UNKNOWN_CLASS).subarray(0, 10), START_MS);
  assert.ok(budget.heldOf(CHARGE.frames) > 0);
  scene.handler.closed(START_MS);
  scene.handler.closed(START_MS);
  scene.send(publisher());
  scene.handler.drained(START_MS);
  scene.handler.waits(10, START_MS);
  assert.equal(scene.counts.get("roster_connections_closed_total closed by the client"), 1);
  assert.deepEqual([scene.ends(), budget.heldBytes, budget.addresses], [1, 0, 0]);
  assert.deepEqual(
    scene.events.map(({ kind }) => kind),
    ["connected", "disconnected"],
  );
});

test("nothing is written to a connection that has ended", () => {
  const scene = handlerScene();
  scene.handler.closed(START_MS);
  scene.handler.push(push());
  assert.deepEqual([scene.connection.frames.length, scene.handler.writtenBytes], [0, 0]);
});

test("a push goes out as the client speaks, with the push's id and the bytes counted", () => {
  const scene = handlerScene();
  scene.send(subscriber(), { dialect: CRC, kind: "oneway" });
  const before = scene.handler.writtenBytes;
  scene.handler.push(push({ id: 42 }));
  const frame = scene.connection.frames.at(-1);
  assert.ok(frame?.kind === "request" && frame.id === 42 && frame.dialect.crc);
  const trailerBytes = 4;
  assert.equal(scene.counts.get("roster_push_bytes_total"), scene.handler.writtenBytes - before - trailerBytes);
});

test("a push costs its send, its bytes and the making of its body, once", () => {
  const { handler } = handlerScene();
  const view = push().view;
  const [made, again] = [handler.push(push({ view })), handler.push(push({ view, id: 2 }))];
  assert.ok(made !== "blocked" && again !== "blocked" && again < made && again > 0.015 && made < 0.1);
});

test("a value goes out in the form in which it was asked for", () => {
  for (const form of ["hessian-draft", "hessian-final"] as const) {
    const scene = handlerScene();
    scene.send(configurator(), { form });
    const { serviceKey } = push().view;
    assert.equal(scene.handler.pushConfig({ id: 7, serviceKey, version: 3n, data: "on", registIds: ["c1"] }), "sent");
    const message = lastMessage(scene);
    assert.ok(message.kind === "receivedConfigData" && message.version === 3n);
    const frame = scene.connection.frames.at(-1);
    assert.ok(frame?.id === 7 && wireForm(frame) === form);
  }
});

test("a value arrives as it was set, and one that is not set as nothing", () => {
  const scene = handlerScene();
  scene.send(configurator());
  const { serviceKey } = push().view;
  const arrived = ["än", null].map((data) => {
    scene.handler.pushConfig({ id: 7, serviceKey, version: 3n, data, registIds: ["c1"] });
    const message = lastMessage(scene);
    assert.ok(message.kind === "receivedConfigData");
    return message.dataBox === null ? null : new TextDecoder().decode(message.dataBox.utf8);
  });
  assert.deepEqual(arrived, ["än", null]);
});

test("a push names its receivers in every form, also one of all data centers", () => {
  for (const form of ["hessian-draft", "hessian-final", "protobuf"]) {
    for (const multi of ["", " multi"]) {
      const scene = handlerScene();
      const registIds = ["s1", "s2"];
      scene.handler.push(push({ variant: `${form} plain${multi}`, registIds }));
      const message = lastMessage(scene);
      assert.ok(message.kind === (multi === "" ? "receivedData" : "multiReceivedData"), `${form}${multi}`);
      assert.deepEqual(message.subscriberRegistIds, registIds, `${form}${multi}`);
    }
  }
});

test("pushes and values are held back while more than the bound is unread, and not at the bound", () => {
  const scene = handlerScene();
  const config = { id: 7, serviceKey: push().view.serviceKey, version: 3n, data: null, registIds: ["c1"] };
  scene.connection.bufferedBytes = UNREAD_BYTES_MAX + 1;
  assert.deepEqual([scene.handler.push(push()), scene.handler.pushConfig(config)], ["blocked", "blocked"]);
  scene.connection.bufferedBytes = UNREAD_BYTES_MAX;
  assert.notEqual(scene.handler.push(push()), "blocked");
  assert.equal(scene.handler.pushConfig(config), "sent");
});

test("an answer to a push says whether it was taken: by its status, and by what it says", () => {
  const scene = handlerScene();
  const taken = (id: number) => scene.last("pushAnswered")?.push === id && scene.last("pushAnswered")?.isTaken;
  scene.answerPush(1);
  assert.equal(taken(1), true);
  scene.answerPush(2);
  assert.equal(taken(2), true, "the same bytes again");
  scene.answerPush(3, { success: false });
  assert.equal(taken(3), false);
  scene.answerPush(4, { status: BOLT_STATUS.SERVER_EXCEPTION });
  assert.equal(taken(4), false);
});

test("an answer to a push that nobody can read is counted", () => {
  const scene = handlerScene();
  const response = { id: 42, codec: 1, status: BOLT_STATUS.SUCCESS, className: "com.example.Ok" };
  scene.handler.received(encodeResponse(BOLT_V1, { ...response, content: Uint8Array.of(1, 2, 3) }), START_MS);
  assert.equal(scene.counts.get("roster_frames_refused_total BOLT_CLASS_UNKNOWN"), 1);
});

test("answers that wait are bounded, and one push of any size is not held against the client", () => {
  const over = CONFIG.clientOutputBytesMax + 1;
  const [tight, pushed] = [handlerScene(), handlerScene()];
  tight.connection.bufferedBytes = CONFIG.clientOutputBytesMax;
  tight.heartbeat();
  assert.equal(tight.connection.isClosed, false, "exactly at the bound");
  tight.connection.bufferedBytes = over;
  tight.heartbeat();
  assert.equal(tight.connection.isClosed, true);
  assert.equal(tight.counts.get("roster_connections_closed_total CLIENT_TOO_SLOW"), 1);
  pushed.handler.push(push());
  pushed.connection.bufferedBytes = over;
  pushed.heartbeat();
  assert.equal(pushed.connection.isClosed, false);
  pushed.connection.bufferedBytes = over + 10_000;
  pushed.heartbeat();
  assert.equal(pushed.connection.isClosed, true);
});

test("a push that was written when nothing waited is the only one that may still be under way", () => {
  const scene = handlerScene();
  const large = push({ registIds: Array.from({ length: 5_000 }, (_, at) => `s${at}`) });
  scene.handler.push(large);
  scene.handler.push(push());
  scene.connection.bufferedBytes = CONFIG.clientOutputBytesMax + 10_000;
  scene.heartbeat();
  assert.equal(scene.connection.isClosed, true, "the large one has left");
});

test("of pushes that were written while something waited the largest counts", () => {
  const scene = handlerScene();
  scene.connection.bufferedBytes = 1;
  scene.handler.push(push({ registIds: Array.from({ length: 5_000 }, (_, at) => `s${at}`) }));
  scene.handler.push(push());
  scene.connection.bufferedBytes = CONFIG.clientOutputBytesMax + 10_000;
  scene.heartbeat();
  assert.equal(scene.connection.isClosed, false);
});

test("a new client is asked once, right behind its first answer, whether it is there", () => {
  const scene = handlerScene();
  scene.handler.received(encodeRequest(BOLT_V1, UNKNOWN_CLASS).subarray(0, 10), START_MS);
  assert.equal(scene.questions(), 0, "no frame yet");
  scene.handler.received(encodeRequest(BOLT_V1, UNKNOWN_CLASS).subarray(10), START_MS);
  assert.equal(scene.questions(), 1);
  scene.heartbeat();
  assert.equal(scene.questions(), 1);
});

test("a client is asked when it is silent, unless it could not hear or what it said is unread", () => {
  const scene = handlerScene();
  scene.heartbeat();
  assert.equal(scene.handler.askIfSilent(START_MS + 4_999), false);
  scene.connection.hasUnread = true;
  assert.equal(scene.handler.askIfSilent(START_MS + 5_000), false);
  scene.connection.hasUnread = false;
  scene.connection.bufferedBytes = UNREAD_BYTES_MAX + 1;
  assert.equal(scene.handler.askIfSilent(START_MS + 5_000), false);
  scene.connection.bufferedBytes = 0;
  assert.equal(scene.handler.askIfSilent(START_MS + 5_000), true);
  assert.equal(scene.questions(), 2);
});

test("a client is silent since a moment if nothing came after it, unless that can't be told", () => {
  const { handler, connection, heartbeat, answerHeartbeat } = handlerScene();
  heartbeat(100);
  assert.deepEqual([handler.isSilentSince(START_MS + 101), handler.isSilentSince(START_MS + 100)], [true, false]);
  connection.hasUnread = true;
  assert.equal(handler.isSilentSince(START_MS + 101), false);
  connection.hasUnread = false;
  connection.bufferedBytes = UNREAD_BYTES_MAX + 1;
  assert.equal(handler.isSilentSince(START_MS + 101), false);
  assert.equal(handler.answersQuestions, false);
  answerHeartbeat();
  assert.equal(handler.answersQuestions, true);
  assert.equal(handler.address, "10.0.0.7");
});

test("a client for which nothing moves for client-idle-ms is closed, one that reads a little is not", () => {
  for (const reads of [true, false]) {
    const scene = handlerScene();
    scene.heartbeat();
    scene.connection.bufferedBytes = UNREAD_BYTES_MAX + 5_000_000;
    for (let atMs = 500; atMs < 20_000; atMs += 500) {
      if (reads) scene.connection.bufferedBytes -= 1;
      scene.handler.closeIdle(START_MS + atMs);
      assert.equal(scene.connection.isClosed, false, `${reads} ${atMs}`);
    }
    scene.handler.closeIdle(START_MS + 20_500);
    assert.equal(scene.connection.isClosed, !reads);
    if (!reads) assert.equal(scene.counts.get("roster_connections_closed_total CLIENT_TOO_SLOW"), 1);
  }
});

test("a client that has read everything and then says nothing is silent, not stuck", () => {
  const scene = handlerScene();
  scene.heartbeat();
  scene.answerHeartbeat();
  scene.connection.bufferedBytes = 100;
  scene.handler.closeIdle(START_MS + 10_000);
  scene.connection.bufferedBytes = 0;
  scene.handler.closeIdle(START_MS + 15_000);
  scene.handler.ask(START_MS + 16_000);
  scene.handler.closeIdle(START_MS + 34_000);
  assert.equal(scene.connection.isClosed, false, "it read until 15 s");
  scene.handler.closeIdle(START_MS + 36_000);
  assert.equal(scene.counts.get("roster_connections_closed_total CLIENT_IDLE"), 1);
});

test("a frame that is not complete after a minute is not waited for, and a complete one begins the minute anew", () => {
  for (const completes of [true, false]) {
    const scene = handlerScene();
    const frame = encodeRequest(BOLT_V1, UNKNOWN_CLASS);
    scene.handler.received(frame.subarray(0, 5).slice(), START_MS);
    if (completes) scene.handler.received(joined(frame.subarray(5), frame.subarray(0, 5)), START_MS + 30_000);
    scene.handler.drained(START_MS + 59_500);
    scene.handler.closeIdle(START_MS + 59_999);
    assert.equal(scene.connection.isClosed, false);
    scene.handler.drained(START_MS + 60_000);
    scene.handler.closeIdle(START_MS + 60_000);
    assert.equal(scene.connection.isClosed, !completes);
  }
});

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

test("after a time in which the process was away nothing counts against the client", () => {
  const scene = handlerScene();
  scene.heartbeat();
  scene.answerHeartbeat();
  scene.handler.received(encodeRequest(BOLT_V1, UNKNOWN_CLASS).subarray(0, 5).slice(), START_MS);
  scene.connection.bufferedBytes = 100;
  scene.handler.closeIdle(START_MS);
  scene.handler.resumed(59_000, START_MS + 59_000);
  scene.handler.closeIdle(START_MS + 60_500);
  assert.equal(scene.connection.isClosed, false);
});

test("a client for which nothing moved before the process was away is stuck for that time, and no longer", () => {
  const scene = handlerScene();
  scene.heartbeat();
  scene.connection.bufferedBytes = UNREAD_BYTES_MAX + 1;
  scene.handler.closeIdle(START_MS);
  scene.handler.resumed(30_000, START_MS + 40_000);
  scene.handler.closeIdle(START_MS + 49_999);
  assert.equal(scene.connection.isClosed, false);
  scene.handler.closeIdle(START_MS + 50_000);
  assert.equal(scene.connection.isClosed, true);
});

test("a frame that was begun before the process was away is waited for a minute, without that time", () => {
  const scene = handlerScene();
  scene.handler.received(encodeRequest(BOLT_V1, UNKNOWN_CLASS).subarray(0, 5).slice(), START_MS);
  scene.handler.resumed(30_000, START_MS + 40_000);
  for (const [atMs, isClosed] of [
    [89_999, false],
    [90_000, true],
  ] as const) {
    scene.handler.drained(START_MS + atMs);
    scene.handler.closeIdle(START_MS + atMs);
    assert.equal(scene.connection.isClosed, isClosed);
  }
});

test("while what a client sent waits for its turn, nothing is judged", () => {
  const scene = handlerScene();
  scene.heartbeat();
  scene.connection.hasUnread = true;
  scene.handler.closeIdle(START_MS + 100_000);
  assert.equal(scene.connection.isClosed, false);
});

test("what waits for a turn is charged, and too much of it ends the connection", () => {
  const budget = new Budget({ ...unlimitedBudget().limits, clientBytesMax: 1_000 });
  const scene = handlerScene({ budget });
  scene.handler.waits(1_000, START_MS);
  assert.equal(budget.heldOf(CHARGE.frames), 1_000);
  scene.handler.waits(1_001, START_MS);
  assert.deepEqual([scene.connection.isClosed, budget.heldBytes], [true, 0]);
  assert.equal(scene.counts.get("roster_connections_closed_total CLIENT_BYTES_EXHAUSTED"), 1);
});

test("a client that reads again is a sign of life, and the session is told", () => {
  const scene = handlerScene();
  scene.handler.drained(START_MS + 50);
  assert.equal(scene.events.at(-1)?.kind, "drained");
  assert.equal(scene.handler.isSilentSince(START_MS + 50), false);
});

test("what has left is what was written and does not wait", () => {
  const scene = handlerScene();
  scene.handler.push(push());
  scene.connection.bufferedBytes = 10;
  assert.equal(scene.handler.sentBytes, scene.handler.writtenBytes - 10);
});

test("that pushes are paused is a warning, that they go on is not", () => {
  const scene = handlerScene();
  scene.handler.report("paused");
  scene.handler.report("resumed");
  assert.deepEqual(scene.logged, [
    "warn pushes to a client are paused because it does not answer them",
    "info pushes to a client are resumed because it answers them again",
  ]);
});
