// `node --expose-gc bench/micro/session.ts [clients]`: what a session's clients take of its heap, and how long it is
// held up by the end of one of them: each has ten publications and a subscriber, so 100,000 clients are a million
// entries to find one client's among.

import { hostClock } from "../../src/transport/clock.ts";
import { serviceText } from "../instances.ts";
import { REGISTER, subscriberFrame } from "../protocols/sofa/registerFrames.ts";
import { table } from "./cost.ts";
import { answerPushes, type SoloClient, SoloRegistry } from "./soloRegistry.ts";

const CLIENTS_DEFAULT = 100_000;
const PUBLICATIONS = 10;
const SERVICES = 1_000;
const GRACE_MS = 1_000;
const ENDS = 100;
// Longer than version-scan-interval-ms.
const SCAN_MS = 6_000;

const count = Number(process.argv[2] ?? CLIENTS_DEFAULT);
const registry = await SoloRegistry.start();

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("node --expose-gc is needed");
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Runs `each` for every client, and lets the data role take what it causes. Returns what one client takes. */
async function taken(clients: readonly SoloClient[], each: (client: SoloClient, at: number) => void): Promise<number> {
  const before = heapBytes();
  for (const [at, client] of clients.entries()) {
    each(client, at);
    if (at % 100 === 0) await registry.turn();
  }
  while (!registry.session.session.isDrained) await registry.turn();
  return (heapBytes() - before) / clients.length;
}

const empty = heapBytes();
const clients = Array.from({ length: count }, () => registry.connect());
const connected = (heapBytes() - empty) / count;
const subscribed = await taken(clients, ({ handler }, at) => {
  const dataId = serviceText({ workload: "ms", number: at % SERVICES });
  const registId = String(at).padStart(36, "0");
  const frame = { id: 1, form: "hessian-draft", acceptEncoding: null, dataId, registId } as const;
  handler.received(subscriberFrame(frame), hostClock.nowMs());
});
// Other services than those with subscribers, or everything would be pushed to everybody.
const published = await taken(clients, ({ handler }, at) => {
  const frames = Buffer.allocUnsafeSlow(REGISTER.bytes * PUBLICATIONS);
  for (let own = 0; own < PUBLICATIONS; own++) {
    const number = at * PUBLICATIONS + own;
    const instance = { service: { workload: "mq", number: number % SERVICES }, number, revision: 0 };
    REGISTER.write(frames, own * REGISTER.bytes, { id: own + 1, instance, version: 1 });
  }
  handler.received(frames, hostClock.nowMs());
});

// Every client has its first list.
for (const client of clients) answerPushes(client);
await registry.turn();

/** How long the session is held up, in milliseconds. */
function stepped(nowMs: number): number {
  const before = performance.now();
  registry.session.stepper.step({ kind: "woken" }, nowMs);
  return performance.now() - before;
}

const ends = clients.slice(0, ENDS).map(({ handler }) => {
  const before = performance.now();
  handler.closed(hostClock.nowMs());
  return performance.now() - before + stepped(hostClock.nowMs() + GRACE_MS);
});
ends.sort((a, b) => a - b);
const at = (share: number) => `${(ends[Math.ceil(ends.length * share) - 1] ?? 0).toFixed(3)} ms`;
const rows = [
  ["a connection, without its socket", `${connected.toFixed(0)} B`],
  ["its subscriber", `${subscribed.toFixed(0)} B`],
  ["a publication, data role included", `${(published / PUBLICATIONS).toFixed(0)} B`],
  [`the end of a client with ${PUBLICATIONS}, of ${count * PUBLICATIONS}: median`, at(0.5)],
  ["… the 95th of a hundred", at(0.95)],
  ["the look at all subscribers, each five seconds", `${stepped(hostClock.nowMs() + SCAN_MS).toFixed(1)} ms`],
];
console.log(`Node ${process.version}, ${count} clients\n\n${table(["", ""], rows)}`);
process.exit(0);
