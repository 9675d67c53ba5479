// etcd as a registry: a key with a lease for each instance, a watch on the prefix of the service. Only the change is
// pushed; a client keeps the list itself.

import { Buffer } from "node:buffer";
import { addressText, type Instance, instanceText, type Service, serviceText } from "../../instances.ts";
import { Arrivals } from "../arrivals.ts";
import { GrpcConnection } from "../http2/connection.ts";
import { MessageReader } from "../http2/messages.ts";
import { bytesField, bytesIn, fieldsOf, message, numberField, numberIn } from "../http2/protobuf.ts";
import { Pipeline } from "../pipeline.ts";
import type { Protocol, Publisher, PublisherOptions, SubscriberOptions } from "../protocol.ts";
import type { Address } from "../sockets.ts";

const LEASE_SECONDS = 3_600;
const PATH = {
  grant: "/etcdserverpb.Lease/LeaseGrant",
  put: "/etcdserverpb.KV/Put",
  remove: "/etcdserverpb.KV/DeleteRange",
  range: "/etcdserverpb.KV/Range",
  watch: "/etcdserverpb.Watch/Watch",
} as const;
const WARM_UP_CHANGES = 2_000;

export const etcdProtocol: Protocol = {
  name: "etcd",
  query: "a range of each service's prefix, pipelined on another connection",
  push: "the change",
  instancesPerConnection: Number.POSITIVE_INFINITY,
  warmUp,
  prepare: async () => undefined,
  // A fingerprint is the count itself.
  arrivals: (subscribers) => new Arrivals(subscribers, (count) => count),
  publisher,
  subscribe,
  queryAll,
};

async function publisher({ address, window }: PublisherOptions): Promise<Publisher> {
  const connection = await GrpcConnection.open(address);
  const granted = await unary(connection, PATH.grant, message(numberField(1, LEASE_SECONDS)));
  const lease = numberField(3, leaseId(granted));
  const pipeline = new Pipeline<{ path: string; body: Buffer }>(window, connection, ({ path, body }, answered) => {
    call(connection, { path, body }, (answer) => answered(answer !== undefined));
  });
  const register = (instance: Instance) =>
    pipeline.ask({
      path: PATH.put,
      body: message(bytesField(1, keyOf(instance)), bytesField(2, instanceText(instance)), lease),
    });
  return {
    register,
    deregister: (instance) => pipeline.ask({ path: PATH.remove, body: bytesField(1, keyOf(instance)) }),
    settled: () => pipeline.settled(),
    get retries() {
      return pipeline.retries;
    },
    close: () => connection.close(),
  };
}

/** Reads the list, then watches from the revision after. */
async function subscribe({ address, service, at, arrivals }: SubscriberOptions): Promise<() => void> {
  const connection = await GrpcConnection.open(address);
  const listed = await unary(connection, PATH.range, range(service));
  const view = new View(numberIn(listed, 4));
  arrivals.record(at, view.count, listed.length);
  const onMessage = (answer: Buffer) => {
    if (view.take(answer)) arrivals.record(at, view.count, answer.length);
  };
  const reader = new MessageReader(onMessage);
  const revision = numberIn(bytesIn(listed, 1), 3);
  const create = message(range(service), numberField(3, revision + 1));
  const events = { onPiece: (piece: Buffer) => reader.read(piece), onEnd: () => undefined };
  connection.call(PATH.watch, bytesField(1, create), events, false);
  return () => connection.close();
}

/** How many instances a watcher knows of. */
class View {
  count: number;

  constructor(count: number) {
    this.count = count;
  }

  /** Returns whether the answer had changes. */
  take(answer: Buffer): boolean {
    let hasChanges = false;
    for (const { number, bytes } of fieldsOf(answer)) {
      if (number !== 11) continue;
      hasChanges = true;
      this.count += numberIn(bytes, 1) === 0 ? 1 : -1;
    }
    return hasChanges;
  }
}

async function queryAll(address: Address, services: readonly Service[], expected: number): Promise<void> {
  const connection = await GrpcConnection.open(address);
  let waiting = [...services];
  while (waiting.length > 0) {
    connection.cork();
    const answers = waiting.map((service) => unary(connection, PATH.range, range(service)));
    connection.uncork();
    const counts = (await Promise.all(answers)).map((answer) => numberIn(answer, 4));
    waiting = waiting.filter((_, at) => counts[at] !== expected);
  }
  connection.close();
}

/** Calls back with the answer, or with nothing if the call failed. */
function call(
  connection: GrpcConnection,
  { path, body }: { path: string; body: Buffer },
  then: (answer: Buffer | undefined) => void,
): void {
  let isAnswered = false;
  const reader = new MessageReader((answer) => {
    isAnswered = true;
    then(answer);
  });
  const onEnd = () => {
    if (!isAnswered) then(undefined);
  };
  connection.call(path, body, { onPiece: (piece) => reader.read(piece), onEnd });
}

function unary(connection: GrpcConnection, path: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    call(connection, { path, body }, (answer) => {
      if (answer === undefined) reject(new Error(`${path} failed`));
      else resolve(Buffer.from(answer));
    });
  });
}

function prefixOf(service: Service): string {
  return `/bench/${serviceText(service)}/`;
}

function keyOf({ service, number }: Instance): string {
  return prefixOf(service) + addressText(number);
}

/** All keys of a service: up to the prefix with its last character counted up. */
function range(service: Service): Buffer {
  const prefix = prefixOf(service);
  return message(bytesField(1, prefix), bytesField(2, `${prefix.slice(0, -1)}0`));
}

/** A lease's id has 63 bits. */
function leaseId(granted: Buffer): bigint {
  let id = 0n;
  const at = granted.indexOf(Buffer.from([0x10]), bytesIn(granted, 1).length + 2);
  for (let index = at + 1, shift = 0n; ; index++, shift += 7n) {
    const byte = granted[index] ?? 0;
    id |= BigInt(byte & 127) << shift;
    if (byte < 128) return id;
  }
}

function warmUp(): void {
  const key = keyOf({ service: { workload: "wu", number: 0 }, number: 0, revision: 0 });
  const thrownAway = new Arrivals(1, (count) => count);
  for (let change = 0; change < WARM_UP_CHANGES; change++) {
    const event = message(numberField(1, change % 2), bytesField(2, bytesField(1, key)));
    const answer = message(bytesField(1, numberField(3, change)), bytesField(11, event));
    const view = new View(change);
    new MessageReader((bytes) => view.take(bytes)).read(prefixed(answer));
    thrownAway.record(0, view.count, answer.length);
  }
}

function prefixed(body: Buffer): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.writeUInt32BE(body.length, 1);
  body.copy(bytes, 5);
  return bytes;
}
