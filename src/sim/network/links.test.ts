// Links between nodes: ordered, without a gap in the middle, lost only by being closed.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { nodeId } from "../../model/ids.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { Gate } from "./gate.ts";
import type { LinkWords } from "./link.ts";
import { NodeNetwork } from "./nodeNetwork.ts";
import { BY_REFERENCE } from "./nodeWords.ts";
import { AcceptedPeers, addressOf, DialedPeers } from "./peers.ts";
import { Port } from "./port.ts";

const ROUGH = { delayMs: 5, spikeMs: 50, spikeChance: 0.2, noticeMs: 30 };

class TestProcess {
  readonly machine: string;
  readonly id;
  readonly gate = new Gate();
  isRunning = true;

  constructor(machine: string, run: number) {
    this.machine = machine;
    this.id = nodeId(`${machine}.${run}`);
  }
}

let scheduler: Scheduler;
let network: NodeNetwork;
let port: Port<string, string>;
let seen: string[];
beforeEach(() => {
  scheduler = new Scheduler(0);
  network = new NodeNetwork({ scheduler, dice: new Dice(1), weather: ROUGH });
  port = new Port(network, { toListener: BY_REFERENCE, toDialer: BY_REFERENCE } as LinkWords<string, string>);
  seen = [];
});

const passMs = (durationMs: number) => scheduler.run(scheduler.nowMs + durationMs, () => false);
const handlers = (name: string) => ({
  up: (peer: string) => void seen.push(`${name} up ${peer}`),
  down: (peer: string) => void seen.push(`${name} down ${peer}`),
  received: (peer: string, message: string) => void seen.push(`${name} got ${message} from ${peer}`),
});
const of = (name: string) => seen.filter((line) => line.startsWith(name));

function listener(process: TestProcess): AcceptedPeers<string, string> {
  const peers = new AcceptedPeers<string, string>(handlers("b"));
  port.listen({ id: process.id, process, accept: (from, end) => peers.accept(from, end) });
  return peers;
}

function dialler(process: TestProcess): DialedPeers<string, string> {
  return new DialedPeers(port, process, handlers("a"));
}

const soon = (run: () => void) => void scheduler.after(0, run);
const member = (process: TestProcess) => ({
  id: process.id,
  role: "data" as const,
  address: addressOf(process.machine),
});

function linked() {
  const [one, other] = [new TestProcess("a", 1), new TestProcess("b", 2)];
  const accepted = listener(other);
  const dialed = dialler(one);
  dialed.keep([member(other)], soon);
  passMs(200);
  seen = [];
  return { one, other, dialed, accepted };
}

test("messages arrive in order, after the link was made", () => {
  const [one, other] = [new TestProcess("a", 1), new TestProcess("b", 2)];
  listener(other);
  const dialed = dialler(one);
  dialed.keep([member(other)], soon);
  passMs(200);
  for (const message of ["1", "2", "3"]) dialed.send(other.id, message);
  passMs(1_000);
  assert.deepEqual(of("b"), ["b up a.1", "b got 1 from a.1", "b got 2 from a.1", "b got 3 from a.1"]);
  assert.deepEqual(of("a"), ["a up b.2"]);
});

test("on a way that is blocked messages wait, and arrive when it opens", () => {
  const { dialed, other } = linked();
  const open = network.block([{ from: "a", to: "b" }]);
  dialed.send(other.id, "1");
  passMs(3_000);
  dialed.send(other.id, "2");
  assert.deepEqual(seen, []);
  open();
  passMs(2_000);
  assert.deepEqual(seen, ["b got 1 from a.1", "b got 2 from a.1"]);
});

test("whoever hears nothing for five seconds closes, and the other learns of it if it can", () => {
  linked();
  network.block([{ from: "a", to: "b" }]);
  passMs(5_000);
  assert.deepEqual(seen, ["b down a.1", "a down b.2"]);
});

test("a reset loses what is under way; the link is made again", () => {
  const { dialed, other } = linked();
  dialed.send(other.id, "lost");
  for (const connection of network.connections()) connection.reset();
  passMs(1_000);
  assert.deepEqual(of("b"), ["b down a.1", "b up a.1"]);
  assert.deepEqual(of("a"), ["a down b.2", "a up b.2"]);
});

test("a process that stands still hears everything at once when it goes on", () => {
  const { dialed, other } = linked();
  other.gate.pause();
  network.review();
  dialed.send(other.id, "1");
  dialed.send(other.id, "2");
  passMs(3_000);
  assert.deepEqual(seen, []);
  other.gate.resume(true);
  assert.deepEqual(seen, ["b got 1 from a.1", "b got 2 from a.1"]);
});

test("a process that stands still for long is given up, reads what was sent before, and then the end", () => {
  const { dialed, other } = linked();
  other.gate.pause();
  network.review();
  dialed.send(other.id, "1");
  passMs(10_000);
  assert.deepEqual(seen, ["a down b.2"]);
  other.gate.resume(true);
  network.review();
  assert.deepEqual(of("b").slice(0, 2), ["b got 1 from a.1", "b down a.1"]);
});

test("a killed process's peers are told, a vanished one's find out", () => {
  const { other } = linked();
  other.isRunning = false;
  other.gate.close();
  port.died(other, false);
  passMs(100);
  assert.deepEqual(seen, ["a down b.2"]);
});

test("of a machine that vanished nobody is told, five seconds of silence say it", () => {
  const { other } = linked();
  other.isRunning = false;
  other.gate.close();
  port.died(other, true);
  passMs(3_000);
  assert.deepEqual(seen, []);
  passMs(3_000);
  assert.deepEqual(seen, ["a down b.2"]);
});

test("another run at the same address is not taken for the one that was meant", () => {
  const { other } = linked();
  port.died(other, false);
  listener(new TestProcess("b", 3));
  passMs(5_000);
  assert.deepEqual(seen, ["a down b.2"]);
});

test("a link that is no longer wanted ends, and both sides are told", () => {
  const { dialed } = linked();
  dialed.keep([], soon);
  assert.deepEqual(seen, []);
  passMs(100);
  assert.deepEqual(seen.toSorted(), ["a down b.2", "b down a.1"]);
});
