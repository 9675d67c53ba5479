import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { Connection, ConnectionHandler } from "../../base/ports.ts";
import { encodeHeartbeat } from "../../encoding/bolt/encode.ts";
import { BOLT_V1 } from "../../encoding/bolt/frame.ts";
import { brandServiceKey } from "../../model/ids.ts";
import type { ClientChannel } from "../../registry/registry.ts";
import { OPEN_ACCESS } from "../kit/clientAccess.ts";
import { SofaConnections } from "./connections.ts";

const START_MS = 1_700_000_000_000;
const CLIENT_OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
const CONFIG = {
  ...{
    dataCenter: "DC",
    zone: "Z",
    frameBytesMax: 1024 * 1024,
    clientProbeMs: 5_000,
    clientIdleMs: 20_000,
    clientMuteIdleMs: 45_000,
    pushTimeoutMs: 2_000,
  },
  ...{
    clientOutputBytesMax: CLIENT_OUTPUT_BYTES_MAX,
    pushCompress: false,
    pushEncodings: ["zstd", "gzip"] as const,
    sofaInvalidForeverZones: [],
    sofaInvalidForeverZonesExcept: [],
    pushCompressBytesMin: 100,
    pushWindowMaxMs: 1_000,
    registrationBytesMax: 4_096,
  },
};
const ORDERS = brandServiceKey("orders#@#I#@#G");

class FullConnection implements Connection {
  readonly remoteAddress = "10.0.0.7:50001";
  readonly localAddress = "10.0.0.1:9600";
  readonly hasUnread = false;
  bufferedBytes = 0;
  isClosed = false;
  /** Nothing leaves by itself. */
  write(...parts: readonly Uint8Array[]): void {
    for (const { length } of parts) this.bufferedBytes += length;
  }
  close(): void {
    this.isClosed = true;
  }
}

let gateway: SofaConnections;
let connection: FullConnection;
let handler: ConnectionHandler;
let channel: ClientChannel;
beforeEach(() => {
  const nothing = () => undefined;
  gateway = new SofaConnections({
    config: CONFIG,
    budget: unlimitedBudget(),
    registry: {
      step: (event) => {
        if (event.kind === "connected") channel = event.channel;
      },
    },
    access: OPEN_ACCESS,
    compression: { gzip: (bytes) => bytes, zstd: (bytes) => bytes },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    metrics: noMetrics,
  });
  connection = new FullConnection();
  handler = gateway.accept(connection, START_MS);
});

const heartbeat = (nowMs: number) => handler.received(encodeHeartbeat(BOLT_V1, 1, 1), nowMs);
/** A push whose one name gives it this size. */
const push = (bytes: number) =>
  channel.push({
    id: 1,
    scope: "dataCenter",
    zone: "Z",
    variant: "hessian-draft plain",
    registIds: ["x".repeat(bytes)],
    view: { serviceKey: ORDERS, version: 1n, publications: new Map() },
  });

test("a list larger than the output bound does not make its reader too slow; answers beyond it do", () => {
  push(CLIENT_OUTPUT_BYTES_MAX + 1);
  heartbeat(START_MS);
  assert.equal(connection.isClosed, false);
  connection.bufferedBytes += CLIENT_OUTPUT_BYTES_MAX;
  handler.received(encodeHeartbeat(BOLT_V1, 1, 1), START_MS);
  assert.equal(connection.isClosed, true);
});

test("a client behind a slow line is not closed while something leaves; one for which nothing moves is", () => {
  push(3_000_000);
  let nowMs = START_MS;
  for (; connection.bufferedBytes > 0; nowMs += 500) {
    gateway.closeIdle(nowMs);
    connection.bufferedBytes = Math.max(0, connection.bufferedBytes - 25_000);
  }
  assert.equal(connection.isClosed, false, "50 KB/s for a minute, and nothing heard from it meanwhile");
  heartbeat(nowMs);
  push(3_000_000);
  for (const endMs = nowMs + 19_500; nowMs < endMs; nowMs += 500) gateway.closeIdle(nowMs);
  assert.equal(connection.isClosed, false);
  for (const endMs = nowMs + 1_000; nowMs < endMs; nowMs += 500) gateway.closeIdle(nowMs);
  assert.equal(connection.isClosed, true);
});

test("a client that sends all the time and reads nothing is closed in the end", () => {
  let nowMs = START_MS;
  for (; nowMs < START_MS + 30_000 && !connection.isClosed; nowMs += 500) {
    heartbeat(nowMs);
    gateway.closeIdle(nowMs);
  }
  assert.equal(connection.isClosed, true);
});
