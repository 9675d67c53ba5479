// SOFARegistry's own protocol, for Roster and for the real thing.

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { encodeRequest } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import {
  encodePushBody,
  encodePushTail,
  encodeReceivedDataBody,
  pushClassName,
} from "../../../src/protocols/sofa/codec/codec.ts";
import type { WireForm } from "../../../src/protocols/sofa/codec/messages.ts";
import { instanceText, type Service, serviceText } from "../../instances.ts";
import { Arrivals } from "../arrivals.ts";
import type { Protocol, PushEncoding, SubscriberOptions } from "../protocol.ts";
import type { Address } from "../sockets.ts";
import { answerSoon } from "./answers.ts";
import { type SeenFrame, SUBSCRIBER_PREFIX } from "./boltReader.ts";
import { BoltConnection } from "./connection.ts";
import { SofaPublisher } from "./publisher.ts";
import { PushedLists, pushedList } from "./pushedLists.ts";
import { GROUP, INSTANCE_ID, REGISTER, subscriberFrame, ZONE } from "./registerFrames.ts";

const lists = new PushedLists();
const keep = (fingerprint: number, frame: Buffer) => lists.keep(fingerprint, frame);
const QUERY_MS_MAX = 120_000;
const WARM_UP_SUBSCRIBERS = 50;
const WARM_UP_PUSHES = 20;

export const sofaProtocol: Protocol = {
  name: "sofa",
  query: "another connection subscribes to all services",
  push: "whole list",
  instancesPerConnection: Number.POSITIVE_INFINITY,
  warmUp,
  prepare: async () => undefined,
  arrivals: (subscribers) => new Arrivals(subscribers, (fingerprint) => lists.instances(fingerprint)),
  publisher: (options) => SofaPublisher.open(options),
  subscribe: (options) => subscribeAll([options.service], options.at === 0 ? { ...options, keep } : options),
  queryAll,
};

/** The registId of the subscriber with this number. */
export function subscriberRegistId(number: number): string {
  return SUBSCRIBER_PREFIX + number.toString(16).padStart(12, "0");
}

export function formOf(encoding: PushEncoding): { form: WireForm; acceptEncoding: string | null } {
  if (encoding === "plain") return { form: "hessian-draft", acceptEncoding: null };
  return { form: "protobuf", acceptEncoding: encoding };
}

let subscriberCount = 0;

export interface SubscribeAll extends Omit<SubscriberOptions, "service"> {
  /** Takes whole frames, each by its fingerprint. */
  readonly keep?: (fingerprint: number, frame: Buffer) => void;
}

/** Subscribes several services on one connection. */
export async function subscribeAll(
  services: readonly Service[],
  { address, at, arrivals, encoding, keep }: SubscribeAll,
): Promise<() => void> {
  const { form, acceptEncoding } = formOf(encoding);
  const onFrame = (frame: SeenFrame) => {
    if (frame.isResponse) return;
    const fingerprint = frame.fingerprint();
    arrivals.record(at, fingerprint, frame.bytes);
    if (frame.whole !== undefined) keep?.(fingerprint, frame.whole);
    answerSoon({ connection, id: frame.id, form });
  };
  const connection = await BoltConnection.open({ address, onFrame, keepsWhole: keep !== undefined });
  sendSubscribers(connection, services, { form, acceptEncoding });
  return () => connection.close();
}

function sendSubscribers(
  connection: BoltConnection,
  services: readonly Service[],
  how: { form: WireForm; acceptEncoding: string | null },
): void {
  const frames = services.map((service, index) =>
    subscriberFrame({
      ...how,
      id: index + 1,
      dataId: serviceText(service),
      registId: subscriberRegistId(subscriberCount++),
    }),
  );
  connection.write(Buffer.concat(frames));
}

/** Each list that comes is decoded: the query is answered when all have shown what is expected. */
async function queryAll(address: Address, services: readonly Service[], expected: number): Promise<void> {
  const waiting = new Set(services.map(serviceText));
  const { promise, resolve } = Promise.withResolvers<void>();
  const connection = await BoltConnection.open({
    address,
    keepsWhole: true,
    onFrame: (frame) => {
      if (frame.isResponse || frame.whole === undefined) return;
      answerSoon({ connection, id: frame.id, form: "hessian-draft" });
      const { dataId, texts } = pushedList(frame.whole);
      if (texts.length === expected) waiting.delete(dataId);
      if (waiting.size === 0) resolve();
    },
  });
  try {
    sendSubscribers(connection, services, formOf("plain"));
    const isLate = await Promise.race([promise.then(() => false), sleep(QUERY_MS_MAX, true, { ref: false })]);
    if (isLate) throw new Error(`${waiting.size} services do not show ${expected} instances`);
  } finally {
    connection.close();
  }
}

async function warmUp(instances: number): Promise<void> {
  const batch = Buffer.alloc(REGISTER.bytes);
  for (let number = 0; number < 2_000; number++) {
    REGISTER.write(batch, 0, { id: number, instance: instanceOf(number), version: 1 });
  }
  for (const encoding of ["plain", "zstd", "gzip"] as const) {
    const frame = madeUpPush(encoding, instances);
    for (let push = 0; push < WARM_UP_PUSHES / 10; push++) pushedList(frame);
    await pushThroughSockets(frame, encoding);
  }
}

/** Subscribers of a server in this process, which answers nothing and pushes the same to all. */
async function pushThroughSockets(frame: Buffer, encoding: PushEncoding): Promise<void> {
  const accepted: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => accepted.push(socket.resume()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const arrivals = new Arrivals(WARM_UP_SUBSCRIBERS, () => 1);
  const service = { workload: "wu", number: 0 };
  const ends = await Promise.all(
    Array.from({ length: WARM_UP_SUBSCRIBERS }, (_, at) =>
      sofaProtocol.subscribe({ address: { host: "127.0.0.1", port }, service, at, arrivals, encoding }),
    ),
  );
  while (accepted.length < WARM_UP_SUBSCRIBERS) await turn();
  for (let push = 1; push <= WARM_UP_PUSHES; push++) {
    for (const socket of accepted) socket.write(frame);
    await arrivals.pushed(push);
  }
  for (const end of ends) end();
  server.close();
}

function instanceOf(number: number) {
  return { service: { workload: "wu", number: 0 }, number, revision: 0 };
}

/** A push as a server would write it. */
function madeUpPush(encoding: PushEncoding, count: number): Buffer {
  const { form } = formOf(encoding);
  const boxes = Array.from({ length: count }, (_, number) => {
    const text = instanceText(instanceOf(number));
    return { utf8: new TextEncoder().encode(text), units: text.length };
  });
  const zones = [{ zone: ZONE, boxes, count }];
  const about = { dataId: serviceText({ workload: "wu", number: 0 }), group: GROUP, instanceId: INSTANCE_ID };
  const push = { ...about, segment: "DefaultDataCenter", scope: "dataCenter", localZone: ZONE, version: 1n << 52n };
  const body = encodePushBody(form, { ...push, zones, ...compressedBoxes(encoding, zones) });
  const content = Buffer.concat([body, encodePushTail(form, [subscriberRegistId(0)])]);
  const codec = BOLT_CODEC.HESSIAN;
  return Buffer.from(
    encodeRequest(BOLT_V1, { id: 1, timeoutMs: 2_000, codec, className: pushClassName(form), content }),
  );
}

function compressedBoxes(encoding: PushEncoding, zones: Parameters<typeof encodeReceivedDataBody>[0]) {
  if (encoding === "plain") return {};
  const plain = encodeReceivedDataBody(zones);
  const body = encoding === "zstd" ? zstdCompressSync(plain) : gzipSync(plain);
  return { compressed: { encoding, body, originBodySize: plain.length } };
}
