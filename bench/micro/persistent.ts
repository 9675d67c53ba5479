// The cost of persistent registrations at the session that keeps them: memory, reading them at the start, and a minute
// of heartbeats, without the registry and the store. `node --expose-gc bench/micro/persistent.ts [REGISTRATIONS]`

import { noMetrics } from "../../src/base/metrics.ts";
import { nodeId } from "../../src/model/ids.ts";
import { Keeper } from "../../src/persistent/keeper.ts";
import { KEEPER_TIMES, type KeeperOutput } from "../../src/persistent/keeperPorts.ts";
import {
  keeperBytes,
  keeperRecord,
  recordIdOf,
  registrationBytes,
  registrationRecord,
} from "../../src/persistent/recordForm.ts";
import { registration } from "../../src/persistent/testing/scene.ts";
import { hostRandom } from "../../src/transport/random.ts";

const PART = 1_000;
const START_MS = 1_000;
const TURN_MS = 20;
const MINUTE_MS = 60_000;

const count = Number(process.argv[2] ?? 100_000);
const id = nodeId("session.1");
const waiting: ((nowMs: number) => void)[] = [];
let heartbeats = 0;
const output: KeeperOutput = {
  lease(_lease, _request, done) {
    heartbeats++;
    waiting.push((nowMs) => done({ kind: "accepted", isHeard: true }, nowMs));
  },
  commit: () => undefined,
  probe: () => () => undefined,
  pass: () => undefined,
};
const options = { id, registrationsMax: count, times: KEEPER_TIMES };
const keeper = new Keeper(options, { output, random: hostRandom, metrics: noMetrics });

let changes = Array.from({ length: count }, (_, at) => {
  const one = registration(`r${at}`);
  return { key: registrationRecord(recordIdOf(one)), revision: BigInt(at + 2), value: registrationBytes(one) };
});
changes.push({ key: keeperRecord(id), revision: 1n, value: keeperBytes() });
const beforeBytes = heapBytes();
let fromMs = cpuMs();
keeper.step({ kind: "members", sessions: [id] }, START_MS);
let longestMs = 0;
for (let at = 0; at < changes.length; at += PART) {
  timed(() => keeper.step({ kind: "read", changes: changes.slice(at, at + PART) }, START_MS));
}
timed(() => keeper.step({ kind: "changed", changes: [], revision: BigInt(count + 1) }, START_MS));
timed(() => keeper.step({ kind: "confirmed", atMs: START_MS }, START_MS));
while (keeper.nextWakeMs() <= START_MS) timed(() => keeper.step({ kind: "woken" }, START_MS));
console.log(`read in ${Math.round(cpuMs() - fromMs)} ms, the longest step ${Math.round(longestMs)} ms`);
console.log(`${Math.round((heapBytes() - beforeBytes) / count)} bytes each, beside the records`);
changes = [];

fromMs = cpuMs();
for (let nowMs = START_MS; nowMs < START_MS + MINUTE_MS; nowMs += TURN_MS) {
  keeper.step({ kind: "woken" }, nowMs);
  for (const take of waiting.splice(0)) keeper.step({ kind: "answered", take }, nowMs);
}
const spentMs = cpuMs() - fromMs;
console.log(`${heartbeats} heartbeats in a minute, ${((1_000 * spentMs) / heartbeats).toFixed(1)} µs each`);

function timed(step: () => void): void {
  const beganMs = cpuMs();
  step();
  longestMs = Math.max(longestMs, cpuMs() - beganMs);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
