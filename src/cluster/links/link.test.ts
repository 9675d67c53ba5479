// One end of a link: its output and its close, with a connection played by the test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import type { Connection } from "../../base/ports.ts";
import { BoltDecoder } from "../../encoding/bolt/decoder.ts";
import { encodeHeartbeat, encodeHeartbeatAck, encodeRequest, encodeResponse } from "../../encoding/bolt/encode.ts";
import { BOLT_STATUS, type BoltDialect, type BoltFrame } from "../../encoding/bolt/frame.ts";
import { NODE_CODEC } from "../codec/format.ts";
import {
  LINK_BACKLOG_BYTES_MAX,
  LINK_FRAME_BYTES_MAX,
  LINK_TIMES,
  LINK_UNSENT_BYTES_MAX,
  Link,
  type LinkSide,
  linkMessage,
} from "./link.ts";
import { TestTime } from "./testing/wires.ts";

const DIALECT: BoltDialect = { protocol: 2, version: 1, crc: false };
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

const greeting = (content = "hello") =>
  encodeRequest(DIALECT, {
    ...{ id: 1, codec: NODE_CODEC, timeoutMs: 1_000, className: "roster.Hello" },
    content: bytes(content),
  });
const welcome = (status: number = BOLT_STATUS.SUCCESS) =>
  encodeResponse(DIALECT, { id: 1, codec: NODE_CODEC, status, className: "roster.HelloAnswer", content: bytes("hi") });
const heartbeat = encodeHeartbeat(DIALECT, 7, NODE_CODEC);
const heartbeatAck = encodeHeartbeatAck(DIALECT, 7, NODE_CODEC);
const message = (content: string) => linkMessage("roster.SessionToData", bytes(content));
const inOne = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);

const challenged = () => ({ refusal: "no proof" });
const notAsked = () => assert.fail("no challenge was sent");

/** One end, and all its actions. */
function end(kind: LinkSide["kind"], { refusal = "", throwing = undefined as unknown, isWelcome = true } = {}) {
  const time = new TestTime();
  const written: BoltFrame[] = [];
  const decoder = new BoltDecoder({ frameBytesMax: LINK_FRAME_BYTES_MAX });
  const connection = {
    remoteAddress: "192.0.2.1:1",
    localAddress: "192.0.2.2:2",
    bufferedBytes: 0,
    hasUnread: false,
    isClosed: false,
    write: (...parts: readonly Uint8Array[]) => decoder.push(inOne(...parts), (frame) => void written.push(frame)),
    close: () => {
      connection.isClosed = true;
    },
  };
  const seen: string[] = [];
  const side: LinkSide =
    kind === "dial"
      ? { kind, greeting: bytes("hello"), challenged, answered: () => (refusal === "" ? undefined : refusal) }
      : { kind, greeted: (content) => ({ isWelcome, content: bytes(`to ${text(content)}`) }), proved: notAsked };
  const link = new Link(
    connection satisfies Connection,
    side,
    {
      up: () => void seen.push("up"),
      received: (className, content) => {
        if (throwing !== undefined) throw throwing;
        seen.push(`${className} ${text(content)}`);
      },
      down: (reason) => void seen.push(`down: ${reason}`),
    },
    {
      clock: time,
      timers: time,
      times: LINK_TIMES,
      failed: (error) => void seen.push(`bug: ${error}`),
      dropped: (length) => void seen.push(`dropped ${length}`),
      nowMs: time.nowMs(),
    },
  );
  const receive = (...parts: readonly Uint8Array[]) => link.received(inOne(...parts), time.nowMs());
  const wrote = () => written.splice(0).map((frame) => `${frame.command} ${frame.kind} ${frame.className}`.trim());
  const take = () => seen.splice(0);
  return { time, connection, link, receive, wrote, take };
}

/** An end that is up, with its earlier output cleared. */
function up(kind: LinkSide["kind"], options: Parameters<typeof end>[1] = {}) {
  const one = end(kind, options);
  one.receive(kind === "dial" ? welcome() : greeting());
  one.wrote();
  assert.deepEqual(one.take(), ["up"]);
  return one;
}

test("who dials greets first, and is up when it is welcomed", () => {
  const { receive, wrote, take } = end("dial");
  assert.deepEqual(wrote(), ["rpc request roster.Hello"]);
  receive(welcome());
  assert.deepEqual([take(), wrote()], [["up"], []]);
});

test("who accepts says nothing before it is greeted, answers, and is up then", () => {
  const { receive, wrote, take } = end("accept");
  assert.deepEqual(wrote(), []);
  receive(greeting());
  assert.deepEqual([wrote(), take()], [["rpc response roster.HelloAnswer"], ["up"]]);
});

test("who is not welcome is told so, and the link is closed", () => {
  const accepting = end("accept", { isWelcome: false });
  accepting.receive(greeting());
  assert.deepEqual([accepting.wrote(), accepting.take()], [["rpc response roster.HelloAnswer"], ["down: refused"]]);
  assert.ok(accepting.connection.isClosed);
  const dialling = end("dial", { refusal: "another cluster" });
  dialling.receive(welcome(BOLT_STATUS.ERROR));
  assert.deepEqual([dialling.take(), dialling.connection.isClosed], [["down: another cluster"], true]);
});

test("messages are handed on in their order, also those that came in one piece with the greeting's answer", () => {
  const dialling = end("dial");
  dialling.receive(welcome(), ...message("a").parts, ...message("b").parts);
  assert.deepEqual(dialling.take(), ["up", "roster.SessionToData a", "roster.SessionToData b"]);
});

test("who dials has to wait for the answer: a part of a message behind its greeting closes the link", () => {
  const { receive, take } = end("accept");
  const [head = new Uint8Array()] = message("a").parts;
  receive(greeting(), head.subarray(0, 10));
  assert.deepEqual(take(), ["up", "down: the peer did not wait for our answer"]);
  const second = up("accept");
  second.receive(greeting());
  assert.deepEqual(second.take(), ["down: the peer greets twice"]);
});

test("what does not belong on a link between nodes closes it, and nothing is heard afterwards", () => {
  const cases: readonly [ReturnType<typeof end>, Uint8Array][] = [
    [end("accept"), inOne(...message("early").parts)],
    [end("accept"), welcome()],
    [end("dial"), greeting()],
    [end("dial"), inOne(...message("early").parts)],
    [up("dial"), welcome()],
    [up("dial"), greeting()],
  ];
  for (const [{ receive, take, connection }, content] of cases) {
    receive(content);
    const [reason = ""] = take();
    assert.match(reason, /^down: a \w+ that does not belong here/);
    assert.ok(connection.isClosed);
    receive(...message("later").parts);
    assert.deepEqual(take(), []);
  }
});

test("a request of another class than a greeting is none", () => {
  const { receive, take } = end("accept");
  const head = { id: 1, codec: NODE_CODEC, timeoutMs: 1, className: "roster.SessionToData" };
  receive(encodeRequest(DIALECT, { ...head, content: bytes("x") }));
  assert.match(take()[0] ?? "", /does not belong here/);
});

test("a message that can't be read closes the link; a bug is told besides", () => {
  const malformed = up("accept", { throwing: fail("NODE_MESSAGE_MALFORMED") });
  malformed.receive(...message("x").parts);
  assert.match(malformed.take().join("; "), /^down: NODE_MESSAGE_MALFORMED/);
  const bug = up("accept", { throwing: new TypeError("oops") });
  bug.receive(...message("x").parts);
  assert.deepEqual(bug.take(), ["bug: TypeError: oops", "down: oops"]);
});

test("a message goes out as it is while the link is up, and not at all before or after", () => {
  const { link, receive, wrote } = end("dial");
  wrote();
  link.send(message("early"));
  receive(welcome());
  link.send(message("now"));
  link.close("enough");
  link.send(message("late"));
  assert.deepEqual(wrote(), ["rpc oneway roster.SessionToData"]);
});

test("a message that is longer than any peer would read is dropped, and the link goes on", () => {
  const { link, wrote, take } = up("dial");
  link.send({ parts: [], bytes: LINK_FRAME_BYTES_MAX + 1 });
  assert.deepEqual([take(), wrote()], [[`dropped ${LINK_FRAME_BYTES_MAX + 1}`], []]);
  link.send(message("next"));
  assert.equal(wrote().length, 1);
});

test("a gibibyte may wait for a peer, and not a byte more", () => {
  const { link, connection, wrote, take } = up("dial");
  connection.bufferedBytes = LINK_BACKLOG_BYTES_MAX;
  link.send(message("fits"));
  assert.deepEqual([wrote().length, take()], [1, []]);
  connection.bufferedBytes = LINK_BACKLOG_BYTES_MAX + 1;
  link.send(message("too much"));
  assert.match(take()[0] ?? "", /the peer is too slow/);
});

test("a heartbeat is answered, by either side, and its answer is not", () => {
  for (const kind of ["dial", "accept"] as const) {
    const { receive, wrote, take } = up(kind);
    receive(heartbeat);
    receive(heartbeatAck);
    assert.deepEqual([wrote(), take()], [["heartbeat response"], []]);
  }
});

test("only who dials sends heartbeats: after a second without writing, or without reading", () => {
  const accepting = up("accept");
  accepting.time.run(3_000);
  assert.deepEqual(accepting.wrote(), []);
  const quiet = up("dial");
  quiet.time.run(1_000);
  quiet.wrote();
  quiet.receive(heartbeatAck);
  quiet.time.run(1_000);
  assert.deepEqual(quiet.wrote(), ["heartbeat request"]);
  const talking = up("dial");
  talking.time.run(1_000);
  talking.wrote();
  talking.time.run(500);
  talking.link.send(message("x"));
  talking.receive(heartbeatAck);
  talking.time.run(500);
  assert.deepEqual(talking.wrote(), ["rpc oneway roster.SessionToData"], "it has written and read");
  talking.link.send(message("y"));
  talking.time.run(1_000);
  assert.deepEqual(talking.wrote(), ["rpc oneway roster.SessionToData", "heartbeat request"], "it has only written");
});

test("a peer of whom nothing was read for five seconds is gone", () => {
  const { time, take, receive } = up("dial");
  time.run(2_500);
  receive(heartbeatAck);
  time.run(4_999);
  assert.deepEqual(take(), []);
  time.run(1_001);
  assert.match(take()[0] ?? "", /^down: nothing was read for 5\d{3} ms$/);
});

test("a process that was away itself judges its peers by the next tick", () => {
  const { time, take, receive } = up("dial");
  time.run(1_000);
  time.stop(8_000);
  time.run(10);
  assert.deepEqual(take(), [], "what they sent has not been read yet");
  receive(heartbeatAck);
  time.run(4_000);
  assert.deepEqual(take(), []);
  const { time: late, take: told } = up("dial");
  late.run(1_000);
  late.stop(8_000);
  late.run(10);
  late.run(1_000);
  assert.match(told()[0] ?? "", /nothing was read/);
});

test("a busy process, whose ticks are late by a second at most, still judges its peers", () => {
  for (const [lateMs, isJudging] of [
    [1_000, true],
    [1_001, false],
  ] as const) {
    const { time, take } = up("dial");
    time.run(4_000);
    assert.deepEqual(take(), []);
    time.stop(1_000 + lateMs);
    time.run(0);
    assert.equal(take().length, isJudging ? 1 : 0, `${lateMs} ms late`);
  }
});

test("a link on which nobody greets within five seconds is none, though something is read", () => {
  for (const kind of ["dial", "accept"] as const) {
    const { time, receive, take } = end(kind);
    for (let second = 0; second < 5; second++) {
      assert.deepEqual(take(), []);
      receive(heartbeat);
      time.run(1_000);
    }
    assert.equal(take()[0], "down: no greeting within 5000 ms");
  }
});

test("a link that is up needs no greeting any more", () => {
  const { time, receive, take } = up("accept");
  for (let second = 0; second < 10; second++) {
    receive(heartbeat);
    time.run(1_000);
  }
  assert.deepEqual(take(), []);
});

test("too much that waits, and of which nothing is taken for two seconds, closes the link", () => {
  const waits = (waiting: number, takenEachSecond: number) => {
    const { time, connection, receive, link, take } = up("dial");
    let taken = 0;
    for (let second = 0; second < 4; second++) {
      link.send(message("x".repeat(1_000)));
      receive(heartbeatAck);
      taken += takenEachSecond;
      connection.bufferedBytes = waiting + 2_000 * second - taken;
      time.run(1_000);
    }
    return take().length;
  };
  assert.equal(waits(LINK_UNSENT_BYTES_MAX - 8_000, 0), 0, "so much may wait");
  assert.equal(waits(2 * LINK_UNSENT_BYTES_MAX, 5_000), 0, "it takes something");
});

test("a peer that takes nothing at all is closed at the second tick at which that is so", () => {
  const { time, connection, receive, take } = up("dial");
  let written = 0;
  const write = connection.write;
  connection.write = (...parts) => {
    for (const part of parts) written += part.length;
    write(...parts);
  };
  connection.bufferedBytes = LINK_UNSENT_BYTES_MAX + 1;
  for (let second = 0; second < 2; second++) {
    receive(heartbeatAck);
    connection.bufferedBytes = LINK_UNSENT_BYTES_MAX + 1 + written;
    time.run(1_000);
    assert.deepEqual(take(), [], `after ${second + 1} s`);
  }
  receive(heartbeatAck);
  connection.bufferedBytes = LINK_UNSENT_BYTES_MAX + 1 + written;
  time.run(1_000);
  assert.match(take()[0] ?? "", /the peer does not read/);
});

test("a link ends once, whoever ends it, and nothing is done afterwards", () => {
  const { link, time, wrote, take, connection } = up("dial");
  link.close("enough");
  link.close("again");
  link.closed();
  time.run(10_000);
  assert.deepEqual([take(), wrote(), connection.isClosed], [["down: enough"], [], true]);
  const lost = up("dial");
  lost.link.closed();
  assert.deepEqual(lost.take(), ["down: the connection was closed"]);
});

test("a stranger may send as many bytes as a greeting has, a node of the cluster a whole list", () => {
  const stranger = end("accept");
  stranger.receive(greeting("x".repeat(9_000)));
  assert.match(stranger.take()[0] ?? "", /^down: /);
  const node = up("accept");
  node.receive(...message("x".repeat(100_000)).parts);
  assert.equal(node.take().length, 1);
});
