// The charges of a connection, and the answer when they are too much.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Budget, CHARGE, unlimitedBudget } from "../../base/budget.ts";
import { fail } from "../../base/errors.ts";
import { type Metrics, noMetrics } from "../../base/metrics.ts";
import type { ConnectionHandler, Log } from "../../base/ports.ts";
import { encodeHeartbeat, encodeRequest } from "../../encoding/bolt/encode.ts";
import { BOLT_V1 } from "../../encoding/bolt/frame.ts";
import type { ClientEvent } from "../../registry/registry.ts";
import { OPEN_ACCESS } from "../kit/clientAccess.ts";
import { ConnectionAccount } from "../kit/connectionAccount.ts";
import { decodeMessage, encodeMessage, wireForm } from "./codec/codec.ts";
import { SofaConnections } from "./connections.ts";
import { baseRegister, CONFIG as SCENE_CONFIG, SceneConnection, START_MS } from "./testing/handlerScene.ts";

const MIB = 1024 * 1024;
const CONFIG = { ...SCENE_CONFIG, frameBytesMax: 16 * MIB, registrationBytesMax: 4 * MIB };

let events: ClientEvent[];
let logged: string[];
let budget: Budget;
let gateway: SofaConnections;
let connection: SceneConnection;
let handler: ConnectionHandler;
beforeEach(() => useBudget({}));

/** The number of closed connections, by reason. */
let closed: Map<string, number>;
const metrics: Metrics = {
  ...noMetrics,
  add: (name: string, by: number, labels?: Readonly<Record<string, string>>) => {
    const { reason } = labels ?? {};
    if (name !== "roster_connections_closed_total" || reason === undefined) return;
    closed.set(reason, (closed.get(reason) ?? 0) + by);
  },
  set: (name: string, ...values: readonly [number, ...unknown[]]) => {
    if (name === "roster_client_connections") connections = values[0];
  },
};
/** As the gauge reports. */
let connections = 0;

/** Makes a new gateway with one connection. */
function useBudget(limits: Partial<Budget["limits"]>): void {
  events = [];
  logged = [];
  closed = new Map();
  budget = new Budget({ ...unlimitedBudget().limits, ...limits });
  const write = (event: string) => void logged.push(event);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const registry = { step: (event: ClientEvent) => void events.push(event) };
  const compression = { gzip: gzipSync, zstd: zstdCompressSync };
  gateway = new SofaConnections({ config: CONFIG, registry, access: OPEN_ACCESS, budget, compression, log, metrics });
  connection = new SceneConnection();
  handler = gateway.accept(connection, START_MS);
}

function send(boxes: number[] = []): void {
  const dataList = boxes.map((bytes) => ({ utf8: new Uint8Array(bytes).fill(0x61), units: bytes }));
  const encoded = encodeMessage("hessian-draft", { kind: "publisherRegister", ...baseRegister(), dataList });
  handler.received(encodeRequest(BOLT_V1, { id: 1, timeoutMs: 1, ...encoded }), START_MS);
}
const channel = () => {
  const connected = events.findLast((event) => event.kind === "connected");
  assert.ok(connected);
  return connected.channel;
};
const request = () => events.findLast((event) => event.kind === "published")?.request ?? 0;
const halfFrame = (bytes: number) =>
  encodeRequest(BOLT_V1, {
    id: 1,
    codec: 1,
    timeoutMs: 1,
    className: "x",
    content: new Uint8Array(2 * bytes),
  }).subarray(0, bytes);

test("what is here of a frame is charged, and given back with its end or the connection's", () => {
  const before = budget.heldOf(CHARGE.frames);
  const part = halfFrame(100_000);
  handler.received(part.slice(), START_MS);
  assert.ok(budget.heldOf(CHARGE.frames) - before >= 100_000);
  handler.received(new Uint8Array(100_000 + 1), START_MS);
  assert.equal(connections, 1);
  handler.closed(START_MS);
  assert.equal(connections, 0);
  assert.equal(budget.heldOf(CHARGE.frames), before);
});

test("of unfinished frames from one address those beyond its share are closed, and others are served", () => {
  useBudget({ bytesMax: 40 * MIB });
  const connections = Array.from({ length: 10 }, () => new SceneConnection());
  for (const each of connections) gateway.accept(each, START_MS).received(halfFrame(7 * MIB), START_MS);
  assert.ok(budget.heldBytes <= 40 * MIB);
  assert.equal(connections.filter(({ isClosed }) => !isClosed).length, 2);
  const honest = new SceneConnection("10.0.0.8:50001");
  const honestHandler = gateway.accept(honest, START_MS);
  honestHandler.received(halfFrame(MIB), START_MS);
  assert.equal(honest.isClosed, false);
});

test("bytes that wait for their turn count, and a connection whose bytes are too many is closed", () => {
  useBudget({ clientBytesMax: MIB });
  handler.waits?.(500_000, START_MS);
  assert.equal(budget.heldOf(CHARGE.frames), 500_000);
  handler.received(halfFrame(10), START_MS);
  assert.ok(budget.heldOf(CHARGE.frames) < 1_000);
  handler.waits?.(2 * MIB, START_MS);
  assert.equal(connection.isClosed, true);
  assert.equal(budget.heldBytes, 0);
});

test("a client that does not read is charged for what waits for it, up to where it is not read from", () => {
  connection.bufferedBytes = 300_000;
  handler.received(encodeHeartbeat(BOLT_V1, 5, 1), START_MS);
  assert.equal(budget.heldOf(CHARGE.output), 300_000);
  connection.bufferedBytes = 3 * MIB;
  handler.received(encodeHeartbeat(BOLT_V1, 5, 1), START_MS);
  assert.equal(budget.heldOf(CHARGE.output), MIB);
  connection.bufferedBytes = 0;
  handler.drained(START_MS);
  assert.equal(budget.heldOf(CHARGE.output), 0);
});

test("a connection that the node has no room for is refused, and nobody hears of it", () => {
  useBudget({ bytesMax: 100_000 });
  events = [];
  const before = connections;
  const all = Array.from({ length: 20 }, () => new SceneConnection());
  for (const each of all) gateway.accept(each, START_MS);
  const open = all.filter(({ isClosed }) => !isClosed).length;
  assert.deepEqual([...closed.values()], [20 - open], "each is counted");
  assert.equal(connections, before + open);
  assert.ok(open > 0 && open < 20);
  assert.equal(events.length, open);
  assert.deepEqual(logged, ["a connection was refused"], "one line for an address and minute");
});

test("a refused registration is answered with its code and values, and logged once a minute and address", () => {
  for (let at = 0; at < 3; at++) {
    send();
    const error = fail("CLIENT_BYTES_EXHAUSTED", { heldBytes: 5, bytes: 2, bytesMax: 6 });
    channel().answer(request(), { kind: "failed", registId: "r1", version: 1n, error });
  }
  const frame = connection.frames.at(-1);
  assert.ok(frame);
  const answer = decodeMessage(wireForm(frame), frame.className, frame.content);
  assert.ok(answer.kind === "registerResponse" && !answer.success && !answer.refused);
  assert.match(answer.message ?? "", /^CLIENT_BYTES_EXHAUSTED: .*heldBytes=5, bytes=2, bytesMax=6/);
  assert.deepEqual(logged, ["a registration was refused"]);
});

test("large registrations are work by their bytes, and are refused beyond a client's share", () => {
  useBudget({ workPerSecondMax: 10_000 });
  const published = () => events.filter(({ kind }) => kind === "published").length;
  for (let at = 0; at < 20; at++) send([MIB]);
  const taken = published();
  assert.ok(taken >= 2 && taken < 6, `${taken}`);
  const frame = connection.frames.at(-1);
  assert.ok(frame);
  const answer = decodeMessage(wireForm(frame), frame.className, frame.content);
  assert.ok(answer.kind === "rpcServerException" && answer.message?.startsWith("OVERLOADED"));
  const [first] = [connection];
  connection = new SceneConnection("10.0.0.8:50001");
  handler = gateway.accept(connection, START_MS);
  send([2_000]);
  assert.equal(published(), taken + 1, "another address is served");
  assert.equal(first.isClosed, false);
});

test("a registration is work beyond the session's count of it from one KiB, and by each whole one", () => {
  for (const [bytes, work] of [
    [1_023, 0],
    [1_024, 1],
    [2_047, 1],
    [2_048, 2],
  ] as const) {
    const worked: number[] = [];
    const account = unlimitedBudget().open("10.0.0.7");
    account.work = (_nowMs, count = 1) => {
      worked.push(count);
      return undefined;
    };
    new ConnectionAccount(account).work(bytes, START_MS);
    assert.equal(
      worked.reduce((sum, count) => sum + count, 0),
      work,
    );
  }
});
