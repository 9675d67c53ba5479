import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import type { Http2Call, Http2Connection, Http2Handler } from "../base/http2.ts";
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
async function serve(t: TestContext, called: (call: Http2Call, seen: Seen) => void = () => undefined): Promise<Server> {
  const seen: Seen = { connections: [], calls: [], happened: [] };
  const { happened } = seen;
  const accept = (connection: Http2Connection): Http2Handler => {
    seen.connections.push(connection);
    return {
      called: (call) => {
        seen.calls.push(call);
        called(call, seen);
        return {
          received: (chunk) => void happened.push(`received ${chunk.length}`),
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
    clock: hostClock,
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
