// Frozen, paused and living clients: the ones that the gateway asks, and the ones that it gives up.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { unlimitedBudget } from "../../base/budget.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { ConnectionHandler, Log } from "../../base/ports.ts";
import { encodeHeartbeat, encodeHeartbeatAck, encodeRequest, encodeResponse } from "../../encoding/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1, type BoltDialect } from "../../encoding/bolt/frame.ts";
import { OPEN_ACCESS } from "../kit/clientAccess.ts";
import { SofaConnections } from "./connections.ts";
import { CONFIG, SceneConnection, START_MS } from "./testing/handlerScene.ts";

const V2_CRC: BoltDialect = { protocol: 2, version: 2, crc: true };
const ignore = () => undefined;
const LOG: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

let gateway: SofaConnections;
let connection: SceneConnection;
let handler: ConnectionHandler;
beforeEach(() => {
  gateway = new SofaConnections({
    config: CONFIG,
    registry: { step: ignore },
    budget: unlimitedBudget(),
    access: OPEN_ACCESS,
    compression: { gzip: gzipSync, zstd: zstdCompressSync },
    log: LOG,
    metrics: noMetrics,
  });
  connection = new SceneConnection();
  handler = gateway.accept(connection, START_MS);
});

/** Runs the check twice a second; `happens` comes before the check of its time. */
function rounds({ fromMs = 0, untilMs }: { fromMs?: number; untilMs: number }, happens?: (atMs: number) => void): void {
  for (let atMs = fromMs; atMs <= untilMs; atMs += 500) {
    happens?.(atMs);
    gateway.closeIdle(START_MS + atMs);
  }
}

const asked = () => connection.frames.filter(({ command, kind }) => command === "heartbeat" && kind === "request");

/** The client sends for the first time, is asked at once, and answers. */
function getToKnow(): void {
  handler.received(encodeHeartbeat(BOLT_V1, 1, 1), START_MS);
  answerLast(1);
}

function answerLast(atMs: number): void {
  handler.received(encodeHeartbeatAck(BOLT_V1, asked().at(-1)?.id ?? 0, 1), START_MS + atMs);
}

test("a client that answers is asked after five seconds of silence, and gone after twenty", () => {
  getToKnow();
  rounds({ untilMs: 5_500 });
  assert.equal(asked().length, 2);
  rounds({ fromMs: 6_000, untilMs: 20_000 });
  assert.deepEqual([asked().length, connection.isClosed], [4, false]);
  gateway.closeIdle(START_MS + 20_500);
  assert.equal(connection.isClosed, true);
});

test("a client that stands still for fifteen seconds, right before it is asked, is not gone", () => {
  getToKnow();
  rounds({ untilMs: 20_400 });
  answerLast(20_450);
  rounds({ fromMs: 20_500, untilMs: 40_000 });
  assert.equal(connection.isClosed, false);
});

test("an answer to a push is a sign of life, and no answer to a question", () => {
  handler.received(encodeHeartbeat(BOLT_V1, 1, 1), START_MS);
  const nothing = { className: "", content: new Uint8Array(0) };
  const answered = encodeResponse(BOLT_V1, { id: 1, codec: 1, status: BOLT_STATUS.SUCCESS, ...nothing });
  rounds({ untilMs: 15_000 }, (atMs) => {
    if (atMs === 15_000) handler.received(answered, START_MS + atMs);
  });
  rounds({ fromMs: 15_500, untilMs: 59_500 });
  assert.equal(connection.isClosed, false);
  gateway.closeIdle(START_MS + 60_000);
  assert.equal(connection.isClosed, true);
});

test("while this process stands still, no client's time runs out", () => {
  getToKnow();
  rounds({ untilMs: 19_500 });
  gateway.resumed(60_500, START_MS + 80_000);
  gateway.closeIdle(START_MS + 80_500);
  assert.equal(connection.isClosed, false);
  rounds({ fromMs: 81_000, untilMs: 82_000 });
  assert.equal(connection.isClosed, true);
});

test("a heartbeat has an id that no push has, in the dialect that the client speaks", () => {
  const request = { id: 1, codec: 1, timeoutMs: 1, className: "x", content: new Uint8Array(0) };
  handler.received(encodeRequest(V2_CRC, request), START_MS);
  rounds({ untilMs: 10_000 });
  const ids = asked().map(({ id }) => id);
  assert.ok(new Set(ids).size === 3 && ids.every((id) => id < 0), ids.join());
  assert.equal(asked()[0]?.dialect.protocol, 2);
});

test("a client that does not read is not asked", () => {
  getToKnow();
  connection.bufferedBytes = 2 * 1024 * 1024;
  rounds({ untilMs: 19_500 });
  assert.deepEqual([asked().length, connection.isClosed], [1, false]);
});

test("of very many silent clients some are asked in each round, and in the end all", () => {
  const others = Array.from({ length: 6_000 }, () => new SceneConnection());
  for (const other of others) gateway.accept(other, START_MS).received(encodeHeartbeat(BOLT_V1, 1, 1), START_MS);
  const count = () => others.filter(({ frames }) => frames.filter(({ kind }) => kind === "request").length > 1).length;
  rounds({ untilMs: 4_500 });
  const counts = [5_000, 5_500, 6_000].map((atMs) => {
    gateway.closeIdle(START_MS + atMs);
    return count();
  });
  assert.deepEqual(counts, [2_500, 5_000, 6_000]);
});
