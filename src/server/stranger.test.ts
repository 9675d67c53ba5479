// A stranger at the node ports of a running cluster with a secret: everything that it may try there, one after the
// other, beside clients that must notice nothing. It can't join, take slots, push lists, end a node or hold memory.

import assert from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { NODE_CODEC } from "../cluster/codec/format.ts";
import { decodeHelloAnswer, encodeHello, encodeHelloProof } from "../cluster/codec/hello.ts";
import type { NODE_MESSAGES } from "../cluster/codec/nodeMessages.ts";
import { linkMessage } from "../cluster/links/link.ts";
import type { Hello } from "../cluster/messages/hello.ts";
import { BoltDecoder } from "../encoding/bolt/decoder.ts";
import { encodeRequest, encodeRequestHead } from "../encoding/bolt/encode.ts";
import type { BoltFrame } from "../encoding/bolt/frame.ts";
import { nodeId } from "../model/ids.ts";
import { SLOT_COUNT } from "../model/slot.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const SECRET = { clusterSecret: "a secret that all of the nodes know" };
const DIALECT = { protocol: 2, version: 1, crc: false } as const;
const MIB = 1024 * 1024;

const nodes = new TestNodes();
let meta: RunningServer;
let data: RunningServer;
let session: RunningServer;
let client: TestClient;
let listener: Server | undefined;
let published = 0;
/** The bytes that a node has sent to the meta node, connection by connection, as a listener on the way hears them. */
const recorded: Buffer[][] = [];

before(async () => {
  meta = await nodes.start(["meta"], SECRET);
  const metaAddresses = [`127.0.0.1:${await listenerBefore(meta.ports.node)}`];
  data = await nodes.start(["data"], { ...SECRET, metaAddresses });
  session = await nodes.start(["session"], { ...SECRET, metaAddresses });
  client = new TestClient(() => session.ports.bolt);
  client.subscribe("orders");
});
after(async () => {
  client.close();
  await nodes.close();
  listener?.close();
});

/** A listener that passes everything on to a port, and records one direction of it. */
async function listenerBefore(port: number): Promise<number> {
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const bytes: Buffer[] = [];
    recorded.push(bytes);
    near.on("data", (chunk) => bytes.push(chunk as Buffer));
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => other.destroy());
      one.once("close", () => other.destroy());
    }
  });
  listener = server;
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

interface Stranger {
  readonly socket: Socket;
  readonly frames: BoltFrame[];
  readonly closed: Promise<void>;
}

function strangerAt(port: number): Stranger {
  const socket = connect(port, "127.0.0.1");
  const frames: BoltFrame[] = [];
  const decoder = new BoltDecoder({ frameBytesMax: MIB });
  socket.on("data", (chunk) => decoder.push(new Uint8Array(chunk as Buffer), (frame) => frames.push(frame)));
  socket.on("error", () => socket.destroy());
  return { socket, frames, closed: new Promise((resolve) => socket.once("close", () => resolve())) };
}

const request = (className: keyof typeof NODE_MESSAGES, content: Uint8Array, id = 1) =>
  encodeRequest(DIALECT, { id, codec: NODE_CODEC, timeoutMs: 1_000, className, content });

function helloOf(changes: Partial<Hello> = {}): Uint8Array {
  return encodeHello({
    kind: "hello",
    protocolVersion: 1,
    minProtocolVersion: 1,
    clusterName: "default",
    slotCount: SLOT_COUNT,
    from: nodeId("stranger.00000000"),
    roles: ["data"],
    link: "meta",
    address: "127.0.0.1:1",
    ...changes,
  });
}

const NONCE = new Uint8Array(32).fill(7);
const idOf = async (role: string): Promise<string> =>
  (await operate(meta, "GET", "/nodes")).body.items.find((row) => row.role === role)?.id;
const leaders = async (): Promise<Set<string>> =>
  new Set((await operate(meta, "GET", "/slots")).body.items.map(({ leader }) => String(leader)));

/** The cluster is as before: its members, its slots, and a change that reaches its clients. */
async function assertUntouched(): Promise<void> {
  const { body } = await operate(meta, "GET", "/nodes");
  assert.deepEqual(body.items.map(({ role, state }) => `${role} ${state}`).sort(), EXPECTED);
  assert.deepEqual([...(await leaders())], [await idOf("data")]);
  const value = `10.0.0.1:${++published}`;
  client.publish(`orders-${published}`, value);
  client.subscribe(`orders-${published}`);
  await eventually(
    () => client.list(`orders-${published}`),
    (list) => list === value,
  );
  assert.equal(client.connections, 1);
}

let EXPECTED: readonly string[] = [];

test("the cluster serves", async () => {
  await eventually(leaders, (all) => all.size === 1);
  EXPECTED = (await operate(meta, "GET", "/nodes")).body.items.map(({ role, state }) => `${role} ${state}`).sort();
  assert.equal(EXPECTED.length, 3);
  await assertUntouched();
});

/** The ports with links, and a greeting that each of them takes from a node. */
function targets(): readonly [port: number, hello: Partial<Hello>][] {
  return [
    [meta.ports.node, { roles: ["data"], link: "meta" }],
    [meta.ports.node, { roles: ["session"], link: "meta" }],
    [data.ports.node, { roles: ["session"], link: "data" }],
    [data.ports.node, { roles: ["data"], link: "replication" }],
  ];
}

test("without the secret it is refused with the remedy, and gets nothing else", async () => {
  for (const [port, hello] of targets()) {
    const { socket, frames, closed } = strangerAt(port);
    socket.write(request("roster.Hello", helloOf(hello)));
    await closed;
    assert.deepEqual(
      frames.map(({ className }) => className),
      ["roster.HelloAnswer"],
    );
    const answer = decodeHelloAnswer(frames[0]?.content ?? new Uint8Array());
    assert.ok(answer.kind === "helloAnswer" && !answer.accepted);
    assert.match(answer.reason, /this cluster has a secret.*cluster-secret-file/);
  }
  await assertUntouched();
});

test("with a wrong one it is refused, and gets a challenge and the refusal", async () => {
  for (const [port, hello] of targets()) {
    const { socket, frames, closed } = strangerAt(port);
    socket.write(request("roster.Hello", helloOf({ ...hello, nonce: NONCE })));
    await eventually(
      () => frames.length,
      (count) => count === 1,
    );
    socket.write(request("roster.HelloProof", encodeHelloProof({ kind: "helloProof", proof: NONCE }), 2));
    await closed;
    assert.deepEqual(
      frames.map(({ className }) => className),
      ["roster.HelloChallenge", "roster.HelloAnswer"],
    );
  }
  await assertUntouched();
});

test("a recorded greeting of a node, replayed at once or piece by piece, opens nothing", async () => {
  assert.ok(recorded.length >= 2);
  for (const pieces of recorded) {
    const { socket, frames, closed } = strangerAt(meta.ports.node);
    for (const piece of pieces.slice(0, 20)) {
      if (socket.destroyed) break;
      socket.write(piece);
      await new Promise(setImmediate);
    }
    await closed;
    const names = frames.map(({ className }) => className).filter((name) => name !== "");
    assert.ok(
      names.every((name) => name === "roster.HelloChallenge" || name === "roster.HelloAnswer"),
      names.join(),
    );
  }
  await assertUntouched();
});

test("under the id of a node that runs it takes no link and no slot from it", async () => {
  const [dataId, sessionId] = [await idOf("data"), await idOf("session")];
  const lost = async () => (await data.page.render(""))?.body.match(/^roster_node_links_lost_total.*$/gm)?.join() ?? "";
  const earlier = await lost();
  for (const [port, hello] of targets()) {
    const from = nodeId(hello.roles?.[0] === "data" ? dataId : sessionId);
    for (const nonce of [undefined, NONCE]) {
      const { socket, closed } = strangerAt(port);
      socket.write(request("roster.Hello", helloOf({ ...hello, from, ...(nonce && { nonce }) })));
      socket.write(request("roster.HelloProof", encodeHelloProof({ kind: "helloProof", proof: NONCE }), 2));
      await closed;
    }
  }
  assert.equal(await lost(), earlier);
  await assertUntouched();
});

test("messages without a greeting, or behind a refused one, are not heard", async () => {
  const heartbeat = linkMessage("roster.MemberToMeta", Uint8Array.of(1, 1, 0));
  const publish = linkMessage("roster.SessionToData", Uint8Array.of(1, 1, 0));
  const lists = linkMessage("roster.DataToSession", Uint8Array.of(1, 1, 0));
  for (const [port, hello] of targets()) {
    for (const message of [heartbeat, publish, lists]) {
      for (const greeting of [[], [request("roster.Hello", helloOf(hello))]]) {
        const { socket, closed } = strangerAt(port);
        for (const part of [...greeting, ...message.parts]) socket.write(part);
        await closed;
      }
    }
  }
  await assertUntouched();
});

test("a frame that is declared huge is refused by its head, and garbage ends the connection alone", async () => {
  const head = { kind: "request", id: 1, codec: NODE_CODEC, timeoutMs: 1, className: "roster.Hello" } as const;
  const huge = [9_000, MIB, 256 * MIB, 0x7fff_ffff].map((contentLength) =>
    encodeRequestHead(DIALECT, { ...head, contentLength }),
  );
  const garbage = [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(4_096, 0xff), Buffer.alloc(4_096)];
  for (const port of [meta.ports.node, data.ports.node]) {
    for (const bytes of [...huge, ...garbage]) {
      const { socket, closed } = strangerAt(port);
      socket.write(bytes);
      await closed;
    }
  }
  await assertUntouched();
});

test("a crowd that begins a greeting and never ends it is bounded, holds little, and is ended in time", async () => {
  const COUNT = 700;
  const beginning = request("roster.Hello", new Uint8Array(7_000)).subarray(0, 6_000);
  const earlier = process.memoryUsage().arrayBuffers;
  const crowd = Array.from({ length: COUNT }, () => strangerAt(data.ports.node));
  for (const { socket } of crowd) socket.write(beginning);
  let ended = 0;
  for (const { closed } of crowd) void closed.then(() => ended++);
  // One address has at most half of the 1,024 connections that may be without a greeting.
  await eventually(
    () => ended,
    (count) => count >= COUNT - 512,
  );
  assert.ok(process.memoryUsage().arrayBuffers - earlier < 32 * MIB);
  await assertUntouched();
  await eventually(
    () => ended,
    (count) => count === COUNT,
    30_000,
  );
  await assertUntouched();
});

test("nodes of the cluster still come and go", async () => {
  const metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const another = await nodes.start(["data"], { ...SECRET, metaAddresses });
  await eventually(leaders, (all) => all.size === 2);
  await another.drain();
  await nodes.stop(another);
  await eventually(leaders, (all) => all.size === 1);
});
