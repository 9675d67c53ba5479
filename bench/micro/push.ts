// `node bench/micro/push.ts [subscribers]`: what the registry's own part of a push costs, and of its answer, without
// the kernel's: one service of 1,000 instances, a change, and every subscriber on a connection of its own.

import type { WireForm } from "../../src/protocols/sofa/codec/messages.ts";
import { hostClock } from "../../src/transport/clock.ts";
import { type Instance, serviceText } from "../instances.ts";
import { REGISTER, subscriberFrame } from "../protocols/sofa/registerFrames.ts";
import { cpuMicroseconds, table } from "./cost.ts";
import { answerPushes, type SoloClient, SoloRegistry } from "./soloRegistry.ts";

const SUBSCRIBERS_DEFAULT = 10_000;
const INSTANCES = 1_000;
const CHANGES = 10;
const SERVICE = { workload: "mp", number: 0 };
const WAYS: readonly (readonly [WireForm, string | null])[] = [
  ["hessian-draft", null],
  ["protobuf", null],
  ["protobuf", "zstd"],
  ["protobuf", "gzip"],
];

function register(publisher: SoloClient, instance: Instance): void {
  const frame = Buffer.allocUnsafeSlow(REGISTER.bytes);
  REGISTER.write(frame, 0, { id: 1, instance, version: instance.revision * 2 + 1 });
  publisher.handler.received(frame, hostClock.nowMs());
}

async function pushed(registry: SoloRegistry, clients: readonly SoloClient[]): Promise<void> {
  while (clients.some(({ connection }) => connection.pushes.length === 0)) await registry.turn();
}

/** Microseconds of a push and of its answer: the least of some changes. */
async function costs(form: WireForm, acceptEncoding: string | null, subscribers: number): Promise<[number, number]> {
  const registry = await SoloRegistry.start();
  const publisher = registry.connect();
  for (let number = 0; number < INSTANCES; number++) register(publisher, { service: SERVICE, number, revision: 0 });
  const dataId = serviceText(SERVICE);
  const clients = Array.from({ length: subscribers }, (_, number) => {
    const client = registry.connect();
    const registId = String(number).padStart(36, "0");
    client.handler.received(subscriberFrame({ id: 1, form, acceptEncoding, dataId, registId }), hostClock.nowMs());
    return client;
  });
  await pushed(registry, clients);
  for (const client of clients) answerPushes(client);
  let [push, answered] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let revision = 1; revision <= CHANGES; revision++) {
    const before = cpuMicroseconds();
    register(publisher, { service: SERVICE, number: 0, revision });
    await pushed(registry, clients);
    const between = cpuMicroseconds();
    for (const client of clients) answerPushes(client);
    push = Math.min(push, (between - before) / subscribers);
    answered = Math.min(answered, (cpuMicroseconds() - between) / subscribers);
  }
  registry.close();
  return [push, answered];
}

const subscribers = Number(process.argv[2] ?? SUBSCRIBERS_DEFAULT);
const rows: string[][] = [];
for (const [form, acceptEncoding] of WAYS) {
  const [push, answered] = await costs(form, acceptEncoding, subscribers);
  rows.push([`${form} ${acceptEncoding ?? ""}`, `${push.toFixed(2)} µs`, `${answered.toFixed(2)} µs`]);
}
console.log(`Node ${process.version}, ${INSTANCES} instances, ${subscribers} subscribers\n`);
console.log(table(["without the kernel", "a push", "its answer"], rows));
process.exit(0);
