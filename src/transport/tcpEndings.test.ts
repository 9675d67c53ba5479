// Connections that are not made, are reset, or whose client does not read.

import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import type { Acceptor, Connection, ConnectionHandler } from "../base/ports.ts";
import { hostClock } from "./clock.ts";
import type { SocketListener } from "./listen.ts";
import { dialTcp, listenTcp, type Peers } from "./tcp.ts";
import { LOCAL } from "./testing/local.ts";

const MIB = 1024 * 1024;
const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** A listener that ends with the test, however that ends. */
async function listen(t: TestContext, peers: Peers, accept: Acceptor): Promise<SocketListener> {
  const listener = await listenTcp({ ...LOCAL, peers, accept });
  t.after(() => listener.close());
  return listener;
}

/** A handler that tells only when the connection is over. */
const until = (closed: () => void): ConnectionHandler => ({
  received: () => undefined,
  drained: () => undefined,
  closed,
});

test("a dial that takes too long is given up, and what comes of it later is ended", { timeout: 10_000 }, async (t) => {
  const ended = Promise.withResolvers<void>();
  const listener = await listen(t, "nodes", () => until(ended.resolve));
  const reasons: string[] = [];
  const outcome = { connected: assert.fail, failed: (reason: string) => void reasons.push(reason) };
  dialTcp(`127.0.0.1:${listener.port}`, outcome, { clock: hostClock, timeoutMs: 1 });
  // The kernel connects meanwhile; when this process looks again its time is over.
  for (const endMs = performance.now() + 20; performance.now() < endMs; );
  await ended.promise;
  assert.deepEqual(reasons, ["no connection within 1 ms"]);
});

test("what goes wrong with a connection that was made is no failure of the dial, and not of this process", {
  timeout: 10_000,
}, async (t) => {
  const [dialled, accepted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const listener = await listen(t, "clients", () => until(accepted.resolve));
  const client = connect(listener.port, "127.0.0.1");
  await new Promise((resolve) => client.once("connect", resolve));
  while (listener.connections === 0) await nextTurn();
  // A reset, which the socket reports as an error.
  client.resetAndDestroy();
  await accepted.promise;

  const far = createServer((socket) => void setImmediate(() => socket.resetAndDestroy()));
  t.after(() => void far.close());
  const port = await new Promise<number>((resolve) => {
    far.listen(0, "127.0.0.1", () => resolve((far.address() as AddressInfo).port));
  });
  const outcome = { connected: () => until(dialled.resolve), failed: assert.fail };
  dialTcp(`127.0.0.1:${port}`, outcome, { clock: hostClock, timeoutMs: 5_000 });
  await dialled.promise;
});

test("a client that does not read its answers is not read from until it has", { timeout: 10_000 }, async (t) => {
  const heard: string[] = [];
  const accept = (connection: Connection): ConnectionHandler => ({
    ...until(() => undefined),
    received: (chunk) => {
      heard.push(Buffer.from(chunk).toString());
      // More than all buffers on the way take.
      connection.write(new Uint8Array(32 * MIB));
    },
  });
  const listener = await listen(t, "clients", accept);
  const client = connect(listener.port, "127.0.0.1").pause();
  t.after(() => void client.destroy());
  client.write("a");
  while (heard.length < 1) await nextTurn();
  client.write("b");
  for (const endMs = performance.now() + 100; performance.now() < endMs; ) await nextTurn();
  assert.deepEqual(heard, ["a"]);
  client.resume();
  while (heard.length < 2) await nextTurn();
  assert.deepEqual(heard, ["a", "b"]);
});
