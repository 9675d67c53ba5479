// The output that is written to a socket together, and the bytes counted as waiting meanwhile.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import type { Connection, ConnectionHandler } from "../base/ports.ts";
import { hostClock } from "./clock.ts";
import { dialTcp, listenTcp, type Peers } from "./tcp.ts";
import { LOCAL } from "./testing/local.ts";

const KIB = 1024;
const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** The result of `received` when a peer of this kind has sent something; `after` sees the connection a turn later. */
async function answering<Seen>(peers: Peers, received: (connection: Connection) => Seen, { reads = true } = {}) {
  const { promise, resolve } = Promise.withResolvers<{ seen: Seen; connection: Connection }>();
  const listener = await listenTcp({
    ...LOCAL,
    peers,
    accept: (connection) => ({
      received: () => resolve({ seen: received(connection), connection }),
      drained: () => undefined,
      closed: () => undefined,
    }),
  });
  const socket = connect(listener.port, "127.0.0.1");
  if (reads) socket.resume();
  socket.write("x");
  const { seen, connection } = await promise;
  await nextTurn();
  await nextTurn();
  const left = connection.bufferedBytes;
  socket.destroy();
  await listener.close();
  return { seen, left };
}

/** The waiting bytes after each of some writes of these sizes. */
const writing =
  (...sizes: readonly number[]) =>
  (connection: Connection): number[] =>
    sizes.map((size) => {
      connection.write(new Uint8Array(size));
      return connection.bufferedBytes;
    });

test("what one chunk of a client causes waits until it is worked off, and leaves together", async () => {
  const { seen, left } = await answering("clients", writing(10, 20, 30));
  assert.deepEqual([seen, left], [[10, 30, 60], 0]);
});

test("what nodes say in one turn waits until its end, and leaves together", async () => {
  const { seen, left } = await answering("nodes", writing(10, 20, 30));
  assert.deepEqual([seen, left], [[10, 30, 60], 0]);
});

test("64 KiB are gathered; what is more goes out at once, and what was gathered before it first", async () => {
  const { seen } = await answering("clients", writing(64 * KIB - 10, 10, 1));
  assert.deepEqual(seen, [64 * KIB - 10, 64 * KIB, 0]);
  const { seen: large } = await answering("clients", writing(10, 64 * KIB, 5));
  assert.deepEqual(large, [10, 0, 5]);
});

test("nothing is written by a write of nothing, nor after the close", async () => {
  const { seen } = await answering("clients", (connection) => {
    connection.write();
    const before = connection.bufferedBytes;
    connection.close();
    connection.write(new Uint8Array(10));
    return [before, connection.bufferedBytes];
  });
  assert.deepEqual(seen, [0, 0]);
});

test("both ends of a connection are named", async () => {
  const { seen } = await answering("clients", ({ remoteAddress, localAddress }) => [remoteAddress, localAddress]);
  for (const address of seen) assert.match(address, /^127\.0\.0\.1:\d+$/);
  assert.notEqual(seen[0], seen[1]);
});

test("what waits for a node that does not read is counted, wherever it waits", async () => {
  const { left } = await answering("nodes", writing(64 * KIB * KIB), { reads: false });
  assert.ok(left > 32 * KIB * KIB, `${left} of 64 MiB`);
});

/** The common part of every listener here. */
const nothing: ConnectionHandler = { received: () => undefined, drained: () => undefined, closed: () => undefined };

test("a node that reads again what waited for it is heard of", { timeout: 30_000 }, async () => {
  const { promise: drained, resolve } = Promise.withResolvers<void>();
  const accept = (connection: Connection): ConnectionHandler => {
    connection.write(new Uint8Array(16 * KIB * KIB));
    return { ...nothing, drained: () => resolve() };
  };
  const listener = await listenTcp({ ...LOCAL, peers: "nodes", accept });
  const socket = connect(listener.port, "127.0.0.1").resume();
  await drained;
  socket.destroy();
  await listener.close();
});

test("a port is one listener's, unless it is to be shared", async () => {
  const options = { ...LOCAL, peers: "nodes", accept: () => nothing } as const;
  const listener = await listenTcp(options);
  const second = await listenTcp({ ...options, port: listener.port }).catch(String);
  await listener.close();
  if (typeof second !== "string") await second.close();
  assert.match(String(second), /ADDRESS_IN_USE/);
});

test("a dial that has failed says so once", async () => {
  const reasons: string[] = [];
  const outcome = { connected: assert.fail, failed: (reason: string) => void reasons.push(reason) };
  dialTcp("127.0.0.1:1", outcome, { clock: hostClock, timeoutMs: 50 });
  for (const endMs = performance.now() + 150; performance.now() < endMs; ) await nextTurn();
  assert.equal(reasons.length, 1, reasons.join());
});
