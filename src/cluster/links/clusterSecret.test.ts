// Greetings in a cluster with a secret: the nodes that are accepted, and everything that a stranger may try.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noMetrics } from "../../base/metrics.ts";
import type { Connection, ConnectionHandler, Log, PeerCertificate } from "../../base/ports.ts";
import { BoltDecoder } from "../../encoding/bolt/decoder.ts";
import { encodeRequest } from "../../encoding/bolt/encode.ts";
import type { BoltFrame } from "../../encoding/bolt/frame.ts";
import { nodeId } from "../../model/ids.ts";
import { NODE_CODEC } from "../codec/format.ts";
import { decodeHelloAnswer, encodeHello, encodeHelloProof } from "../codec/hello.ts";
import type { NODE_MESSAGES } from "../codec/nodeMessages.ts";
import type { Hello } from "../messages/hello.ts";
import type { AcceptingNode } from "./acceptedGreeting.ts";
import { certificateNameOf } from "./certificateRule.ts";
import { type ClusterSecret, proofOf } from "./clusterSecret.ts";
import { GREETING_BYTES_MAX, LINK_TIMES, linkMessage } from "./link.ts";
import { LinkAcceptor } from "./linkAcceptor.ts";
import { type Dial, LinkDialer } from "./linkDialer.ts";
import { secretOf } from "./testing/testSecret.ts";
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
const RIGHT = secretOf(["the right one"]);
const WRONG = secretOf(["another one"]);

interface SceneOptions {
  readonly accepting?: ClusterSecret | undefined;
  readonly dialling?: ClusterSecret | undefined;
  readonly self?: Partial<AcceptingNode>;
}

/** An accepting node, a node that may dial it, and what both noticed. */
class Scene {
  readonly time = new TestTime();
  readonly network = new TestNetwork(this.time);
  readonly seen: string[] = [];
  readonly reasons: string[] = [];
  readonly counted: string[] = [];
  readonly #acceptor: LinkAcceptor;
  readonly #dialling: ClusterSecret | undefined;

  constructor({ accepting, dialling, self }: SceneOptions) {
    this.#dialling = dialling;
    this.#acceptor = new LinkAcceptor(
      { ...SELF, ...self },
      {
        up: ({ node }) => this.seen.push(`accepted ${node}`),
        received: (_peer, className) => this.seen.push(`acceptor got ${className}`),
        down: ({ node }) => this.seen.push(`lost ${node}`),
      },
      { ...this.#environment(), secret: accepting },
    );
    this.network.accept = (connection, nowMs) => this.#acceptor.accept(connection, nowMs);
  }

  #environment() {
    const line: Log["warn"] = (_event, fields) => this.reasons.push(String(fields?.["reason"]));
    const log = { debug: line, info: () => undefined, warn: line, error: line };
    const metrics = {
      ...noMetrics,
      add: (name: string, _value: number, labels?: object) => {
        this.counted.push(`${name} ${Object.values(labels ?? {}).join()}`);
      },
    };
    return { clock: this.time, timers: this.time, log, metrics, times: LINK_TIMES, failed: throwIt };
  }

  dial(hello: Partial<Hello> = {}): LinkDialer {
    const environment = { ...this.#environment(), dial: this.network.dial, random: { next: () => 0.5 } };
    const events = {
      up: (node: string) => this.seen.push(`up ${node}`),
      received: (_node: string, className: string) => this.seen.push(`dialler got ${className}`),
      down: (node: string) => this.seen.push(`down ${node}`),
    };
    const target = { address: "d1:9620", hello: { ...HELLO, ...hello } };
    return new LinkDialer(target, events, { ...environment, secret: this.#dialling });
  }

  /** Calls `changed` with each connection that is dialled from now on, before anything is written to it. */
  onDialled(changed: (connection: Connection) => void): void {
    const { dial } = this.network;
    const changedDial: Dial = (address, outcome) =>
      dial(address, {
        ...outcome,
        connected: (connection, nowMs) => {
          changed(connection);
          return outcome.connected(connection, nowMs);
        },
      });
    Object.assign(this.network, { dial: changedDial });
  }

  /** A connection that the test itself speaks on; it keeps the frames that it gets. */
  stranger(): { readonly end: WireEnd; readonly frames: BoltFrame[] } {
    const [end, other] = wire(this.time);
    const frames: BoltFrame[] = [];
    const decoder = new BoltDecoder({ frameBytesMax: 1024 * 1024 });
    end.handler = {
      received: (chunk) => decoder.push(chunk, (frame) => frames.push(frame)),
      drained: () => undefined,
      closed: () => undefined,
    } satisfies ConnectionHandler;
    other.handler = this.#acceptor.accept(other, this.time.nowMs());
    return { end, frames };
  }
}

function throwIt(error: unknown): never {
  throw error;
}

const DIALECT = { protocol: 2, version: 1, crc: false } as const;
const request = (className: keyof typeof NODE_MESSAGES, content: Uint8Array, id = 1) =>
  encodeRequest(DIALECT, { id, codec: NODE_CODEC, timeoutMs: 1_000, className, content });

const UP = ["accepted s1.bbbb", "up d1.aaaa"];

const ACCEPTED: readonly [what: string, options: SceneOptions][] = [
  ["two nodes without a secret", {}],
  ["two nodes with the same secret", { accepting: RIGHT, dialling: RIGHT }],
  [
    "a node with the next secret, where both are known",
    { accepting: secretOf(["old", "new"]), dialling: secretOf(["new", "old"]) },
  ],
  ["a node without a secret, where it is optional", { accepting: secretOf(["s"], { isOptional: true }) }],
  ["a node that has one and need not have it, by one without", { dialling: secretOf(["s"], { isOptional: true }) }],
];

for (const [what, options] of ACCEPTED) {
  test(`greeted: ${what}`, () => {
    const scene = new Scene(options);
    scene.dial();
    scene.time.run(10);
    assert.deepEqual(scene.seen, UP);
  });
}

const REFUSED: readonly [what: string, options: SceneOptions, reason: RegExp, counted: string | undefined][] = [
  ["a node without the secret", { accepting: RIGHT }, /has a secret.*cluster-secret-file/, "no secret"],
  ["a node with another secret", { accepting: RIGHT, dialling: WRONG }, /does not know the secret/, "wrong secret"],
  [
    "a node with another secret, where it is optional",
    { accepting: secretOf(["s"], { isOptional: true }), dialling: WRONG },
    /does not know the secret/,
    "wrong secret",
  ],
  ["a node that gives no proof, by the one that dials", { dialling: RIGHT }, /there gives no proof/, undefined],
];

for (const [what, options, reason, counted] of REFUSED) {
  test(`refused, with the remedy: ${what}`, () => {
    const scene = new Scene(options);
    scene.dial();
    scene.time.run(10);
    assert.deepEqual(
      scene.seen.filter((each) => each.startsWith("up")),
      [],
    );
    assert.match(scene.reasons.join("\n"), reason);
    const refusals = scene.counted.filter((each) => each.startsWith("roster_node_peers_refused_total"));
    assert.deepEqual(refusals, counted === undefined ? [] : [`roster_node_peers_refused_total ${counted}`]);
  });
}

test("of another cluster's node that proves nothing nothing is told but that", () => {
  const scene = new Scene({ accepting: RIGHT });
  const { end, frames } = scene.stranger();
  end.write(request("roster.Hello", encodeHello({ ...HELLO, clusterName: "other", slotCount: 1 })));
  scene.time.run(10);
  const answer = decodeHelloAnswer(frames[0]?.content ?? new Uint8Array());
  assert.ok(answer.kind === "helloAnswer");
  assert.match(answer.reason, /^this cluster has a secret/);
  assert.equal(frames.length, 1);
  assert.ok(end.isClosed);
});

test("a recorded greeting is worth nothing on another connection", () => {
  const scene = new Scene({ accepting: RIGHT, dialling: RIGHT });
  const recorded: Uint8Array[] = [];
  scene.onDialled((connection) => {
    const write = connection.write.bind(connection);
    Object.assign(connection, {
      write: (...parts: Uint8Array[]) => {
        recorded.push(...parts);
        write(...parts);
      },
    });
  });
  scene.dial();
  scene.time.run(10);
  assert.deepEqual(scene.seen, UP);
  assert.equal(recorded.length, 2);
  const hello = request("roster.Hello", encodeHello({ ...HELLO, nonce: new Uint8Array(32).fill(9) }));
  for (const chunks of [recorded, [hello, ...recorded]]) {
    const { end, frames } = scene.stranger();
    for (const chunk of chunks) {
      end.write(chunk);
      scene.time.run(5);
    }
    assert.ok(frames.every(({ className }) => className !== "roster.DataToSession"));
    assert.ok(end.isClosed);
  }
  assert.deepEqual(scene.seen, UP);
});

test("a proof is for one greeting, one end and one hello", () => {
  const greeting = { hello: Uint8Array.of(1, 2), challenge: Uint8Array.of(3) };
  const all = [
    proofOf(RIGHT, "a", "dialling", greeting),
    proofOf(RIGHT, "b", "dialling", greeting),
    proofOf(RIGHT, "a", "accepting", greeting),
    proofOf(RIGHT, "a", "dialling", { hello: Uint8Array.of(1), challenge: Uint8Array.of(2, 3) }),
    proofOf(RIGHT, "a", "dialling", { ...greeting, challenge: Uint8Array.of(4) }),
  ];
  assert.equal(new Set(all.map((proof) => Buffer.from(proof).toString("hex"))).size, all.length);
});

for (const [what, second] of [
  ["a message", () => linkMessage("roster.SessionToData", Uint8Array.of(1)).parts],
  ["a second greeting", () => [request("roster.Hello", encodeHello({ ...HELLO, nonce: new Uint8Array(32) }))]],
  ["a proof that is none", () => [request("roster.HelloProof", Uint8Array.of(1, 1, 0, 3, 1, 2, 3), 2)]],
  [
    "a proof of zeros",
    () => [request("roster.HelloProof", encodeHelloProof({ kind: "helloProof", proof: new Uint8Array(32) }), 2)],
  ],
  ["a frame beyond what a greeting takes", () => [request("roster.HelloProof", new Uint8Array(GREETING_BYTES_MAX), 2)]],
] as const) {
  test(`a stranger that answers the challenge with ${what} is ended and heard no further`, () => {
    const scene = new Scene({ accepting: RIGHT });
    const { end, frames } = scene.stranger();
    end.write(request("roster.Hello", encodeHello({ ...HELLO, nonce: new Uint8Array(32) })));
    scene.time.run(5);
    assert.deepEqual(
      frames.map(({ className }) => className),
      ["roster.HelloChallenge"],
    );
    end.write(...second());
    for (const part of linkMessage("roster.SessionToData", Uint8Array.of(1)).parts) end.write(part);
    scene.time.run(5);
    assert.deepEqual(scene.seen, []);
    assert.ok(end.isClosed);
  });
}

test("a stranger that never answers the challenge is ended when the time for a greeting is over", () => {
  const scene = new Scene({ accepting: RIGHT });
  const { end } = scene.stranger();
  end.write(request("roster.Hello", encodeHello({ ...HELLO, nonce: new Uint8Array(32) })));
  scene.time.run(LINK_TIMES.greetingMs + LINK_TIMES.heartbeatMs + 5);
  assert.ok(end.isClosed);
  assert.ok(scene.counted.some((each) => each.includes("no greeting")));
});

test("before a greeting is over nothing larger is read by the side that dials either", () => {
  const scene = new Scene({ dialling: RIGHT });
  const ends: WireEnd[] = [];
  scene.network.accept = (connection) => {
    ends.push(connection as WireEnd);
    return { received: () => undefined, drained: () => undefined, closed: () => undefined };
  };
  scene.dial();
  scene.time.run(5);
  ends[0]?.write(request("roster.HelloAnswer", new Uint8Array(GREETING_BYTES_MAX)).subarray(0, 64));
  scene.time.run(5);
  assert.match(scene.reasons.join(), /BOLT_FRAME_TOO_LARGE/);
});

test("a node that dials itself knows that it did, by the proof alone", () => {
  const scene = new Scene({ accepting: RIGHT, dialling: RIGHT });
  const dialler = scene.dial({ from: SELF.id, link: "meta" });
  scene.time.run(10);
  assert.equal(dialler.isOwn, true);
  const unproven = new Scene({ dialling: RIGHT });
  const misled = unproven.dial({ from: SELF.id, link: "meta" });
  unproven.time.run(10);
  assert.equal(misled.isOwn, false);
});

function certified(names: readonly string[]): PeerCertificate {
  return { subject: "CN=x", commonName: "x", names, fingerprint: "" };
}

for (const [what, names, isAccepted] of [
  ["that names the node", [`URI:${certificateNameOf("c", "s1")}`], true],
  ["that names every node of the cluster", [`URI:${certificateNameOf("c", "*")}`], true],
  ["of another node", [`URI:${certificateNameOf("c", "s2")}`], false],
  ["of another cluster", [`URI:${certificateNameOf("d", "*")}`], false],
  ["of a client", ["DNS:s1", "DNS:*"], false],
  ["without names", [], false],
] as const) {
  test(`a certificate ${what} is ${isAccepted ? "accepted" : "refused"}`, () => {
    const scene = new Scene({});
    const accept = scene.network.accept;
    scene.network.accept = (connection, nowMs) => {
      Object.assign(connection, { certificate: certified(names) });
      assert.ok(accept !== undefined);
      return accept(connection, nowMs);
    };
    scene.dial();
    scene.time.run(10);
    assert.deepEqual(scene.seen, isAccepted ? UP : []);
    if (!isAccepted) assert.match(scene.reasons.join(), /needs the alternative name URI:roster:\/\/c\/s1, or/);
  });
}

test("the side that dials refuses the certificate of another node too", () => {
  const scene = new Scene({});
  scene.onDialled((connection) => Object.assign(connection, { certificate: certified(["URI:roster://c/d2"]) }));
  scene.dial();
  scene.time.run(10);
  assert.ok(!scene.seen.includes("up d1.aaaa"));
  assert.match(scene.reasons.join(), /is not that of d1/);
});
