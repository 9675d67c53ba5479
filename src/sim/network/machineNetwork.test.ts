// The node links of the server over the simulated network: what happens to machines, ways and connections is seen by
// the owners of links.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { noMetrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import { LINK_TIMES } from "../../cluster/links/link.ts";
import { NodeNetwork } from "../../cluster/links/nodeNetwork.ts";
import { brandServiceKey } from "../../model/ids.ts";
import { SimProcess } from "../cluster/simProcess.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { addressOf, MachineNetwork } from "./machineNetwork.ts";

const ROUGH = { delayMs: 5, spikeMs: 50, spikeChance: 0.2, splitChance: 0.5, noticeMs: 30 };
const ignore = () => undefined;
const NO_LOG: Log = { debug: ignore, info: ignore, warn: ignore, error: (event) => assert.fail(event) };

let scheduler: Scheduler;
let network: MachineNetwork;
let seen: string[];
beforeEach(() => {
  scheduler = new Scheduler(0);
  network = new MachineNetwork({ scheduler, dice: new Dice(1), weather: ROUGH });
  seen = [];
});

const passMs = (durationMs: number) => scheduler.run(scheduler.nowMs + durationMs, () => false);
const of = (name: string) => seen.filter((line) => line.startsWith(name));

interface Node {
  readonly process: SimProcess;
  readonly links: NodeNetwork;
}

/** A session on machine a or a data node on machine b, which write what they see. */
function node(machine: "a" | "b", run: number): Node {
  const disk = { name: machine, versionFloor: 0n, sizes: new Map(), access: "" };
  const process = new SimProcess(scheduler, { machine, disk, run, clock: { offsetMs: 0, drift: 0 } });
  const { id, time, local } = process;
  const role = machine === "a" ? "session" : "data";
  const self = { id, clusterName: "test", slotCount: 16, address: addressOf(machine), roles: [role] as const };
  const links = new NodeNetwork(
    { ...self, metaAddresses: [] },
    {
      ...time,
      local,
      times: LINK_TIMES,
      random: new Dice(run),
      metrics: noMetrics,
      log: NO_LOG,
      failed: (error) => assert.fail(String(error)),
      dial: (address, outcome) => network.dial(process, address, outcome),
    },
  );
  links.attach({
    session: (event) => {
      if (event.kind === "dataUp" || event.kind === "dataDown") seen.push(`a ${event.kind} ${event.node}`);
    },
    data: (event) => {
      if (event.kind === "sessionUp" || event.kind === "sessionDown") seen.push(`b ${event.kind} ${event.session}`);
      if (event.kind === "fromSession" && event.message.kind === "release") {
        seen.push(`b got ${event.message.serviceKeys.join()}`);
      }
    },
  });
  network.listen(process, (connection, nowMs) => links.accept(connection, nowMs));
  return { process, links };
}

const member = ({ process: { id, machine } }: Node) => ({ id, role: "data" as const, address: addressOf(machine) });
const send = (from: Node, to: Node, text: string) =>
  from.links.sessionOutput.toData(to.process.id, { kind: "release", serviceKeys: [brandServiceKey(text)] });

function end({ process }: Node, isSilent: boolean): void {
  process.end();
  network.died(process, isSilent);
}

function linked() {
  const [one, other] = [node("a", 1), node("b", 2)];
  one.links.sessionOutput.linkData([member(other)]);
  passMs(300);
  assert.deepEqual(seen.splice(0).toSorted(), ["a dataUp b.2", "b sessionUp a.1"]);
  return { one, other };
}

test("messages arrive in order, whatever pieces they are cut into", () => {
  const { one, other } = linked();
  for (const text of ["1", "2", "3"]) send(one, other, text);
  passMs(1_000);
  assert.deepEqual(seen, ["b got 1", "b got 2", "b got 3"]);
});

test("on a way that is blocked messages wait, and arrive when it opens", () => {
  const { one, other } = linked();
  const open = network.block([{ from: "a", to: "b" }]);
  send(one, other, "1");
  passMs(2_000);
  send(one, other, "2");
  assert.deepEqual(seen, []);
  open();
  passMs(2_000);
  assert.deepEqual(seen, ["b got 1", "b got 2"]);
});

test("a way that is blocked for long ends the link, at the other end too if that can be told", () => {
  linked();
  network.block([{ from: "a", to: "b" }]);
  passMs(4_900);
  assert.deepEqual(seen, []);
  passMs(1_500);
  assert.deepEqual(seen, ["b sessionDown a.1", "a dataDown b.2"]);
});

test("a reset loses what is under way; the link is made again", () => {
  const { one, other } = linked();
  send(one, other, "lost");
  network.reset("b", "a");
  passMs(1_000);
  assert.deepEqual(of("b"), ["b sessionDown a.1", "b sessionUp a.1"]);
  assert.deepEqual(of("a"), ["a dataDown b.2", "a dataUp b.2"]);
});

test("a process that stands still hears everything at once when it goes on", () => {
  const { one, other } = linked();
  other.process.gate.pause();
  send(one, other, "1");
  send(one, other, "2");
  passMs(3_000);
  assert.deepEqual(seen, []);
  other.process.gate.resume(true);
  assert.deepEqual(seen, ["b got 1", "b got 2"]);
});

test("a process that stands still for long is given up, and reads what was sent before the end", () => {
  const { one, other } = linked();
  other.process.gate.pause();
  send(one, other, "1");
  passMs(7_000);
  assert.deepEqual(seen.splice(0), ["a dataDown b.2"]);
  passMs(20_000);
  assert.deepEqual(seen, [], "its machine accepts connections, but nobody greets");
  other.process.gate.resume(true);
  passMs(0);
  assert.deepEqual(of("b").slice(0, 2), ["b got 1", "b sessionDown a.1"]);
  passMs(3_000);
  assert.equal(of("b").at(-1), "b sessionUp a.1");
  assert.equal(of("a").at(-1), "a dataUp b.2");
});

test("the peers of a killed process are told, those of a vanished machine find out by its silence", () => {
  const killed = linked();
  end(killed.other, false);
  passMs(100);
  assert.deepEqual(seen.splice(0), ["a dataDown b.2"]);
  const vanished = linkedAnew();
  end(vanished, true);
  passMs(4_900);
  assert.deepEqual(seen, []);
  passMs(1_200);
  assert.deepEqual(seen, ["a dataDown b.3"]);

  function linkedAnew(): Node {
    const next = node("b", 3);
    killed.one.links.sessionOutput.linkData([member(next)]);
    passMs(300);
    assert.deepEqual(seen.splice(0).toSorted(), ["a dataUp b.3", "b sessionUp a.1"]);
    return next;
  }
});

test("a machine that is back refuses what belonged to the process before", () => {
  const { other } = linked();
  end(other, true);
  passMs(1_000);
  node("b", 3);
  passMs(1_200);
  assert.deepEqual(seen, ["a dataDown b.2"]);
});

test("another run at the same address is not taken for the one that was meant", () => {
  const { other } = linked();
  end(other, false);
  node("b", 3);
  passMs(12_000);
  assert.deepEqual(seen, ["a dataDown b.2"]);
});

test("a machine that can't be reached does not answer a dial, and one without a process refuses it", () => {
  const { process } = node("a", 1);
  const failed = (reason: string) => void seen.push(`${scheduler.nowMs} ${reason}`);
  const dial = () => network.dial(process, addressOf("b"), { connected: () => assert.fail("connected"), failed });
  dial();
  passMs(200);
  assert.match(seen.splice(0).join(), /refused/);
  network.block([{ from: "b", to: "a" }]);
  dial()();
  dial();
  passMs(2_000);
  assert.deepEqual(seen, ["1200 no connection within 1000 ms"]);
});
