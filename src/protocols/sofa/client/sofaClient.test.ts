import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Connection } from "../../../base/ports.ts";
import { stringOf, textOf } from "../../../base/text.ts";
import { BoltDecoder } from "../../../encoding/bolt/decoder.ts";
import { encodeRequest, encodeResponse } from "../../../encoding/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1, type BoltDialect, type BoltFrame } from "../../../encoding/bolt/frame.ts";
import { decodeMessage, encodeMessage, wireForm } from "../codec/codec.ts";
import type { PublisherRegister, ReceivedData, SofaMessage, WireForm } from "../codec/messages.ts";
import type { SofaClientOptions } from "./host.ts";
import { SofaClient } from "./sofaClient.ts";

const ORDERS = { dataId: "orders", instanceId: "I", group: "G" };
const OPTIONS: SofaClientOptions = {
  mode: "serial",
  form: "hessian-draft",
  dialect: BOLT_V1,
  dataCenter: "DefaultDataCenter",
  appName: "app",
  zone: "Z1",
  acceptEncoding: null,
  answersPushes: true,
};

interface Sent {
  readonly frame: BoltFrame;
  readonly message: SofaMessage | undefined;
}

let sent: Sent[];
let wishes: number[];
let pushes: string[];
let stale: bigint[];
let acknowledged: string[];
beforeEach(() => {
  sent = [];
  wishes = [];
  pushes = [];
  stale = [];
  acknowledged = [];
});

function client(options: Partial<SofaClientOptions> = {}): SofaClient {
  let [request, regist] = [0, 0];
  return new SofaClient(
    { ...OPTIONS, ...options },
    {
      nextRequestId: () => ++request,
      nextRegistId: () => `r${++regist}`,
      connect: (nowMs) => wishes.push(nowMs),
      decompress: () => new Map(),
      onPush: (subscriber, { version, zones }) => {
        const texts = [...zones].flatMap(([zone, boxes]) =>
          boxes.map((box) => `${zone}/${box === null ? "" : stringOf(box)}`),
        );
        pushes.push(`${subscriber.registId} v${version} ${texts.join(" ")}`);
      },
      onStalePush: (_subscriber, { version }) => stale.push(version),
      onAcknowledged: ({ registId, version, isRegistered }) =>
        acknowledged.push(`${registId}/${version} ${isRegistered ? "in" : "out"}`),
    },
    0,
  );
}

/** The server's side: collects the input as frames and messages. */
function connection(): Connection {
  const decoder = new BoltDecoder({ frameBytesMax: 1_000_000 });
  return {
    remoteAddress: "10.0.0.2:9600",
    localAddress: "10.0.0.1:1",
    bufferedBytes: 0,
    hasUnread: false,
    write: (...parts) => {
      for (const part of parts) {
        decoder.push(part, (frame) => {
          const isEmpty = frame.content.length === 0;
          sent.push({
            frame,
            message: isEmpty ? undefined : decodeMessage(wireForm(frame), frame.className, frame.content),
          });
        });
      }
    },
    close: () => undefined,
  };
}

function connected(options: Partial<SofaClientOptions> = {}): SofaClient {
  const made = client(options);
  made.connected(connection(), 0);
  return made;
}

const registers = () =>
  sent.flatMap(({ message }) => (message !== undefined && "eventType" in message ? [message] : []));

/** Answers the last request but `back`. */
function answer(to: SofaClient, { atMs = 0, success = true, at = -1 } = {}): void {
  const last = sent.filter(({ message }) => message !== undefined && "eventType" in message).at(at);
  assert.ok(last !== undefined, "a request was sent");
  const { registId, version } = last.message as PublisherRegister;
  const message = { kind: "registerResponse", success, registId, version, refused: false, message: null } as const;
  const encoded = encodeMessage(wireForm(last.frame), message);
  to.received(encodeResponse(last.frame.dialect, { id: last.frame.id, status: BOLT_STATUS.SUCCESS, ...encoded }), atMs);
}

function push(
  to: SofaClient,
  version: bigint,
  { form = OPTIONS.form, dialect = BOLT_V1, registIds = ["r1"] } = {},
): void {
  const message: ReceivedData = {
    kind: "receivedData",
    ...ORDERS,
    segment: "DefaultDataCenter",
    scope: "dataCenter",
    version,
    localZone: "Z1",
    subscriberRegistIds: registIds,
    data: new Map([["Z1", [textOf(`address of ${version}`)]]]),
    dataCount: new Map(),
    compressed: null,
  };
  to.received(encodeRequest(dialect, { id: 77, timeoutMs: 2_000, ...encodeMessage(form, message) }), 0);
}

test("a serial client sends one request at a time, and the next when the answer is there", () => {
  const one = connected();
  one.publish(ORDERS, [textOf("a")], 0);
  one.publish(ORDERS, [textOf("b")], 0);
  assert.equal(registers().length, 1);
  answer(one);
  assert.deepEqual(
    registers().map(({ registId }) => registId),
    ["r1", "r2"],
  );
  answer(one);
  assert.deepEqual(acknowledged, ["r1/1 in", "r2/1 in"]);
  assert.equal(one.undone, 0);
});

test("a pipelined client sends at once, and takes answers in any order", () => {
  const one = connected({ mode: "pipelined" });
  for (const address of ["a", "b", "c"]) one.publish(ORDERS, [textOf(address)], 0);
  assert.equal(registers().length, 3);
  for (const at of [-2, -1, -3]) answer(one, { at });
  assert.deepEqual(acknowledged, ["r2/1 in", "r3/1 in", "r1/1 in"]);
});

test("an unanswered request is given up after a second and sent again", () => {
  const one = connected();
  one.publish(ORDERS, [textOf("a")], 0);
  for (let nowMs = one.nextWakeMs(); nowMs <= 2_500; nowMs = one.nextWakeMs()) one.tick(nowMs);
  assert.ok(registers().length >= 2 && registers().length <= 3, `${registers().length} requests`);
});

test("a failed register is tried again after half a second", () => {
  const one = connected();
  one.publish(ORDERS, [textOf("a")], 0);
  answer(one, { success: false });
  one.tick(499);
  assert.equal(registers().length, 1);
  one.tick(500);
  assert.equal(registers().length, 2);
});

test("republishing counts the version up, and an answer to the old one does not count", () => {
  const one = connected();
  const publisher = one.publish(ORDERS, [textOf("a")], 0);
  one.republish(publisher, [textOf("b")], 0);
  answer(one);
  assert.deepEqual(acknowledged, []);
  answer(one);
  assert.deepEqual(acknowledged, ["r1/2 in"]);
});

test("an unregister is repeated after a reconnect until it is acknowledged, and then forgotten", () => {
  const one = connected();
  const publisher = one.publish(ORDERS, [textOf("a")], 0);
  answer(one);
  one.unregister(publisher, 0);
  one.closed(10);
  one.connected(connection(), 510);
  assert.deepEqual(registers().at(-1)?.eventType, "UNREGISTER");
  answer(one);
  assert.deepEqual(acknowledged, ["r1/1 in", "r1/2 out"]);
  one.closed(20);
  sent = [];
  one.connected(connection(), 520);
  assert.deepEqual(registers(), []);
});

test("a lost connection is asked for again after half a second, and everything registers anew with its version", () => {
  const one = connected();
  const publisher = one.publish(ORDERS, [textOf("a")], 0);
  one.republish(publisher, [textOf("b")], 0);
  answer(one);
  answer(one);
  one.closed(1_000);
  one.tick(1_499);
  assert.deepEqual(wishes, []);
  one.tick(1_500);
  assert.deepEqual(wishes, [1_500]);
  one.connected(connection(), 1_502);
  const again = registers().at(-1);
  assert.deepEqual([again?.version, again?.timestamp], [2n, 1_502n]);
});

test("a push is answered and shown; one that is not newer is answered and dropped, also after a reconnect", () => {
  const one = connected();
  one.subscribe(ORDERS, { scope: "dataCenter" }, 0);
  answer(one);
  push(one, 5n);
  push(one, 5n);
  one.closed(0);
  one.connected(connection(), 510);
  push(one, 4n);
  push(one, 6n);
  assert.deepEqual(pushes, ["r1 v5 Z1/address of 5", "r1 v6 Z1/address of 6"]);
  assert.deepEqual(stale, [5n, 4n]);
  assert.equal(sent.filter(({ message }) => message?.kind === "result").length, 4);
});

test("a client like MOSN's shows pushes and never answers them", () => {
  const one = connected({ form: "protobuf", answersPushes: false });
  one.subscribe(ORDERS, { scope: "dataCenter" }, 0);
  push(one, 5n, { form: "protobuf" });
  assert.deepEqual(pushes, ["r1 v5 Z1/address of 5"]);
  assert.equal(sent.filter(({ message }) => message?.kind === "result").length, 0);
});

test("every form and dialect is spoken", () => {
  const forms: WireForm[] = ["hessian-draft", "hessian-final", "protobuf"];
  const dialects: BoltDialect[] = [
    BOLT_V1,
    { protocol: 2, version: 1, crc: true },
    { protocol: 2, version: 2, crc: true },
  ];
  for (const form of forms) {
    for (const dialect of dialects) {
      const one = connected({ form, dialect });
      one.subscribe(ORDERS, { scope: "zone" }, 0);
      answer(one);
      push(one, 1n, { form, dialect });
    }
  }
  assert.equal(acknowledged.length, 9);
  assert.equal(pushes.length, 9);
});

test("silence is met with heartbeats, and with an end when they are not answered", () => {
  const one = connected();
  for (let nowMs = one.nextWakeMs(); one.isConnected; nowMs = one.nextWakeMs()) {
    assert.ok(nowMs < 120_000, "the connection is given up");
    one.tick(nowMs);
  }
  assert.equal(sent.filter(({ frame }) => frame.command === "heartbeat").length, 3);
});
