import assert from "node:assert/strict";
import { test } from "node:test";
import { noMetrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import { nodeId } from "../../model/ids.ts";
import { DialledLinks, helloOf } from "./dialledLinks.ts";
import { LINK_TIMES } from "./link.ts";
import { LinkAcceptor } from "./linkAcceptor.ts";
import { TestNetwork, TestTime } from "./testing/wires.ts";

const SELF = { id: nodeId("d1.aaaa"), clusterName: "c", slotCount: 256, address: "d1:1" };
const LEADER = { id: nodeId("d2.bbbb"), role: "data", address: "d2:1" } as const;
const nothing = () => undefined;
const LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A follower's links, and a leader that takes them. */
function scene() {
  const time = new TestTime();
  const network = new TestNetwork(time);
  const seen: string[] = [];
  const environment = {
    clock: time,
    timers: time,
    log: LOG,
    metrics: noMetrics,
    times: LINK_TIMES,
    failed: (error: unknown) => assert.ifError(error),
    dial: network.dial,
    random: { next: () => 0.5 },
  };
  const events = { up: nothing, received: nothing, down: nothing };
  const leader = new LinkAcceptor({ ...SELF, id: LEADER.id, roles: ["data"] }, events, environment);
  network.accept = (connection, nowMs) => leader.accept(connection, nowMs);
  const links = new DialledLinks(
    (to) => helloOf(SELF, { link: "replication", roles: ["data"], to }),
    { up: (node) => seen.push(`up ${node}`), received: nothing, down: (node) => seen.push(`down ${node}`) },
    environment,
  );
  return { time, network, seen, links };
}

test("a link that is wanted again soon was never gone", () => {
  const { time, seen, links, network } = scene();
  links.keep([LEADER]);
  time.run(100);
  for (let round = 0; round < 20; round++) {
    links.keep([]);
    time.run(200);
    links.keep([LEADER]);
    time.run(200);
  }
  time.run(10_000);
  assert.deepEqual(seen, ["up d2.bbbb"]);
  assert.equal(network.dialsMs.length, 1);
});

test("a link that is not wanted any more ends, and is not made again", () => {
  const { time, seen, links, network } = scene();
  links.keep([LEADER]);
  time.run(100);
  links.keep([]);
  time.run(60_000);
  assert.deepEqual(seen, ["up d2.bbbb", "down d2.bbbb"]);
  assert.equal(network.dialsMs.length, 1);
});

test("a node that can't be reached and is not wanted is not dialled any more", () => {
  const { time, links, network } = scene();
  network.accept = undefined;
  links.keep([LEADER]);
  time.run(1_000);
  const dials = network.dialsMs.length;
  links.keep([]);
  time.run(60_000);
  assert.equal(network.dialsMs.length, dials);
});

test("a node at another address is dialled there at once", () => {
  const { time, seen, links } = scene();
  links.keep([LEADER]);
  time.run(100);
  links.keep([{ ...LEADER, address: "d2:2" }]);
  time.run(100);
  assert.deepEqual(seen, ["up d2.bbbb", "down d2.bbbb", "up d2.bbbb"]);
});
