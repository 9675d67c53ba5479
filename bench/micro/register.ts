// `node bench/micro/register.ts`: what a registration costs the registry without the kernel: until it is answered, and
// until the data role has it. Ten connections, a thousand services, and always new registrations.

import { hostClock } from "../../src/transport/clock.ts";
import { REGISTER } from "../protocols/sofa/registerFrames.ts";
import { cpuMicroseconds, table } from "./cost.ts";
import { SoloRegistry } from "./soloRegistry.ts";

const CONNECTIONS = 10;
const SERVICES = 1_000;
const CHUNK = 100;
const CHUNKS = 100;
const ROUNDS = 20;

const registry = await SoloRegistry.start();
const clients = Array.from({ length: CONNECTIONS }, () => registry.connect());
let registered = 0;

/** As many registrations as one read brings. */
function chunk(): Buffer {
  const frames = Buffer.allocUnsafeSlow(REGISTER.bytes * CHUNK);
  for (let at = 0; at < CHUNK; at++) {
    const number = registered++;
    const instance = { service: { workload: "mr", number: number % SERVICES }, number, revision: 0 };
    REGISTER.write(frames, at * REGISTER.bytes, { id: number + 1, instance, version: 1 });
  }
  return frames;
}

/** Microseconds of one registration: all of it, and the part until it was answered. */
async function round(): Promise<[whole: number, answered: number]> {
  const chunks = Array.from({ length: CHUNKS }, chunk);
  let answering = 0;
  const beginning = cpuMicroseconds();
  for (const [at, frames] of chunks.entries()) {
    const before = cpuMicroseconds();
    clients[at % CONNECTIONS]?.handler.received(frames, hostClock.nowMs());
    answering += cpuMicroseconds() - before;
    await new Promise((resolve) => void setImmediate(resolve));
  }
  while (!registry.session.session.isDrained) await registry.turn();
  return [(cpuMicroseconds() - beginning) / (CHUNK * CHUNKS), answering / (CHUNK * CHUNKS)];
}

const rounds: [number, number][] = [];
for (let at = 0; at < ROUNDS; at++) rounds.push(await round());
const median = (part: 0 | 1) => rounds.map((each) => each[part]).sort((a, b) => a - b)[ROUNDS / 2] ?? 0;
const [cold] = rounds;
const rows = [
  ["the first ten thousand", ...(cold ?? []).map((us) => `${us.toFixed(1)} µs`)],
  ["the median of twenty times ten thousand", `${median(0).toFixed(1)} µs`, `${median(1).toFixed(1)} µs`],
];
console.log(
  `Node ${process.version}\n\n${table(["without the kernel", "a registration", "until it is answered"], rows)}`,
);
process.exit(0);
