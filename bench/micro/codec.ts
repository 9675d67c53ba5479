// `node bench/micro/codec.ts`: what the messages of SOFARegistry's protocol cost to read and to write, by wire form.

import { gzipSync, zstdCompressSync } from "node:zlib";
import { textOf } from "../../src/base/text.ts";
import { BoltDecoder } from "../../src/encoding/bolt/decoder.ts";
import { encodeRequest } from "../../src/encoding/bolt/encode.ts";
import { BOLT_V1 } from "../../src/encoding/bolt/frame.ts";
import {
  decodeMessage,
  encodeMessage,
  encodePushBody,
  encodePushTail,
  encodeReceivedDataBody,
} from "../../src/protocols/sofa/codec/codec.ts";
import type { SofaMessage, WireForm } from "../../src/protocols/sofa/codec/messages.ts";
import { type Instance, instanceText, registIdText, serviceText } from "../instances.ts";
import { baseRegister, GROUP, INSTANCE_ID, TIMEOUT_MS, ZONE } from "../protocols/sofa/registerFrames.ts";
import { microseconds, sink, table } from "./cost.ts";

const FORMS: readonly WireForm[] = ["hessian-draft", "hessian-final", "protobuf"];
const INSTANCES = 1_000;
const MESSAGES = 20_000;
const LISTS = 200;
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

const instances: readonly Instance[] = Array.from({ length: INSTANCES }, (_, number) => ({
  service: { workload: "mc", number: 0 },
  number,
  revision: 0,
}));
const [first] = instances as [Instance];

const register: SofaMessage = {
  ...baseRegister(serviceText(first.service), registIdText(first)),
  kind: "publisherRegister",
  dataList: [textOf(instanceText(first))],
};
const response: SofaMessage = {
  kind: "registerResponse",
  success: true,
  registId: registIdText(first),
  version: 1n,
  refused: false,
  message: null,
};
const boxes = instances.map((instance) => textOf(instanceText(instance)));
const zones = [{ zone: ZONE, boxes, count: boxes.length }];
const list = {
  dataId: serviceText(first.service),
  group: GROUP,
  instanceId: INSTANCE_ID,
  segment: "DefaultDataCenter",
  scope: "dataCenter",
  localZone: ZONE,
  version: 1n << 52n,
  zones,
};

/** So many calls of the same kind. */
function repeated(calls: number, call: () => unknown): number {
  return microseconds(calls, () => {
    for (let at = 0; at < calls; at++) sink[at & 7] = call();
  });
}

/** The costs of each form, in a row. */
function row(what: string, calls: number, callIn: (form: WireForm) => () => unknown): (string | number)[] {
  return [what, ...FORMS.map((form) => `${repeated(calls, callIn(form)).toFixed(2)} µs`)];
}

/** Many registrations as a socket brings them; each frame is one call. */
function framed(form: WireForm): () => unknown {
  const frame = encodeRequest(BOLT_V1, { id: 1, timeoutMs: TIMEOUT_MS, ...encodeMessage(form, register) });
  const decoder = new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX });
  return () =>
    decoder.push(frame, (one) => {
      sink[8] = one;
    });
}

const decoding = (message: SofaMessage) => (form: WireForm) => {
  const { className, content } = encodeMessage(form, message);
  return () => decodeMessage(form, className, content);
};
const bytes = FORMS.map((form) => `${encodePushBody(form, list).length} B`);
const plain = encodeReceivedDataBody(zones);

console.log(`Node ${process.version}, one instance of 150 bytes, lists of ${INSTANCES}\n`);
console.log(
  table(
    ["", ...FORMS],
    [
      row("a registration's frame", MESSAGES, framed),
      row("decode a registration", MESSAGES, decoding(register)),
      row("encode its answer", MESSAGES, (form) => () => encodeMessage(form, response)),
      row("encode a list", LISTS, (form) => () => encodePushBody(form, list)),
      ["bytes of the list", ...bytes],
      row("encode what differs for each subscriber", MESSAGES, (form) => () => encodePushTail(form, ["s".repeat(36)])),
    ],
  ),
);
console.log(
  `\n${table(
    ["compressed list", "", "bytes"],
    [
      ["boxes alone, plain", `${repeated(LISTS, () => encodeReceivedDataBody(zones)).toFixed(0)} µs`, plain.length],
      ["zstd", `${repeated(LISTS, () => zstdCompressSync(plain)).toFixed(0)} µs`, zstdCompressSync(plain).length],
      ["gzip", `${repeated(LISTS, () => gzipSync(plain)).toFixed(0)} µs`, gzipSync(plain).length],
    ],
  )}`,
);
