import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { ConnectionHandler, Log } from "../../base/ports.ts";
import { encodeHeartbeat } from "../../encoding/bolt/encode.ts";
import { BOLT_V1 } from "../../encoding/bolt/frame.ts";
import { nodeId } from "../../model/ids.ts";
import type { Hello } from "../messages/hello.ts";
import type { AcceptingNode } from "./acceptedGreeting.ts";
import { LINK_BACKLOG_BYTES_MAX, LINK_TIMES, LINK_UNSENT_BYTES_MAX, linkMessage } from "./link.ts";
import { LinkAcceptor } from "./linkAcceptor.ts";
import { LinkDialer } from "./linkDialer.ts";
import { TestNetwork, TestTime, type WireEnd, wire } from "./testing/wires.ts";

const SELF: AcceptingNode = { id: nodeId("d1.aaaa"), clusterName: "c", slotCount: 256, roles: ["data"] };
const HELLO: Hello = {
  kind: "hello",
  protocolVersion: 1,
  minProtocolVersion: 1,
  clusterName: "c",
  slotCount: 256,
  from: nodeId("s1.bbbb"),
  roles: ["session"],
  link: "data",
  address: "192.0.2.1:9620",
};

const message = (text: string) => linkMessage("roster.SessionToData", new TextEncoder().encode(text));
const text = (content: Uint8Array) => new TextDecoder().decode(content);

/** Two nodes: one dials, one accepts; `seen` lists the events of both, in order. */
class Scene {
  readonly time = new TestTime();
  readonly network = new TestNetwork(this.time);
  readonly seen: string[] = [];
  readonly logged: string[] = [];
  readonly counted: string[] = [];
  refuse = "";
  readonly acceptor: LinkAcceptor;

  constructor(self: Partial<AcceptingNode> = {}) {
    this.acceptor = new LinkAcceptor(
      { ...SELF, ...self },
      {
        up: ({ node }) => this.seen.push(`accepted ${node}`),
        received: (_peer, _class, content) => {
          if (text(content) === this.refuse) throw fail("NODE_MESSAGE_MALFORMED");
          this.seen.push(`acceptor got ${text(content)}`);
        },
        down: ({ node }) => this.seen.push(`lost ${node}`),
      },
      this.#environment("acceptor"),
    );
    this.listen();
  }

  #environment(who: string) {
    const log: Log = { debug: () => undefined, info: () => undefined, ...this.#loud(who) };
    const failed = (error: unknown) => this.seen.push(`bug: ${error}`);
    const metrics = { ...noMetrics, add: this.#count };
    return { clock: this.time, timers: this.time, log, metrics, times: LINK_TIMES, failed };
  }

  #count = (name: string, _value: number, labels?: object) => {
    this.counted.push(`${name} ${Object.values(labels ?? {}).join()}`);
  };

  #loud(who: string): Pick<Log, "warn" | "error"> {
    return {
      warn: (event) => this.logged.push(`${who}: ${event}`),
      error: (event, fields) => this.logged.push(`${who}: ${event}: ${fields?.["reason"]}`),
    };
  }

  listen(): void {
    this.network.accept = (connection, nowMs) => this.acceptor.accept(connection, nowMs);
  }

  dial(hello: Partial<Hello> = {}): LinkDialer {
    const events = {
      up: (node: string) => this.seen.push(`up ${node}`),
      received: (_node: string, _class: string, content: Uint8Array) => this.seen.push(`dialler got ${text(content)}`),
      down: (node: string) => this.seen.push(`down ${node}`),
    };
    const environment = { ...this.#environment("dialler"), dial: this.network.dial, random: { next: () => 0.999 } };
    return new LinkDialer({ address: "d1:9620", hello: { ...HELLO, ...hello } }, events, environment);
  }

  take(): string[] {
    return this.seen.splice(0);
  }
}

const PEER = { link: "data", role: "session", node: HELLO.from } as const;

test("two nodes greet, and then messages go both ways in order", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(10);
  assert.deepEqual(scene.take(), ["accepted s1.bbbb", "up d1.aaaa"]);
  for (const word of ["a", "b", "c"]) dialler.send(message(word));
  scene.acceptor.send(PEER, message("x"));
  scene.time.run(10);
  assert.deepEqual(scene.take().sort(), ["acceptor got a", "acceptor got b", "acceptor got c", "dialler got x"]);
});

test("what is sent before the link is up is lost, not kept", () => {
  const scene = new Scene();
  scene.dial().send(message("early"));
  scene.time.run(100);
  assert.deepEqual(scene.take(), ["accepted s1.bbbb", "up d1.aaaa"]);
});

test("a long idle link stays up, by heartbeats", () => {
  const scene = new Scene();
  scene.dial();
  scene.time.run(60_000);
  assert.deepEqual(scene.take(), ["accepted s1.bbbb", "up d1.aaaa"]);
  assert.equal(scene.network.wires.length, 1);
});

test("one-sided talk keeps both ends sure of each other", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(10);
  for (let at = 0; at < 100; at++) {
    dialler.send(message("talk"));
    scene.time.run(300);
  }
  for (let at = 0; at < 100; at++) {
    scene.acceptor.send(PEER, message("talk"));
    scene.time.run(300);
  }
  assert.equal(scene.network.wires.length, 1);
});

test("when the network goes without a word, both ends know it within six seconds", () => {
  const scene = new Scene();
  scene.dial();
  scene.time.run(2_000);
  scene.take();
  scene.network.cut();
  scene.network.accept = undefined;
  scene.time.run(4_000);
  assert.deepEqual(scene.take(), []);
  scene.time.run(2_500);
  assert.deepEqual(scene.take().sort(), ["down d1.aaaa", "lost s1.bbbb"]);
});

test("a process that was stopped itself does not blame its peers", () => {
  const scene = new Scene();
  scene.dial();
  scene.time.run(2_500);
  scene.take();
  scene.time.stop(60_000);
  scene.time.run(10_000);
  assert.deepEqual(scene.take(), []);
});

test("a link that is lost is made again, soon at first and then each second", () => {
  const scene = new Scene();
  scene.network.accept = undefined;
  scene.dial();
  scene.time.run(10_000);
  const waits = scene.network.dialsMs.map((atMs, at, all) => Math.round(atMs - (all[at - 1] ?? atMs)));
  assert.deepEqual(waits.slice(0, 8), [0, 51, 101, 201, 401, 801, 1_001, 1_001]);
  scene.listen();
  scene.time.run(1_100);
  assert.deepEqual(scene.take(), ["accepted s1.bbbb", "up d1.aaaa"]);
  assert.deepEqual(scene.logged, ["dialler: a link can't be made; it is tried again and again"]);
});

test("after a while that a link was up, the next dial is a quick one again", () => {
  const scene = new Scene();
  scene.dial();
  scene.time.run(5_000);
  scene.network.lastWire[1].close();
  scene.time.run(60);
  assert.equal(scene.take().filter((line) => line.startsWith("up")).length, 2);
});

test("a second connection of a node replaces the first, which is reported down before", () => {
  const scene = new Scene();
  scene.dial();
  scene.time.run(10);
  scene.take();
  scene.dial();
  scene.time.run(10);
  assert.deepEqual(scene.take().slice(0, 3), ["lost s1.bbbb", "accepted s1.bbbb", "up d1.aaaa"]);
});

const REFUSED: readonly [behaviour: string, hello: Partial<Hello>, reason: RegExp][] = [
  ["of another cluster", { clusterName: "other" }, /cluster c, you belong to other: give your node the meta-addresses/],
  ["with another slot count", { slotCount: 16 }, /has 256 slots, your release works with 16/],
  ["of a newer protocol", { protocolVersion: 9, minProtocolVersion: 9 }, /versions 1 to 1 .* yours 9 to 9: upgrade/],
  ["that wants meta", { link: "meta" }, /roles data and not meta: name only nodes with the role meta/],
  ["that has no business here", { link: "replication" }, /for nodes with the role data, yours has session/],
];

for (const [behaviour, hello, reason] of REFUSED) {
  test(`a node ${behaviour} is told what to do, once, and asked to come back rarely`, () => {
    const scene = new Scene();
    scene.dial(hello);
    scene.time.run(30_000);
    assert.deepEqual(scene.take(), []);
    assert.equal(scene.logged.length, 2, scene.logged.join("\n"));
    for (const line of scene.logged) assert.match(line, reason);
    assert.ok(scene.network.dialsMs.length <= 8, `${scene.network.dialsMs.length} dials`);
    assert.equal(scene.acceptor.size, 0);
  });
}

test("who means another run of a node finds none, which alarms nobody", () => {
  const scene = new Scene();
  scene.dial();
  scene.dial({ to: nodeId("d1.zzzz") });
  scene.time.run(30_000);
  assert.deepEqual(scene.take(), ["accepted s1.bbbb", "up d1.aaaa"], "and the link to this run stays");
  assert.deepEqual(scene.logged, []);
});

test("a node that dials itself stops doing so", () => {
  const scene = new Scene();
  scene.dial({ from: SELF.id });
  scene.time.run(30_000);
  assert.deepEqual([scene.network.dialsMs.length, scene.take(), scene.logged], [1, [], []]);
});

test("bytes that are no message close the link; what came before them counts", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(5_000);
  scene.take();
  scene.refuse = "bad";
  for (const word of ["good", "bad", "after"]) dialler.send(message(word));
  scene.time.run(100);
  const [first, second, third] = scene.take();
  assert.deepEqual([first, second, third], ["acceptor got good", "lost s1.bbbb", "down d1.aaaa"]);
});

test("a peer that talks and does not listen is given up when too much waits for it", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(10);
  scene.take();
  const [end] = scene.network.lastWire;
  for (let second = 0; second < 6; second++) {
    dialler.send(message("more"));
    scene.acceptor.send(PEER, message("talk"));
    end.bufferedBytes = LINK_UNSENT_BYTES_MAX + end.bytesWritten;
    scene.time.run(1_000);
  }
  assert.ok(scene.take().includes("down d1.aaaa"));
});

test("a slow peer that takes what waits for it is not given up", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(10);
  scene.take();
  const [end] = scene.network.lastWire;
  end.bufferedBytes = 2 * LINK_UNSENT_BYTES_MAX;
  for (let second = 0; second < 20; second++) {
    end.bufferedBytes -= 1_000_000;
    dialler.send(message("more"));
    scene.time.run(1_000);
  }
  assert.ok(!scene.take().includes("down d1.aaaa"));
});

test("a peer for which a gibibyte waits is given up however fast it is", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(10);
  scene.take();
  const [end] = scene.network.lastWire;
  end.bufferedBytes = LINK_BACKLOG_BYTES_MAX + 1;
  dialler.send(message("one too many"));
  assert.deepEqual(scene.take(), ["down d1.aaaa"]);
});

const nothing = () => undefined;
const SILENT: ConnectionHandler = { received: nothing, drained: nothing, closed: nothing };

const STRANGERS: readonly [who: string, speak: (end: WireEnd) => void][] = [
  ["talks HTTP", (end) => end.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"))],
  ["says nothing", () => undefined],
  ["is a client of another protocol", (end) => end.write(encodeHeartbeat(BOLT_V1, 1, 1), ...message("hi").parts)],
];

for (const [who, speak] of STRANGERS) {
  test(`whoever ${who} at the node port is nobody's peer and is gone in six seconds`, () => {
    const scene = new Scene();
    scene.network.dial("d1", { connected: () => SILENT, failed: assert.fail });
    scene.time.run(2);
    speak(scene.network.lastWire[0]);
    scene.time.run(6_000);
    assert.deepEqual(scene.take(), []);
    assert.equal(scene.network.lastWire[1].isClosed, true);
  });
}

test("a dialler that is closed says so and does not come back", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(10);
  dialler.close();
  dialler.close();
  scene.time.run(10_000);
  assert.deepEqual(scene.take(), ["accepted s1.bbbb", "up d1.aaaa", "down d1.aaaa", "lost s1.bbbb"]);
  assert.equal(scene.network.wires.length, 1);
});

test("a stranger that sends heartbeats and never greets is closed after five seconds", () => {
  const scene = new Scene();
  const stranger = strangerOf(scene);
  for (let second = 0; second < 4; second++) {
    stranger.write(encodeHeartbeat(BOLT_V1, second, 1));
    scene.time.run(1_000);
    assert.equal(stranger.isClosed, false);
  }
  stranger.write(encodeHeartbeat(BOLT_V1, 9, 1));
  scene.time.run(2_000);
  assert.equal(stranger.isClosed, true);
  assert.deepEqual(scene.take(), []);
});

test("a node that answers heartbeats and never our greeting is given up, and tried again", () => {
  const scene = new Scene();
  scene.network.accept = (connection) => ({
    received: () => connection.write(encodeHeartbeat(BOLT_V1, 1, 1)),
    drained: () => undefined,
    closed: () => undefined,
  });
  scene.dial();
  scene.time.run(8_000);
  assert.equal(scene.network.wires[0]?.[0].isClosed, true);
  assert.ok(scene.network.dialsMs.length > 1);
});

test("strangers of one address get half of the places for those that have not greeted; nodes give theirs back", () => {
  const scene = new Scene();
  const strangers = Array.from({ length: 600 }, () => strangerOf(scene));
  scene.time.run(10);
  assert.equal(strangers.filter(({ isClosed }) => isClosed).length, 600 - 512);
  assert.equal(scene.logged[0], "acceptor: too many connections have not greeted");
  for (const stranger of strangers) stranger.close();
  scene.time.run(10);
  scene.dial();
  scene.time.run(10);
  assert.deepEqual(scene.take(), ["accepted s1.bbbb", "up d1.aaaa"]);
  const more = Array.from({ length: 513 }, () => strangerOf(scene));
  scene.time.run(10);
  assert.equal(more.filter(({ isClosed }) => isClosed).length, 1);
});

test("a stranger can't make a node hold more bytes than a greeting has", () => {
  const scene = new Scene();
  const stranger = strangerOf(scene);
  stranger.write(linkMessage("roster.SessionToData", new Uint8Array(8 * 1024)).parts[0] ?? new Uint8Array(0));
  scene.time.run(10);
  assert.equal(stranger.isClosed, true);
});

/** The far end of a new connection to the acceptor. */
function strangerOf({ time, acceptor }: Scene): WireEnd {
  const [far, near] = wire(time);
  near.handler = acceptor.accept(near, time.nowMs());
  return far;
}

test("connections that never became a link are counted by why: they are of few kinds", () => {
  const scene = new Scene();
  const failed = () =>
    scene.counted.splice(0).filter((each) => each.startsWith("roster_node_connections_failed_total"));
  scene.dial({ clusterName: "another" });
  scene.time.run(100);
  assert.deepEqual(failed(), ["roster_node_connections_failed_total refused"]);
  strangerOf(scene).close();
  scene.time.run(10);
  assert.deepEqual(failed(), ["roster_node_connections_failed_total the connection was closed"]);
  const isLogged = () => scene.logged.includes("acceptor: a connection to the node port was no node's");
  assert.equal(isLogged(), false, "nothing is wrong with these");
  strangerOf(scene).write(new TextEncoder().encode("GET / HTTP/1.1"));
  scene.time.run(10);
  assert.match(failed().join(), /^roster_node_connections_failed_total BOLT_[A-Z_]+$/);
  assert.equal(isLogged(), true);
});

test("a node that stops ends connections that have not greeted too", () => {
  const scene = new Scene();
  const stranger = strangerOf(scene);
  scene.time.run(10);
  scene.acceptor.close();
  scene.time.run(10);
  assert.equal(stranger.isClosed, true);
  const late = strangerOf(scene);
  scene.time.run(10);
  assert.equal(late.isClosed, true, "and takes no more");
});

test("a node whose link is down has none, until it makes another one", () => {
  const scene = new Scene();
  const dialler = scene.dial();
  scene.time.run(10);
  assert.equal(scene.acceptor.has(PEER), true);
  dialler.close();
  scene.time.run(10);
  assert.equal(scene.acceptor.has(PEER), false);
  scene.dial();
  scene.time.run(10);
  assert.equal(scene.acceptor.has(PEER), true);
});
