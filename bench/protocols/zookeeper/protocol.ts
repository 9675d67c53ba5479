// ZooKeeper as a registry: an ephemeral node for each instance, with its settings as data, under a node of the service;
// a persistent recursive watch on that, its fastest way to hear of a change. Only the name is pushed.

import { Buffer } from "node:buffer";
import { addressText, type Instance, instanceText, type Service, serviceText } from "../../instances.ts";
import { Arrivals } from "../arrivals.ts";
import { Pipeline } from "../pipeline.ts";
import type { Protocol, Publisher, PublisherOptions, SubscriberOptions } from "../protocol.ts";
import type { Address } from "../sockets.ts";
import { bool, buffer, int, text, ZookeeperConnection } from "./connection.ts";

const OP = { CREATE: 1, DELETE: 2, GET_CHILDREN: 8, ADD_WATCH: 106 } as const;
const FLAGS = { PERSISTENT: 0, EPHEMERAL: 1 } as const;
const ERROR = { NODE_EXISTS: -110 } as const;
const EVENT = { CREATED: 1, DELETED: 2 } as const;
const RECURSIVE = 1;
const ROOT = "/bench";
/** Anybody may do everything. */
const OPEN_ACL = Buffer.concat([int(1), int(31), text("world"), text("anyone")]);
const WARM_UP_CHANGES = 2_000;

export const zookeeperProtocol: Protocol = {
  name: "zookeeper",
  query: "the children of each service, pipelined on another connection",
  push: "the name of what changed",
  instancesPerConnection: Number.POSITIVE_INFINITY,
  warmUp,
  prepare,
  // A fingerprint is the count itself.
  arrivals: (subscribers) => new Arrivals(subscribers, (count) => count),
  publisher,
  subscribe,
  queryAll,
};

async function prepare(address: Address, services: readonly Service[]): Promise<void> {
  const connection = await ZookeeperConnection.open(address);
  const paths = [ROOT, ...services.map(pathOf)];
  const created = paths.map(
    (path) =>
      new Promise<void>((resolve, reject) => {
        connection.request(OP.CREATE, createRecord(path, "", FLAGS.PERSISTENT), (error) => {
          if (error === 0 || error === ERROR.NODE_EXISTS) resolve();
          else reject(new Error(`ZooKeeper answers ${error} for ${path}`));
        });
      }),
  );
  await Promise.all(created);
  connection.close();
}

async function publisher({ address, window }: PublisherOptions): Promise<Publisher> {
  let lost = () => undefined as undefined;
  const connection = await ZookeeperConnection.open(address, { onClose: () => lost() });
  const pipeline = new Pipeline<{ type: number; record: readonly Buffer[] }>(
    window,
    connection,
    ({ type, record }, answered) => connection.request(type, record, (error) => answered(error === 0)),
  );
  lost = () => {
    pipeline.fail("ZooKeeper closed a publisher's session");
    return undefined;
  };
  return {
    register: (instance) => {
      const record = createRecord(nodeOf(instance), instanceText(instance), FLAGS.EPHEMERAL);
      pipeline.ask({ type: OP.CREATE, record });
    },
    deregister: (instance) => pipeline.ask({ type: OP.DELETE, record: [text(nodeOf(instance)), int(-1)] }),
    settled: () => pipeline.settled(),
    get retries() {
      return pipeline.retries;
    },
    close: () => connection.close(),
  };
}

/** Watches, then asks for the children: events before the answer are in it, those after are not. */
async function subscribe({ address, service, at, arrivals }: SubscriberOptions): Promise<() => void> {
  let count: number | undefined;
  const onEvent = (type: number, bytes: number) => {
    if (count === undefined) return;
    count += changeOf(type);
    arrivals.record(at, count, bytes);
  };
  const connection = await ZookeeperConnection.open(address, { onEvent });
  connection.cork();
  connection.request(OP.ADD_WATCH, [text(pathOf(service)), int(RECURSIVE)], () => undefined);
  connection.request(OP.GET_CHILDREN, [text(pathOf(service)), bool(false)], (error, record) => {
    if (error !== 0) throw new Error(`ZooKeeper answers ${error}`);
    count = record.readInt32BE(0);
    arrivals.record(at, count, record.length);
  });
  connection.uncork();
  return () => connection.close();
}

function changeOf(type: number): number {
  if (type === EVENT.CREATED) return 1;
  return type === EVENT.DELETED ? -1 : 0;
}

async function queryAll(address: Address, services: readonly Service[], expected: number): Promise<void> {
  const connection = await ZookeeperConnection.open(address);
  let waiting = [...services];
  while (waiting.length > 0) {
    connection.cork();
    const answers = waiting.map(
      (service) =>
        new Promise<number>((resolve) => {
          const record = [text(pathOf(service)), bool(false)];
          connection.request(OP.GET_CHILDREN, record, (error, children) => {
            resolve(error === 0 ? children.readInt32BE(0) : -1);
          });
        }),
    );
    connection.uncork();
    const counts = await Promise.all(answers);
    waiting = waiting.filter((_, at) => counts[at] !== expected);
  }
  connection.close();
}

function createRecord(path: string, data: string, flags: number): readonly Buffer[] {
  return [text(path), buffer(Buffer.from(data)), OPEN_ACL, int(flags)];
}

function pathOf(service: Service): string {
  return `${ROOT}/${serviceText(service)}`;
}

function nodeOf(instance: Instance): string {
  return `${pathOf(instance.service)}/${addressText(instance.number)}`;
}

/** There is next to nothing to decode: the bookkeeping is what can be warmed. */
function warmUp(): void {
  const thrownAway = new Arrivals(1, (count) => count);
  for (let change = 0; change < WARM_UP_CHANGES; change++) {
    thrownAway.record(0, 100 + changeOf(1 + (change % 2)), 80);
    createRecord(
      "/bench/warm",
      instanceText({ service: { workload: "wu", number: 0 }, number: change, revision: 0 }),
      1,
    );
  }
}
