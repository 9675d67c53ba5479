import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import type { Http2Call, Http2Connection, Http2Handler } from "../base/http2.ts";
import type { Clock } from "../base/ports.ts";
import { hostClock } from "./clock.ts";
import { CALLS_MAX, listenHttp2 } from "./http2.ts";

const MIB = 1024 * 1024;

interface Seen {
  readonly connections: Http2Connection[];
  readonly calls: Http2Call[];
  readonly happened: string[];
}

interface Server extends Seen {
  readonly port: number;
  readonly client: ClientHttp2Session;
  close(): Promise<void>;
}

/** A port whose calls go to `called`, with one client. */
async function serve(
  t: TestContext,
  called: (call: Http2Call, seen: Seen) => void = () => undefined,
  clock: Clock = hostClock,
): Promise<Server> {
  const seen: Seen = { connections: [], calls: [], happened: [] };
  const { happened } = seen;
  const accept = (connection: Http2Connection): Http2Handler => {
    seen.connections.push(connection);
    return {
      called: (call) => {
        seen.calls.push(call);
        called(call, seen);
        return {
          received: (chunk) => {
            happened.push(`received ${chunk.length}`);
            if (call.path === "/echo") {
              call.open(HEADERS);
              call.write(chunk.slice());
              call.end({ "grpc-status": "0" });
            }
          },
          ended: () => void happened.push("ended"),
          closed: () => void happened.push(`closed ${call.path}`),
        };
      },
      waits: () => undefined,
      drained: () => void happened.push("drained"),
      closing: () => void happened.push("closing"),
      closed: () => void happened.push("closed"),
    };
  };
  const listener = await listenHttp2({
    key: "nacos-grpc-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 10,
    clock,
    refused: () => undefined,
    notAccepted: assert.fail,
    accept,
  });
  const client = connectHttp2(`http://127.0.0.1:${listener.port}`);
  client.on("error", () => undefined);
  t.after(async () => {
    client.destroy();
    await listener.close();
  });
  return { ...seen, port: listener.port, client, close: () => listener.close() };
}

const HEADERS = { ":status": "200", "content-type": "application/grpc" };

test("a call is answered with headers, bytes and trailers, in order", async (t) => {
  const parts = [5, 200_000, 3, MIB].map((size, at) => new Uint8Array(size).fill(at + 1));
  const { client, happened } = await serve(t, (call) => {
    call.open(HEADERS);
    for (const part of parts) call.write(part);
    call.end({ "grpc-status": "0" });
  });
  const stream = client.request({ ":method": "POST", ":path": "/a" }, { endStream: false });
  stream.end("hello");
  const [headers] = await once(stream, "response");
  assert.equal(headers["content-type"], "application/grpc");
  const trailers = once(stream, "trailers");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(Buffer.concat(parts)));
  const [ended] = await trailers;
  assert.equal(ended["grpc-status"], "0");
  assert.deepEqual(happened.slice(0, 2), ["received 5", "ended"]);
});

test("what a client does not read is counted, and told when it has left", async (t) => {
  const { client, connections, happened } = await serve(t, (call) => {
    call.open(HEADERS);
    call.write(new Uint8Array(4 * MIB));
  });
  const stream = client.request({ ":method": "POST", ":path": "/a" }, { endStream: false });
  await once(stream, "response");
  const buffered = () => connections[0]?.bufferedBytes ?? 0;
  assert.ok(buffered() > 3 * MIB, `${buffered()}`);
  assert.equal(happened.length, 0);
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes === 4 * MIB) break;
  }
  while (!happened.includes("drained")) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(buffered(), 0);
});

test("a long part that many calls share is not copied for each", async (t) => {
  const [calls, bytes] = [40, 48 * 1024];
  const shared = new Uint8Array(bytes).fill(7);
  let waiting = 0;
  let before = 0;
  const { client } = await serve(t, (call) => {
    call.open(HEADERS);
    if (waiting++ === 0) before = process.memoryUsage().arrayBuffers;
    call.write(new Uint8Array(8), shared, new Uint8Array(1));
  });
  // The client lets nothing come: what was written stays with the server.
  await new Promise<void>((resolve) => client.settings({ initialWindowSize: 0 }, () => resolve()));
  const streams = Array.from({ length: calls }, () => client.request({ ":method": "POST", ":path": "/a" }));
  await Promise.all(streams.map((stream) => once(stream, "response")));
  const growth = process.memoryUsage().arrayBuffers - before;
  assert.ok(growth < (calls * bytes) / 2, `${growth} bytes more`);
  client.settings({ initialWindowSize: 1024 * 1024 });
  for (const stream of streams) {
    let left = bytes + 9;
    for await (const chunk of stream) {
      left -= (chunk as Buffer).length;
      if (left === 0) break;
    }
  }
});

test("a connection that breaks ends its calls first, and what they have not sent is forgotten", async (t) => {
  const { client, connections, happened } = await serve(t, (call) => {
    call.open(HEADERS);
    call.write(new Uint8Array(4 * MIB));
  });
  const stream = client.request({ ":method": "POST", ":path": "/a" }, { endStream: false });
  stream.on("error", () => undefined);
  await once(stream, "response");
  client.destroy();
  while (!happened.includes("closed")) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(happened.slice(-2), ["closed /a", "closed"]);
  assert.equal(connections[0]?.bufferedBytes, 0);
});

test("a port that closes lets each connection say something first", async (t) => {
  const { client, close, happened, calls } = await serve(t, (call) => call.open(HEADERS));
  const stream = client.request({ ":method": "POST", ":path": "/a" }, { endStream: false });
  stream.on("error", () => undefined);
  await once(stream, "response");
  await close();
  assert.equal(happened[0], "closing");
  assert.equal(happened.at(-1), "closed");
  // Nothing happens any more.
  calls[0]?.write(Uint8Array.of(1));
  calls[0]?.end({});
});

test("a client that speaks no HTTP/2 is closed", async (t) => {
  const { port, happened } = await serve(t);
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  socket.resume();
  await once(socket, "close");
  while (!happened.includes("closed")) await new Promise((resolve) => setImmediate(resolve));
});

test("calls beyond the bound wait at the client", async (t) => {
  const { client, calls } = await serve(t, (call) => call.open(HEADERS));
  await once(client, "remoteSettings");
  assert.equal(client.remoteSettings.maxConcurrentStreams, CALLS_MAX);
  const streams = Array.from({ length: CALLS_MAX + 5 }, () => client.request({ ":path": "/a" }, { endStream: false }));
  for (const stream of streams) stream.on("error", () => undefined);
  await Promise.all(streams.slice(0, CALLS_MAX).map((stream) => once(stream, "response")));
  assert.equal(calls.length, CALLS_MAX);
});

test("a call that is reset while its input waits for a turn is over, whatever the code of the reset", async (t) => {
  // Each look at the clock finds most of a turn over, so input waits.
  let nowMs = 0;
  const busy = { ...hostClock, nowMs: () => (nowMs += 15) };
  for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL]) {
    const { client, happened } = await serve(t, undefined, busy);
    await once(client, "remoteSettings");
    const streams = Array.from({ length: 20 }, () => client.request({ ":path": "/echo" }, { endStream: false }));
    for (const stream of streams) {
      stream.on("error", () => undefined);
      stream.write(new Uint8Array(20_000));
      setImmediate(() => stream.close(code));
    }
    const closed = () => happened.filter((each) => each === "closed /echo").length;
    while (closed() < streams.length) await new Promise((resolve) => setImmediate(resolve));
  }
});

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const TYPES = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, window: 8, continuation: 9 };
const END_HEADERS = 4;

function frame(type: keyof typeof TYPES, { flags = 0, stream = 0, payload = new Uint8Array() } = {}): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(TYPES[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

// POST, http, /, and the authority "a", by HPACK's static table.
const REQUEST = Uint8Array.of(0x83, 0x86, 0x84, 1, 1, 97);
const TO_THE_END = Uint8Array.of(0x7f, 0xff, 0xff, 0xff);

for (const [name, frames] of Object.entries({
  settings: () => frame("settings"),
  pings: () => frame("ping", { payload: new Uint8Array(8) }),
  continuations: (at: number) =>
    at === 0 ? frame("headers", { stream: 1, payload: REQUEST }) : frame("continuation", { stream: 1 }),
  "empty data": (at: number) =>
    at === 0 ? frame("headers", { stream: 1, flags: END_HEADERS, payload: REQUEST }) : frame("data", { stream: 1 }),
  resets: (at: number) =>
    Buffer.concat([
      frame("headers", { stream: 2 * at + 1, flags: END_HEADERS, payload: REQUEST }),
      frame("reset", { stream: 2 * at + 1, payload: Uint8Array.of(0, 0, 0, 8) }),
    ]),
  "more window than there is": () => frame("window", { payload: TO_THE_END }),
})) {
  test(`a client that sends nothing but ${name} is closed`, async (t) => {
    const { port } = await serve(t);
    const socket = connect(port, "127.0.0.1");
    // It is cut off while it still sends.
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(Buffer.concat([PREFACE, frame("settings")]));
    socket.write(Buffer.concat(Array.from({ length: 20_000 }, (_, at) => frames(at))));
    await once(socket, "close");
  });
}

test("a call that is reset without an error before its answer has left is over", async (t) => {
  const { port, happened, calls, connections } = await serve(t);
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  const opening = [PREFACE, frame("settings"), frame("headers", { stream: 1, flags: END_HEADERS, payload: REQUEST })];
  socket.write(Buffer.concat(opening));
  while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // Node reads the reset before it sends what is written in this turn.
  socket.write(frame("reset", { stream: 1, payload: new Uint8Array(4) }));
  calls[0]?.open(HEADERS);
  calls[0]?.write(new Uint8Array(20_000));
  while (!happened.includes("closed /")) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(connections[0]?.bufferedBytes, 0);
});
