// One client's connection, and all output of its handler: frames to the client, events to the session, logs and
// metrics.

import assert from "node:assert/strict";
import { type Budget, unlimitedBudget } from "../../../base/budget.ts";
import { type Metrics, noMetrics } from "../../../base/metrics.ts";
import type { Connection, Log, LogFields } from "../../../base/ports.ts";
import { BoltDecoder } from "../../../encoding/bolt/decoder.ts";
import { encodeHeartbeat, encodeHeartbeatAck, encodeRequest, encodeResponse } from "../../../encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_STATUS, BOLT_V1, type BoltDialect, type BoltFrame } from "../../../encoding/bolt/frame.ts";
import { brandServiceKey } from "../../../model/ids.ts";
import type { AppEvent } from "../../../registry/apps.ts";
import type { ClientEvent, Push } from "../../../registry/registry.ts";
import { type ClientAccess, OPEN_ACCESS } from "../../kit/clientAccess.ts";
import { ConnectionAccount } from "../../kit/connectionAccount.ts";
import { encodeMessage } from "../codec/codec.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type BaseRegister,
  type SofaMessage,
  type SubscriberRegister,
  type WireForm,
} from "../codec/messages.ts";
import { SofaHandler } from "../handler.ts";
import { PushBodies } from "../pushBodies.ts";
import { acceptedCounts } from "../requestCounts.ts";

/** The time at which every scene begins. */
export const START_MS = 1_700_000_000_000;

/** The settings unless a test changes them. */
export const CONFIG = {
  dataCenter: "DefaultDataCenter",
  zone: "ZONE_A",
  frameBytesMax: 1024 * 1024,
  registrationBytesMax: 1024 * 1024,
  clientProbeMs: 5_000,
  clientIdleMs: 20_000,
  clientMuteIdleMs: 45_000,
  clientOutputBytesMax: 4 * 1024 * 1024,
  pushTimeoutMs: 2_000,
  pushCompress: true,
  pushEncodings: ["zstd", "gzip"] as const,
  sofaInvalidForeverZones: [],
  sofaInvalidForeverZonesExcept: [],
  pushCompressBytesMin: 100,
  pushWindowMaxMs: 1_000,
};

/** A connection whose client reads nothing by itself. */
export class SceneConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress = "10.0.0.1:9600";
  bufferedBytes = 0;
  hasUnread = false;
  isClosed = false;
  readonly frames: BoltFrame[] = [];
  readonly #decoder = new BoltDecoder({ frameBytesMax: 16 * 1024 * 1024 });

  constructor(remoteAddress = "10.0.0.7:50001") {
    this.remoteAddress = remoteAddress;
  }

  write(...parts: readonly Uint8Array[]): void {
    const keep = (frame: BoltFrame) => void this.frames.push({ ...frame, content: frame.content.slice() });
    for (const part of parts) this.#decoder.push(part.slice(), keep);
  }

  close(): void {
    this.isClosed = true;
  }
}

type BaseChanges = Partial<BaseRegister>;

/** The fields that all registrations have. */
export function baseRegister(changes: BaseChanges = {}): BaseRegister {
  const absent = { instanceId: null, zone: null, processId: null, clientId: null, dataInfoId: null };
  const named = { appName: "app", dataId: "orders", group: "G", registId: "r1", ip: null, port: null };
  return { ...absent, ...named, eventType: "REGISTER", version: 1n, timestamp: 1n, attributes: ABSENT_MAP, ...changes };
}

/** A publisher's registration. */
export function publisher(changes: BaseChanges = {}): SofaMessage {
  return { kind: "publisherRegister", ...baseRegister(changes), dataList: ABSENT_LIST };
}

/** A subscriber's registration. */
export function subscriber({
  scope = "dataCenter",
  acceptEncoding = null,
  acceptMulti = false,
  ...changes
}: Partial<SubscriberRegister> = {}): SofaMessage {
  return { kind: "subscriberRegister", scope, acceptEncoding, acceptMulti, ...baseRegister(changes) };
}

/** A configurator's registration. */
export function configurator(changes: BaseChanges = {}): SofaMessage {
  return { kind: "configuratorRegister", ...baseRegister(changes) };
}

/** A push of an empty list. */
export function push(changes: Partial<Push> = {}): Push {
  const view = { serviceKey: brandServiceKey("orders#@#I#@#G"), version: 9n, publications: new Map() };
  return { id: 1, view, scope: "dataCenter", zone: "Z", variant: "hessian-draft plain", registIds: ["s1"], ...changes };
}

interface Sent {
  readonly form?: WireForm;
  readonly dialect?: BoltDialect;
  readonly id?: number;
  readonly kind?: "request" | "oneway";
  readonly atMs?: number;
}

/** A handler that has just begun. */
export function handlerScene({
  config = {},
  budget = unlimitedBudget(),
  onEvent = () => undefined,
  onAppEvent = () => assert.fail("this client asks nothing"),
  access,
}: {
  config?: Partial<typeof CONFIG>;
  budget?: Budget;
  /** The session's reaction to an event. */
  onEvent?: (event: ClientEvent) => void;
  /** The session's reaction to a question about applications. */
  onAppEvent?: (event: AppEvent) => void;
  access?: Pick<ClientAccess, "check">;
} = {}) {
  const events: ClientEvent[] = [];
  const logged: string[] = [];
  const counts = new Map<string, number>();
  const connection = new SceneConnection();
  /** The logged reasons. */
  const reasons: unknown[] = [];
  const write = (level: string) => (event: string, fields?: LogFields) => {
    logged.push(`${level} ${event}`);
    reasons.push(fields?.["reason"]);
  };
  const log: Log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const metrics: Metrics = {
    ...noMetrics,
    add: (name: string, by: number, labels?: Readonly<Record<string, string>>) => {
      const key = [name, ...Object.values(labels ?? {})].join(" ");
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    counter: (name: string, labels?: Readonly<Record<string, string>>) => ({
      add: (by: number) => {
        const key = [name, ...Object.values(labels ?? {})].join(" ");
        counts.set(key, (counts.get(key) ?? 0) + by);
      },
    }),
  };
  const compression = { gzip: (bytes: Uint8Array) => bytes, zstd: (bytes: Uint8Array) => bytes };
  const settings = { ...CONFIG, ...config };
  let ends = 0;
  let heartbeats = 0;
  const handler = new SofaHandler(connection, {
    config: settings,
    registry: {
      step: (event) => {
        if ("client" in event) {
          events.push(event);
          onEvent(event);
        } else onAppEvent(event as AppEvent);
      },
    },
    budget,
    compression,
    access: { ...OPEN_ACCESS, ...access },
    log,
    metrics,
    bodies: new PushBodies(settings, compression),
    account: new ConnectionAccount(budget.open("10.0.0.7")),
    accepted: acceptedCounts(metrics),
    ended: () => void ends++,
    nextHeartbeatId: () => --heartbeats,
    number: 1,
    nowMs: START_MS,
  });

  const send = (message: SofaMessage, { form = "hessian-draft", dialect = BOLT_V1, atMs = 0, ...rest }: Sent = {}) => {
    const frame = { kind: "request", id: 1, timeoutMs: 1_000, ...rest, ...encodeMessage(form, message) } as const;
    handler.received(encodeRequest(dialect, frame), START_MS + atMs);
  };
  const answerPush = (id: number, { success = true, status = BOLT_STATUS.SUCCESS as number } = {}) => {
    const encoded = encodeMessage("hessian-draft", { kind: "result", success, message: null });
    handler.received(encodeResponse(BOLT_V1, { id, status, ...encoded }), START_MS);
  };
  const heartbeat = (atMs = 0) => handler.received(encodeHeartbeat(BOLT_V1, 5, BOLT_CODEC.HESSIAN), START_MS + atMs);
  const answerHeartbeat = (atMs = 0) =>
    handler.received(encodeHeartbeatAck(BOLT_V1, -1, BOLT_CODEC.HESSIAN), START_MS + atMs);
  /** The session's last event of this kind. */
  const last = <Kind extends ClientEvent["kind"]>(kind: Kind) =>
    events.findLast((event): event is ClientEvent & { kind: Kind } => event.kind === kind);
  /** The number of questions to the client whether it is there. */
  const questions = () =>
    connection.frames.filter(({ command, kind }) => command === "heartbeat" && kind === "request").length;
  /** The answers to requests. */
  const responses = () => connection.frames.filter(({ kind }) => kind === "response");
  return {
    ...{ handler, connection, events, logged, reasons, counts, budget },
    ...{ send, answerPush, heartbeat, answerHeartbeat, last, questions, responses },
    ends: () => ends,
  };
}
