// The minimum of a server of this protocol: it answers every registration, keeps the registrations in a map, and writes
// one buffer to all subscribers of a service at each change. It checks nothing, keeps nothing safe and knows no second
// node. It shows the cost of the machine, Node and the driver; no registry can be faster than it here.

import { createServer, type Socket } from "node:net";
import { zstdCompressSync } from "node:zlib";
import { BoltDecoder } from "../../src/encoding/bolt/decoder.ts";
import { encodeRequest, encodeResponse } from "../../src/encoding/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1, type BoltFrame } from "../../src/encoding/bolt/frame.ts";
import {
  decodeMessage,
  encodeMessage,
  encodePushBody,
  encodePushTail,
  encodeReceivedDataBody,
  pushClassName,
  wireForm,
} from "../../src/protocols/sofa/codec/codec.ts";
import type {
  CompressedBoxes,
  PublisherRegister,
  RegisterResponse,
  SubscriberRegister,
  WireForm,
} from "../../src/protocols/sofa/codec/messages.ts";
import type { PushZone } from "../../src/protocols/sofa/codec/push.ts";

interface Subscription {
  readonly socket: Socket;
  readonly form: WireForm;
  readonly isCompressed: boolean;
  readonly tail: Uint8Array;
}

interface Held {
  readonly boxes: Map<string, PublisherRegister["dataList"]>;
  readonly subscriptions: Subscription[];
  isPushed: boolean;
  version: bigint;
}

const FRAME_BYTES_MAX = 1024 * 1024;
const PUSH_TIMEOUT_MS = 2_000;
const services = new Map<string, Held>();
let pushId = 1;

function held(dataId: string): Held {
  let service = services.get(dataId);
  if (service === undefined) {
    service = { boxes: new Map(), subscriptions: [], isPushed: true, version: 1n << 52n };
    services.set(dataId, service);
  }
  return service;
}

function take(socket: Socket, frame: BoltFrame): void {
  if (frame.kind === "response" || frame.command === "heartbeat") return;
  const form = wireForm(frame);
  const message = decodeMessage(form, frame.className, frame.content);
  if (message.kind !== "publisherRegister" && message.kind !== "subscriberRegister") return;
  answer(socket, { id: frame.id, form }, message);
  const service = held(message.dataId);
  if (message.kind === "subscriberRegister") {
    const isCompressed = form === "protobuf" && message.acceptEncoding === "zstd";
    const subscription = { socket, form, isCompressed, tail: encodePushTail(form, [message.registId]) };
    service.subscriptions.push(subscription);
    push(message.dataId, service, [subscription]);
    return;
  }
  if (message.eventType === "REGISTER") service.boxes.set(message.registId, copied(message.dataList));
  else service.boxes.delete(message.registId);
  service.version++;
  if (service.subscriptions.length === 0 || !service.isPushed) return;
  service.isPushed = false;
  // The registrations of one read are pushed together.
  setImmediate(() => {
    service.isPushed = true;
    push(message.dataId, service, service.subscriptions);
  });
}

function copied(boxes: PublisherRegister["dataList"]): PublisherRegister["dataList"] {
  return boxes.map((box) => (box === null ? null : { utf8: box.utf8.slice(), units: box.units }));
}

function answer(
  socket: Socket,
  { id, form }: { id: number; form: WireForm },
  { registId, version: asked }: PublisherRegister | SubscriberRegister,
): void {
  const response: RegisterResponse = {
    kind: "registerResponse",
    success: true,
    registId,
    version: asked,
    refused: false,
    message: null,
  };
  const encoded = encodeMessage(form, response);
  socket.write(encodeResponse(BOLT_V1, { id, status: BOLT_STATUS.SUCCESS, ...encoded }));
}

/** All subscribers of a service speak the same form here: one buffer does for them. */
function push(dataId: string, { boxes, version }: Held, subscriptions: readonly Subscription[]): void {
  const [first] = subscriptions;
  if (first === undefined) return;
  const { form, isCompressed } = first;
  const all = [...boxes.values()].flat();
  const zones = [{ zone: "DEFAULT_ZONE", boxes: all, count: all.length }];
  const about = { dataId, group: "DEFAULT_GROUP", instanceId: "DEFAULT_INSTANCE_ID", segment: "DefaultDataCenter" };
  const what = { ...about, scope: "dataCenter", localZone: "DEFAULT_ZONE", version, zones };
  const body = encodePushBody(form, isCompressed ? { ...what, compressed: compressed(zones) } : what);
  // All registIds of light subscribers have one length: only they are written anew for each.
  const tailBytes = first.tail.length;
  const content = new Uint8Array(body.length + tailBytes);
  content.set(body);
  const head = { id: pushId++, timeoutMs: PUSH_TIMEOUT_MS, codec: 1, className: pushClassName(form) };
  const frame = encodeRequest(BOLT_V1, { ...head, content });
  const shared = frame.subarray(0, frame.length - tailBytes);
  for (const { socket, tail } of subscriptions) {
    socket.cork();
    socket.write(shared);
    socket.write(tail);
    socket.uncork();
  }
}

function compressed(zones: readonly PushZone[]): CompressedBoxes {
  const plain = encodeReceivedDataBody(zones);
  return { encoding: "zstd", body: zstdCompressSync(plain), originBodySize: plain.length };
}

const server = createServer({ noDelay: true }, (socket) => {
  const decoder = new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX });
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    socket.cork();
    decoder.push(chunk, (frame) => take(socket, frame));
    socket.uncork();
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4_096);
