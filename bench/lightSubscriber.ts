// A subscriber that costs next to nothing: a hundred of them share one core with what is measured. Each receives and
// compares every byte of its pushes, but equal lists are decoded once for all.

import { createConnection, type Socket } from "node:net";
import { BoltDecoder } from "../src/codec/bolt/decoder.ts";
import { encodeRequest, encodeResponse } from "../src/codec/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1, type BoltFrame } from "../src/codec/bolt/frame.ts";
import { decodeMessage, encodeMessage, wireForm } from "../src/codec/sofa/codec.ts";
import { ABSENT_MAP, type SubscriberRegister } from "../src/codec/sofa/messages.ts";
import type { ServiceName } from "../src/model/dataInfoId.ts";
import type { BoltAddress } from "./connect.ts";

const RESULT = encodeMessage("hessian-draft", { kind: "result", success: true, message: null });
const READ_BYTES = 64 * 1024;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
// The last thing in a push are the registIds of its receivers: one UUID and the ends of a list.
const TAIL_BYTES = 42;

let decoded: { readonly list: Buffer; readonly instances: number } | undefined;

/** How many instances a pushed list holds. */
function instancesOf(frame: BoltFrame): number {
  const list = Buffer.from(frame.content.buffer, frame.content.byteOffset, frame.content.length - TAIL_BYTES);
  if (decoded?.list.equals(list)) return decoded.instances;
  const message = decodeMessage(wireForm(frame), frame.className, frame.content);
  const zones = message.kind === "receivedData" ? (message.data ?? new Map()) : new Map();
  const instances = [...zones.values()].reduce((sum, boxes) => sum + boxes.length, 0);
  decoded = { list: Buffer.from(list), instances };
  return instances;
}

/** Subscribes a service on a connection of its own and calls back with the length of each list. Returns its end. */
export async function subscribeLight(
  address: BoltAddress,
  service: ServiceName,
  onList: (instances: number) => void,
): Promise<() => void> {
  const decoder = new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX });
  const socket: Socket = createConnection({
    ...address,
    noDelay: true,
    // One buffer for all reads: a fresh one for each would make garbage collection half of what is measured.
    onread: {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (length, bytes) => {
        decoder.push(bytes.subarray(0, length), onFrame);
        return true;
      },
    },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.write(
    encodeRequest(BOLT_V1, { id: 1, timeoutMs: 1_000, ...encodeMessage("hessian-draft", register(service)) }),
  );
  return () => socket.destroy();

  function onFrame(frame: BoltFrame): void {
    if (frame.kind === "response") return;
    onList(instancesOf(frame));
    const answer = encodeResponse(BOLT_V1, { id: frame.id, status: BOLT_STATUS.SUCCESS, ...RESULT });
    // A hundred programs would answer side by side; here one answer must not delay the next one's push.
    setImmediate(() => socket.write(answer));
  }
}

function register(service: ServiceName): SubscriberRegister {
  return {
    ...service,
    kind: "subscriberRegister",
    scope: "dataCenter",
    acceptEncoding: null,
    acceptMulti: false,
    zone: "DEFAULT_ZONE",
    appName: "bench",
    processId: null,
    registId: crypto.randomUUID(),
    clientId: null,
    dataInfoId: null,
    ip: null,
    port: null,
    eventType: "REGISTER",
    version: 1n,
    timestamp: BigInt(Date.now()),
    attributes: ABSENT_MAP,
  };
}
