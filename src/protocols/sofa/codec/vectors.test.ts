// Every golden vector is decoded to the meaning written beside it and, where Java's bytes are canonical, encoded back
// to the same bytes. The test walks the directory: a new vector that no test claims fails.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  expectedOf,
  meaningOf,
  plain,
  plainTree,
  readVector,
  readVectors,
  type Vector,
  vectorNames,
} from "../../../../test/vectors/goldenVectors.ts";
import { BoltDecoder } from "../../../encoding/bolt/decoder.ts";
import { encodeHeartbeat, encodeHeartbeatAck, encodeRequest, encodeResponse } from "../../../encoding/bolt/encode.ts";
import { type BoltFrame, hasCrc } from "../../../encoding/bolt/frame.ts";
import { DraftWriter } from "../../../encoding/hessian/draftWriter.ts";
import { type HessianTree, readTree } from "../../../encoding/hessian/tree.ts";
import { decodeMessage, decodeReceivedDataBody, encodeMessage, wireForm } from "./codec.ts";
import { HESSIAN_CLASSES } from "./hessianClasses.ts";
import { PROTOBUF_CLASS_NAMES } from "./protobufClasses.ts";

const MESSAGE_CLASSES = new Set(Object.values(HESSIAN_CLASSES).map((written) => written.className));
const PROTOBUF_CLASSES = Object.values(PROTOBUF_CLASS_NAMES);

// Java names the type of some empty collections and fills the stack trace; we do neither.
const NOT_CANONICAL = new Set([
  "h-ReceivedData-EmptyMap",
  "h-RpcServerException",
  "r-req-ReceivedData-empty",
  "r-resp-RpcServerException",
]);

test("every vector is of a kind that is tested here", () => {
  const unclaimed = vectorNames().filter((name) => !/^[hfpr]-/.test(name));
  assert.deepEqual(unclaimed, []);
});

for (const vector of readVectors("h-")) {
  test(`Hessian content ${vector.name}`, () => {
    const tree = readTree("draft", vector.bytes);
    if (vector.name !== "h-RpcServerException") assert.deepEqual(plainTree(tree), plain(vector.meaning));
    const className = typeof tree === "object" && tree !== null && "className" in tree ? tree.className : "";
    if (MESSAGE_CLASSES.has(className)) checkMessage(vector, "hessian-draft", className);
    else checkScalar(vector, tree);
  });
}

for (const vector of readVectors("p-")) {
  test(`protobuf content ${vector.name}`, () => {
    const name = vector.name.split("-")[1] ?? "";
    if (name === "ReceivedDataBodyPb") {
      const boxes = decodeReceivedDataBody(vector.bytes);
      assert.deepEqual({ data: plain(boxes) }, plain(vector.meaning));
      return;
    }
    const className = PROTOBUF_CLASSES.find((known) => known.endsWith(`.${name}`));
    assert.ok(className !== undefined, `a class named ${name}`);
    checkMessage(vector, "protobuf", className);
  });
}

for (const vector of [...readVectors("f-"), ...readVectors("r-")]) {
  test(`Bolt frame ${vector.name}`, () => {
    const frame = frameOf(vector);
    assert.deepEqual(headOf(frame), headMeant(vector.meaning));
    assert.deepEqual(reencoded(frame), vector.bytes);
    if (frame.content.length > 0) checkContent(vector, frame);
  });
}

function frameOf(vector: Vector): BoltFrame {
  const frames: BoltFrame[] = [];
  new BoltDecoder({ frameBytesMax: 1 << 20 }).push(vector.bytes, (frame) => frames.push(frame));
  const [frame] = frames;
  assert.ok(frame !== undefined && frames.length === 1, "one frame");
  return frame;
}

function headOf(frame: BoltFrame): unknown {
  const { dialect, id, codec, className, content } = frame;
  const last = frame.kind === "response" ? frame.status : frame.timeoutMs;
  return {
    proto: dialect.protocol,
    ver: dialect.version,
    kind: frame.kind,
    command: frame.command,
    id,
    codec,
    className,
    last,
    contentLength: content.length,
  };
}

interface HeadMeaning {
  readonly proto: 1 | 2;
  readonly ver?: number;
  readonly type: number;
  readonly cmd: number;
  readonly id: number;
  readonly codec: number;
  readonly clazz: string | null;
  readonly status?: number;
  readonly timeout?: number;
  readonly contentLen?: number;
  readonly bl?: number;
  readonly body?: unknown;
}

function headMeant(meaning: unknown): unknown {
  const head = meaning as HeadMeaning;
  const kind = ["response", "request", "oneway"][head.type];
  const command = head.cmd === 0 ? "heartbeat" : "rpc";
  const last = head.status ?? head.timeout;
  const { proto, ver = 0, id, codec } = head;
  return {
    proto,
    ver,
    kind,
    command,
    id,
    codec,
    className: head.clazz ?? "",
    last,
    contentLength: head.contentLen ?? head.bl,
  };
}

function reencoded(frame: BoltFrame): Uint8Array {
  const { dialect, id, codec } = frame;
  if (frame.kind === "response")
    return frame.command === "heartbeat" ? encodeHeartbeatAck(dialect, id, codec) : encodeResponse(dialect, frame);
  return frame.command === "heartbeat" ? encodeHeartbeat(dialect, id, codec) : encodeRequest(dialect, frame);
}

// An f- vector holds the content of an h- vector; an r- vector includes its body's meaning.
function checkContent(vector: Vector, frame: BoltFrame): void {
  const { body } = vector.meaning as HeadMeaning;
  const { name } = vector;
  if (body === undefined) {
    const message = decodeMessage(wireForm(frame), frame.className, frame.content);
    if (message.kind === "rpcServerException") return assert.equal(message.message, "boom");
    const shortName = frame.className.slice(frame.className.lastIndexOf(".") + 1);
    const twin = readVector(`h-${shortName === "ReceivedData" ? "ReceivedData-3" : shortName}`);
    return assert.deepEqual(frame.content, twin.bytes);
  }
  assert.deepEqual(plainTree(readTree("draft", frame.content)), plain(body));
  checkMessage({ name, bytes: frame.content, meaning: body }, wireForm(frame), frame.className);
}

function checkMessage(vector: Vector, form: ReturnType<typeof wireForm>, className: string): void {
  const message = decodeMessage(form, className, vector.bytes);
  if (message.kind === "rpcServerException") {
    assert.ok(message.message?.startsWith("[Server]OriginErrorMsg: "));
  } else assert.deepEqual(meaningOf(message), expectedOf(vector.meaning));
  const encoded = encodeMessage(form, message);
  assert.equal(encoded.className, className);
  assert.deepEqual(decodeMessage(form, className, encoded.content), message);
  if (!NOT_CANONICAL.has(vector.name))
    assert.deepEqual(Buffer.from(encoded.content).toString("hex"), Buffer.from(vector.bytes).toString("hex"));
}

function checkScalar(vector: Vector, tree: HessianTree): void {
  const writer = new DraftWriter();
  if (typeof tree === "bigint") writer.long(tree);
  else if (tree instanceof Uint8Array) writer.bytes(tree);
  else if (typeof tree === "number") vector.name === "h-double" ? writer.double(tree) : writer.int(tree);
  else return;
  assert.deepEqual(writer.out.done(), vector.bytes);
}

test("only protocol 2 version 2 has a CRC, though Java sets its switch in version 1 too", () => {
  const crcOf = (name: string): boolean => hasCrc(frameOf(readVector(name)).dialect);

  assert.equal(crcOf("f-req-PublisherRegister-p2v2"), true);
  assert.equal(crcOf("f-req-PublisherRegister-p2v1"), false);
  assert.equal(frameOf(readVector("f-req-PublisherRegister-p2v1")).dialect.crc, true);
  assert.equal(crcOf("f-heartbeat-p2v2"), false);
});
