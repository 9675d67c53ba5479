// The times at which a node dials again, and its reports: the test plays the network and the peer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defined } from "../../base/assert.ts";
import type { Connection, ConnectionHandler, LogFields } from "../../base/ports.ts";
import { encodeResponse } from "../../encoding/bolt/encode.ts";
import { BOLT_STATUS } from "../../encoding/bolt/frame.ts";
import { nodeId } from "../../model/ids.ts";
import { NODE_CODEC } from "../codec/format.ts";
import { encodeHelloAnswer } from "../codec/hello.ts";
import type { Hello, HelloAnswer } from "../messages/hello.ts";
import { LINK_TIMES, linkMessage } from "./link.ts";
import { LinkDialer } from "./linkDialer.ts";
import { TestTime } from "./testing/wires.ts";

const SELF = nodeId("s1.a");
const PEER = nodeId("d1.a");
const HELLO: Hello = {
  kind: "hello",
  protocolVersion: 1,
  minProtocolVersion: 1,
  clusterName: "c",
  slotCount: 256,
  from: SELF,
  roles: ["session"],
  link: "data",
  address: "192.0.2.1:9620",
};

/** A dialler on virtual time; the dice always say `dice`. */
function scene({ hello = {}, dice = 1 - Number.EPSILON }: { hello?: Partial<Hello>; dice?: number } = {}) {
  const time = new TestTime();
  const startMs = time.nowMs();
  const dials: number[] = [];
  const logged: string[] = [];
  const seen: string[] = [];
  let outcome: { connected(connection: Connection, nowMs: number): ConnectionHandler; failed(reason: string): void };
  let handler: ConnectionHandler | undefined;
  let isCancelled = false;
  let writes = 0;
  const note = (level: string) => (event: string, fields?: LogFields) =>
    void logged.push(`${level}: ${event}${fields?.["reason"] === undefined ? "" : `: ${fields["reason"]}`}`);
  const dialler = new LinkDialer(
    { address: "d1:9620", hello: { ...HELLO, ...hello } },
    {
      up: (node) => void seen.push(`up ${node}`),
      received: (node, className) => void seen.push(`${node} ${className}`),
      down: (node) => void seen.push(`down ${node}`),
    },
    {
      clock: time,
      timers: time,
      times: LINK_TIMES,
      random: { next: () => dice },
      failed: (error) => assert.ifError(error),
      log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
      dial: (address, next) => {
        assert.equal(address, "d1:9620");
        dials.push(Math.round(time.nowMs() - startMs));
        outcome = next;
        return () => {
          isCancelled = true;
        };
      },
    },
  );
  const connect = () => {
    const connection: Connection = {
      remoteAddress: "192.0.2.9:1",
      localAddress: "192.0.2.2:2",
      bufferedBytes: 0,
      hasUnread: false,
      write: () => void writes++,
      close: () => undefined,
    };
    handler = outcome.connected(connection, time.nowMs());
  };
  const answer = (changes: Partial<HelloAnswer> = {}) => {
    const said: HelloAnswer = {
      kind: "helloAnswer",
      accepted: true,
      reason: "",
      from: PEER,
      roles: ["data"],
      ...changes,
    };
    const status = said.accepted ? BOLT_STATUS.SUCCESS : BOLT_STATUS.ERROR;
    const head = { id: 1, codec: NODE_CODEC, status, className: "roster.HelloAnswer" };
    const frame = encodeResponse(
      { protocol: 2, version: 1, crc: false },
      { ...head, content: encodeHelloAnswer(said) },
    );
    defined(handler, "it is connected").received(frame, time.nowMs());
  };
  return {
    time,
    dialler,
    connect,
    answer,
    dials,
    fail: (reason = "nobody listens") => outcome.failed(reason),
    lose: () => handler?.closed(time.nowMs()),
    receive: (...parts: readonly Uint8Array[]) => handler?.received(Buffer.concat(parts), time.nowMs()),
    takeLog: () => logged.splice(0),
    takeSeen: () => seen.splice(0),
    get isCancelled() {
      return isCancelled;
    },
    get writes() {
      return writes;
    },
  };
}

test("a dial that fails is tried again after 50 ms, then ever later, up to each second", () => {
  const waits = scene();
  const delays: number[] = [];
  for (let tries = 0; tries < 7; tries++) {
    const atMs = waits.time.nowMs();
    waits.fail();
    const count = waits.dials.length;
    while (waits.dials.length === count) waits.time.run(1);
    delays.push(Math.round(waits.time.nowMs() - atMs));
  }
  assert.deepEqual(delays, [50, 100, 200, 400, 800, 1_000, 1_000]);
});

test("half of a wait is by the dice", () => {
  const { time, fail, dials } = scene({ dice: 0 });
  fail();
  time.run(24);
  assert.equal(dials.length, 1);
  time.run(1);
  assert.equal(dials.length, 2);
});

test("a peer is known while the link is up, and its messages come with its name", () => {
  const it = scene();
  assert.equal(it.dialler.peer, undefined);
  it.connect();
  assert.equal(it.dialler.peer, undefined);
  it.answer();
  assert.equal(it.dialler.peer, PEER);
  it.receive(...linkMessage("roster.DataToSession", new Uint8Array(1)).parts);
  it.lose();
  assert.equal(it.dialler.peer, undefined);
  assert.deepEqual(it.takeSeen(), [`up ${PEER}`, `${PEER} roster.DataToSession`, `down ${PEER}`]);
});

test("what is sent goes out while the link is up, and is lost while it is not", () => {
  const it = scene();
  const message = linkMessage("roster.SessionToData", new Uint8Array(1));
  it.dialler.send(message);
  it.connect();
  it.answer();
  const greeting = it.writes;
  it.dialler.send(message);
  assert.equal(it.writes, greeting + 1);
  it.lose();
  it.dialler.send(message);
  assert.equal(it.writes, greeting + 1);
});

test("only a link that was up for more than a second lets the waits begin anew", () => {
  const delayAfter = (upMs: number) => {
    const it = scene();
    for (let tries = 0; tries < 4; tries++) {
      it.fail();
      it.time.run(1_000);
    }
    it.connect();
    it.answer();
    it.time.run(upMs);
    const count = it.dials.length;
    const atMs = it.time.nowMs();
    it.lose();
    while (it.dials.length === count) it.time.run(1);
    return Math.round(it.time.nowMs() - atMs);
  };
  assert.deepEqual([delayAfter(1_000), delayAfter(1_001)], [800, 50]);
});

test("who is refused asks again after five seconds, and says why once for each reason", () => {
  const it = scene();
  const refuse = (reason: string) => {
    it.connect();
    it.answer({ accepted: false, reason });
  };
  refuse("another cluster");
  it.time.run(4_999);
  assert.equal(it.dials.length, 1);
  it.time.run(1);
  assert.equal(it.dials.length, 2);
  refuse("another cluster");
  it.time.run(5_000);
  refuse("");
  assert.deepEqual(it.takeLog(), [
    "error: a node refuses this one: another cluster",
    "error: a node refuses this one: no reason was given",
  ]);
  it.time.run(5_000);
  it.connect();
  it.answer();
  it.lose();
  it.takeLog();
  it.time.run(1_000);
  refuse("");
  assert.deepEqual(it.takeLog(), ["error: a node refuses this one: no reason was given"], "it was up in between");
});

test("another run at the address is no alarm, and not taken for the one that is meant", () => {
  const it = scene({ hello: { to: PEER } });
  it.connect();
  it.answer({ from: nodeId("d1.b") });
  assert.deepEqual([it.takeLog(), it.takeSeen()], [["info: another node is at this address: d1.b is there now"], []]);
  it.time.run(5_000);
  it.connect();
  it.answer();
  assert.deepEqual(it.takeSeen(), [`up ${PEER}`]);
});

test("a node that meets itself at an address never dials it again", () => {
  const it = scene();
  it.connect();
  it.answer({ from: SELF });
  it.time.run(60_000);
  assert.deepEqual([it.dials.length, it.takeSeen(), it.takeLog()], [1, [], ["info: an address is this node's own"]]);
});

test("that a link can't be made is said once, until it was up again; that it is lost each time", () => {
  const it = scene();
  const failing = "warn: a link can't be made; it is tried again and again: nobody listens";
  for (let tries = 0; tries < 3; tries++) {
    it.fail();
    it.time.run(1_000);
  }
  assert.deepEqual(it.takeLog(), [failing]);
  it.connect();
  it.answer();
  it.lose();
  it.time.run(1_000);
  it.fail();
  assert.deepEqual(it.takeLog(), ["info: a link is up", "warn: a link is down: the connection was closed", failing]);
});

test("a dialler that is closed ends its link, or its dial, and dials no more", () => {
  const connected = scene();
  connected.connect();
  connected.answer();
  connected.dialler.close();
  connected.dialler.close();
  connected.time.run(60_000);
  assert.deepEqual([connected.takeSeen(), connected.dials.length], [[`up ${PEER}`, `down ${PEER}`], 1]);
  const dialling = scene();
  dialling.dialler.close();
  assert.ok(dialling.isCancelled);
  const waiting = scene();
  waiting.fail();
  waiting.dialler.close();
  waiting.time.run(60_000);
  assert.equal(waiting.dials.length, 1);
});
