import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Connection, ConnectionHandler } from "../base/ports.ts";
import { hostClock } from "./clock.ts";
import { dialTcp, listenTcp } from "./tcp.ts";

const MIB = 1024 * 1024;

/** A listener whose only connection is handled by `received`, and a client that sends one byte. */
async function serve(received: (connection: Connection) => void) {
  let closed: () => void = () => undefined;
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const accept = (connection: Connection): ConnectionHandler => ({
    received: () => received(connection),
    drained: () => undefined,
    closed,
  });
  const options = {
    key: "bolt-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 10,
    clock: hostClock,
    refused: () => undefined,
    notAccepted: assert.fail,
    peers: "clients" as const,
  };
  const listener = await listenTcp({ ...options, accept });
  const socket = connect(listener.port, "127.0.0.1");
  socket.write("x");
  return { listener, socket, isClosed };
}

test("what is written in answer to one chunk arrives whole and in order, small and large", async () => {
  const parts = [10, 70_000, 10, 5, 2 * MIB, 1].map((size, at) => new Uint8Array(size).fill(at + 1));
  const { listener, socket } = await serve((connection) => {
    for (const part of parts) connection.write(part);
  });
  const expected = Buffer.concat(parts);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
    if (chunks.reduce((sum, { length }) => sum + length, 0) >= expected.length) break;
  }
  assert.ok(Buffer.concat(chunks).equals(expected));
  await listener.close();
});

test("what waits is counted while an answer is still being gathered", async () => {
  const counted = new Promise<number[]>((resolve) => {
    void serve((connection) => {
      const counts = [];
      for (let at = 0; at < 20; at++) {
        connection.write(new Uint8Array(MIB));
        counts.push(connection.bufferedBytes);
      }
      connection.close();
      resolve(counts);
    }).then(({ listener, socket }) => {
      socket.pause();
      socket.once("close", () => void listener.close());
      setImmediate(() => socket.resume());
    });
  });
  assert.ok(((await counted).at(-1) ?? 0) > MIB);
});

test("an answer that was written before the close is sent before it", async () => {
  const { listener, socket, isClosed } = await serve((connection) => {
    connection.write(new TextEncoder().encode("why"));
    connection.close();
  });
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  assert.equal(text, "why");
  await isClosed;
  await listener.close();
});

test("a peer that has said all is gone, whatever it has not read", async () => {
  const { listener, socket, isClosed } = await serve((connection) => connection.write(new Uint8Array(8 * MIB)));
  socket.pause();
  socket.end();
  await isClosed;
  socket.destroy();
  await listener.close();
});

test("a client that reads slowly takes what waits for it in small steps, whole and in order, and is drained once", {
  timeout: 20_000,
}, async (t) => {
  const large = new Uint8Array(24 * MIB).map((_, at) => at % 251);
  const expected = Buffer.concat([Uint8Array.of(7), large, Uint8Array.of(1, 2, 3), large.subarray(0, 300_000)]);
  let served: Connection | undefined;
  let drained = 0;
  const accept = (connection: Connection): ConnectionHandler => {
    served = connection;
    const received = () => {
      connection.write(Uint8Array.of(7));
      connection.write(large);
      for (const byte of [1, 2, 3]) connection.write(Uint8Array.of(byte));
      connection.write(large.subarray(0, 100), large.subarray(100, 300_000));
    };
    return { received, drained: () => void drained++, closed: () => undefined };
  };
  const common = {
    key: "bolt-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 1,
    clock: hostClock,
    refused: assert.fail,
    notAccepted: assert.fail,
  };
  const listener = await listenTcp({ ...common, peers: "clients", accept });
  const socket = connect(listener.port, "127.0.0.1");
  t.after(() => {
    socket.destroy();
    return listener.close();
  });
  socket.write("x");
  const waited = new Set<number>();
  const chunks: Buffer[] = [];
  let read = 0;
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
    read += (chunk as Buffer).length;
    waited.add(served?.bufferedBytes ?? 0);
    if (read % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (read >= expected.length) break;
  }
  assert.ok(Buffer.concat(chunks).equals(expected));
  const between = [...waited].filter((bytes) => bytes > 2 * MIB && bytes < 22 * MIB);
  assert.ok(between.length > 0, `what waits is seen to become less before all has left: ${[...waited]}`);
  while (drained === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(drained, 1);
  assert.equal(served?.bufferedBytes, 0);
});

test("what leaves at once is not reported as drained", async () => {
  let drained = 0;
  const accept = (connection: Connection): ConnectionHandler => ({
    received: () => connection.write(new Uint8Array(10), new Uint8Array(20)),
    drained: () => void drained++,
    closed: () => undefined,
  });
  const common = {
    key: "bolt-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 1,
    clock: hostClock,
    refused: assert.fail,
    notAccepted: assert.fail,
  };
  const listener = await listenTcp({ ...common, peers: "clients", accept });
  const socket = connect(listener.port, "127.0.0.1");
  socket.write("x");
  await new Promise((resolve) => socket.once("data", resolve));
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  await listener.close();
  assert.equal(drained, 0);
});

test("what nodes say in one turn, small and large, arrives whole and in order, in both directions", async () => {
  const sizes = [10, 70_000, 10, 5, 20 * MIB, 1, 3];
  const parts = sizes.map((size, at) => new Uint8Array(size).fill(at + 1));
  const expected = Buffer.concat(parts);
  const collected: Promise<Buffer>[] = [];
  const talker = (connection: Connection): ConnectionHandler => {
    const chunks: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    collected.push(promise);
    for (const part of parts) connection.write(part);
    const received = (chunk: Uint8Array) => {
      chunks.push(Buffer.from(chunk));
      if (chunks.reduce((sum, { length }) => sum + length, 0) === expected.length) resolve(Buffer.concat(chunks));
    };
    return { received, drained: () => undefined, closed: () => undefined };
  };
  const common = { clock: hostClock, peers: "nodes", refused: assert.fail, notAccepted: assert.fail } as const;
  const listener = await listenTcp({
    ...common,
    key: "node-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 1,
    accept: talker,
  });
  await new Promise<void>((resolve, reject) => {
    const connected = (connection: Connection) => {
      resolve();
      return talker(connection);
    };
    dialTcp(`127.0.0.1:${listener.port}`, { connected, failed: reject }, { clock: hostClock, timeoutMs: 1_000 });
  });
  for (const bytes of await Promise.all(collected)) assert.ok(bytes.equals(expected));
  await listener.close();
});

for (const [where, address] of [
  ["where nobody listens", "127.0.0.1:1"],
  ["at a name that nobody has", "no-such-host.invalid:9620"],
  ["at something that is no address", "nonsense"],
]) {
  test(`a dial ${where} fails with a reason, after it has returned`, async () => {
    let hasReturned = false;
    const reason = await new Promise((resolve) => {
      const outcome = { connected: assert.fail, failed: (why: string) => resolve(hasReturned && why) };
      dialTcp(address ?? "", outcome, { clock: hostClock, timeoutMs: 1_000 });
      hasReturned = true;
    });
    assert.match(String(reason), /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|no connection within/);
  });
}

test("a dial that is taken back connects nobody", async () => {
  const outcome = { connected: assert.fail, failed: assert.fail };
  const listener = await listenTcp({
    key: "bolt-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 1,
    clock: hostClock,
    peers: "nodes",
    refused: assert.fail,
    notAccepted: assert.fail,
    accept: () => ({ received: assert.fail, drained: () => undefined, closed: () => undefined }),
  });
  const cancel = dialTcp(`127.0.0.1:${listener.port}`, outcome, { clock: hostClock, timeoutMs: 1_000 });
  cancel();
  cancel();
  await listener.close();
});

/** A listener that works this long on each chunk, and clients that each send one byte at once. */
async function busy(
  t: TestContext,
  { clients, workMs }: { clients: number; workMs: number },
  received: (text: string) => void,
) {
  const accept = (): ConnectionHandler => ({
    received: (chunk) => {
      const endMs = performance.now() + workMs;
      while (performance.now() < endMs);
      received(Buffer.from(chunk).toString());
    },
    drained: () => undefined,
    closed: () => received("closed"),
  });
  const common = {
    key: "bolt-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 2 * clients,
    clock: hostClock,
    refused: assert.fail,
    notAccepted: assert.fail,
  };
  const listener = await listenTcp({ ...common, peers: "clients", accept });
  const sockets = Array.from({ length: clients }, () => connect(listener.port, "127.0.0.1"));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return listener.close();
  });
  // The input of all clients is there in one turn of the event loop, if all were accepted before.
  while (listener.connections < clients) await new Promise((resolve) => setImmediate(resolve));
  return sockets;
}

test("many clients that send at once do not keep everybody else waiting until all are done", async (t) => {
  const order: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const sockets = await busy(t, { clients: 40, workMs: 5 }, (text) => {
    if (order.length === 0) setImmediate(() => order.push("turn"));
    order.push(text);
    if (order.filter((each) => each === "x").length === 40) resolve();
  });
  for (const socket of sockets) socket.write("x");
  await done;
  const at = order.indexOf("turn");
  assert.ok(at > 0 && at < 35, `the next turn came as number ${at}`);
});

test("what a client sent before it left is taken before its end, in order, also if it had to wait", {
  timeout: 10_000,
}, async (t) => {
  const order: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const sockets = await busy(t, { clients: 20, workMs: 10 }, (text) => {
    order.push(text);
    if (order.filter((each) => each === "closed").length === 20) resolve();
  });
  for (const [at, socket] of sockets.entries()) socket.end(`client ${at}`);
  await done;
  assert.equal(order.filter((each) => each.startsWith("client")).length, 20);
  for (const each of new Set(order)) if (each !== "closed") assert.equal(order.filter((one) => one === each).length, 1);
});

test("one address is refused beyond its share, and another one gets in", async (t) => {
  const refused: string[] = [];
  const listener = await listenTcp({
    key: "bolt-port",
    host: "127.0.0.1",
    port: 0,
    connectionsMax: () => 20,
    clock: hostClock,
    refused: (reason, address) => refused.push(`${reason} ${address.split(":")[0]}`),
    notAccepted: assert.fail,
    peers: "clients",
    accept: () => ({ received: () => undefined, drained: () => undefined, closed: () => undefined }),
  });
  const dial = (localAddress: string): Promise<Socket> => {
    const socket = connect({ port: listener.port, host: "127.0.0.1", localAddress });
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
  };
  await Promise.all(Array.from({ length: 30 }, () => dial("127.0.0.1")));
  while (refused.length < 20) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(listener.connections, 10);
  assert.deepEqual(new Set(refused), new Set(["ADDRESS_CONNECTIONS_EXHAUSTED 127.0.0.1"]));
  await dial("127.0.0.2");
  while (listener.connections < 11) await new Promise((resolve) => setImmediate(resolve));
  await listener.close();
});

test("while what a client sent waits for its turn, no more is read from it", { timeout: 30_000 }, async () => {
  const bytes = 4 * MIB;
  let waited = 0;
  let read = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const accept = (): ConnectionHandler => ({
    received: (chunk) => {
      // Longer than a turn.
      for (const endMs = performance.now() + 25; performance.now() < endMs; );
      read += chunk.length;
      if (read === bytes) resolve();
    },
    waits: (waiting) => {
      waited = Math.max(waited, waiting);
    },
    drained: () => undefined,
    closed: () => undefined,
  });
  const port = { key: "bolt-port", host: "127.0.0.1", port: 0, connectionsMax: () => 1 };
  const told = { refused: assert.fail, notAccepted: assert.fail };
  const listener = await listenTcp({ ...port, ...told, clock: hostClock, peers: "clients", accept });
  const socket = connect(listener.port, "127.0.0.1");
  socket.write(new Uint8Array(bytes));
  await promise;
  socket.destroy();
  await listener.close();
  assert.ok(waited > 0 && waited <= 64 * 1024, `${waited} bytes`);
});
