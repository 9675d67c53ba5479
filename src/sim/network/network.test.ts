import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { ConnectionHandler } from "../../base/ports.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { Wire } from "./wire.ts";

const ROUGH = { delayMs: 5, spikeMs: 50, spikeChance: 0.2, splitChance: 0.5, noticeMs: 30 };

let scheduler: Scheduler;
let seen: string[];
beforeEach(() => {
  scheduler = new Scheduler(0);
  seen = [];
});

function handler(name: string, received: number[] = []): ConnectionHandler {
  return {
    received: (chunk) => received.push(...chunk),
    drained: () => seen.push(`${name} drained`),
    closed: () => seen.push(`${name} closed`),
  };
}

function wire({ toServer = [], toClient = [] }: { toServer?: number[]; toClient?: number[] } = {}): Wire {
  const environment = {
    scheduler,
    dice: new Dice(1),
    weather: ROUGH,
    serverLost: () => seen.push("server lost"),
    buffered: () => undefined,
    slowed: (isSlow: boolean) => seen.push(isSlow ? "slow" : "free"),
  };
  const made = new Wire(environment, { client: "10.0.0.1:1", server: "10.0.0.2:2" });
  made.serve(handler("server", toServer), () => scheduler.nowMs);
  made.use(handler("client", toClient));
  return made;
}

const bytes = (count: number, first = 0) => Uint8Array.from({ length: count }, (_, at) => (first + at) % 256);
const passMs = (durationMs: number) => scheduler.run(scheduler.nowMs + durationMs, () => false);

test("bytes arrive whole and in order, however they are cut and delayed", () => {
  const toServer: number[] = [];
  const { clientEnd } = wire({ toServer });
  for (let first = 0; first < 256; first += 8) clientEnd.write(bytes(8, first));
  passMs(1_000);
  assert.deepEqual(toServer, [...bytes(256)]);
});

test("a cut loses what is under way and tells both sides, each in its time", () => {
  const toServer: number[] = [];
  const cut = wire({ toServer });
  cut.clientEnd.write(bytes(10));
  cut.cut({ clientMs: 10, serverMs: 20 });
  passMs(10);
  assert.deepEqual(seen, ["client closed"]);
  passMs(10);
  assert.deepEqual([seen, toServer], [["client closed", "server lost", "server closed"], []]);
});

test("a close still delivers what was written before it", () => {
  const toClient: number[] = [];
  const { serverEnd } = wire({ toClient });
  serverEnd.write(bytes(10));
  serverEnd.close();
  passMs(1_000);
  assert.equal(toClient.length, 10);
  assert.ok(seen.includes("client closed") && seen.includes("server closed"));
});

test("in silence nothing arrives and nobody is told; afterwards it comes late, and in order", () => {
  const toClient: number[] = [];
  const silent = wire({ toClient });
  silent.serverEnd.write(bytes(10));
  silent.fallSilent();
  silent.serverEnd.write(bytes(10, 10));
  passMs(60_000);
  assert.deepEqual([toClient, seen], [[], []]);
  silent.serverEnd.write(bytes(10, 20));
  silent.speakAgain();
  passMs(1_000);
  assert.deepEqual(toClient, [...bytes(30)]);
});

test("a side that gave up in the silence is missed when the silence ends", () => {
  const silent = wire();
  silent.fallSilent();
  silent.serverEnd.close();
  passMs(1_000);
  assert.deepEqual(seen, ["server lost", "server closed"]);
  silent.speakAgain();
  passMs(1_000);
  assert.deepEqual(seen.at(-1), "client closed");
});

test("what a side has written to one that is silent waits when the connection breaks, until the silence ends", () => {
  const silent = wire();
  silent.fallSilent();
  for (let at = 0; at < 10; at++) silent.serverEnd.write(bytes(20_000));
  silent.cut({ clientMs: 0, serverMs: 0 });
  passMs(1_000);
  assert.ok(silent.serverEnd.bufferedBytes > 100_000);
  assert.deepEqual(seen, []);
  silent.speakAgain();
  passMs(1_000);
  assert.deepEqual(seen.toSorted(), ["client closed", "server closed", "server lost"]);
});

test("a slow reader fills the writer's buffer, and reading again drains it", () => {
  const slow = wire();
  slow.readSlowly(true);
  for (let at = 0; at < 10; at++) slow.serverEnd.write(bytes(20_000));
  passMs(1_000);
  assert.ok(slow.serverEnd.bufferedBytes > 100_000);
  slow.readSlowly(false);
  passMs(10_000);
  assert.equal(slow.serverEnd.bufferedBytes, 0);
  assert.deepEqual(seen, ["server drained"]);
});

test("who does not read up to the end of a closed connection is told of it all the same", () => {
  const slow = wire();
  slow.readSlowly(true);
  slow.serverEnd.write(bytes(10));
  slow.serverEnd.close();
  passMs(5_000);
  assert.deepEqual(seen, ["server lost", "server closed", "client closed"]);
});

test("what is under way on a narrow line comes at once when the line is wide again, and in order", () => {
  const toClient: number[] = [];
  const narrow = wire({ toClient });
  narrow.narrow(10);
  narrow.serverEnd.write(bytes(100));
  narrow.serverEnd.write(bytes(100, 100));
  passMs(5_000);
  assert.ok(toClient.length < 100, `${toClient.length} bytes in 5 s`);
  narrow.narrow(Number.POSITIVE_INFINITY);
  narrow.serverEnd.write(bytes(56, 200));
  passMs(100);
  assert.deepEqual([toClient, seen], [[...bytes(256)], ["slow", "free"]]);
});

test("a narrow line is slow while it carries something, and not when all has come or it is cut", () => {
  const narrow = wire();
  narrow.narrow(100);
  narrow.serverEnd.write(bytes(10));
  passMs(2_000);
  narrow.serverEnd.write(bytes(10));
  assert.deepEqual(seen, ["slow", "free", "slow"]);
  narrow.cut({ clientMs: 10, serverMs: 10 });
  assert.equal(seen.at(-1), "free");
});

test("what is under way on a narrow line takes the pace of the next limit", () => {
  const toClient: number[] = [];
  const narrow = wire({ toClient });
  narrow.narrow(10);
  for (let first = 0; first < 200; first++) narrow.serverEnd.write(bytes(1, first));
  passMs(5_000);
  const before = toClient.length;
  narrow.narrow(100);
  passMs(1_000);
  assert.ok(before > 45 && before <= 50, `${before} bytes in 5 s`);
  assert.ok(toClient.length - before > 90 && toClient.length - before <= 101, `${toClient.length - before} in 1 s`);
});

test("a line that is narrow for a moment delivers in order what was written before", () => {
  const toClient: number[] = [];
  const narrow = wire({ toClient });
  for (let first = 0; first < 255; first++) {
    narrow.serverEnd.write(bytes(1, first));
    if (first % 5 === 0) narrow.narrow(first % 2 === 0 ? 1_000 : Number.POSITIVE_INFINITY);
    if (first % 3 === 0) passMs(1);
  }
  passMs(1_000);
  assert.deepEqual(toClient, [...bytes(255)]);
});
