// A client of the SOFARegistry protocol without sockets and clocks: bytes and times in, bytes out. In `serial` mode it
// has the Java client's times, retries and rules about versions, which a server must suit; the simulation and the tests
// depend on that.

import { assert } from "../../../base/assert.ts";
import { RegistryError } from "../../../base/errors.ts";
import type { Connection, ConnectionHandler } from "../../../base/ports.ts";
import type { WireText } from "../../../base/text.ts";
import { BoltDecoder } from "../../../encoding/bolt/decoder.ts";
import { encodeHeartbeat, encodeHeartbeatAck, encodeRequest, encodeResponse } from "../../../encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_STATUS, type BoltFrame } from "../../../encoding/bolt/frame.ts";
import type { Scope } from "../../../model/scope.ts";
import { NO_VERSION } from "../../../model/version.ts";
import { decodeMessage, encodeMessage, wireForm } from "../codec/codec.ts";
import {
  ABSENT_MAP,
  type MultiReceivedData,
  type ReceivedConfigData,
  type ReceivedData,
  type RegisterResponse,
  type SofaMessage,
} from "../codec/messages.ts";
import type { ServiceName } from "../serviceName.ts";
import { HeartbeatTimer } from "./heartbeatTimer.ts";
import type { SofaClientHost, SofaClientOptions } from "./host.ts";
import { registerMessage, type SegmentPush, segmentsOf } from "./messages.ts";
import {
  type Configurator,
  mustBeSent,
  newState,
  type Publisher,
  type Registration,
  type Subscriber,
} from "./registration.ts";
import { Requests } from "./requests.ts";

export type { SofaClientHost, SofaClientOptions };

const RECONNECT_MS = 500;
const INVOKE_TIMEOUT_MS = 1_000;
const SYNC_CONFIG_MS = 30_000;
// Lists of 10,000 addresses come in one frame of about 2 MiB.
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** The name of a registration, which is new unless it is given, and its attributes. */
export interface PublishOptions {
  readonly registId?: string | undefined;
  readonly attributes?: ReadonlyMap<string, string> | undefined;
}

export class SofaClient implements ConnectionHandler {
  readonly #options: SofaClientOptions;
  readonly #host: SofaClientHost;
  readonly #registrations = new Map<string, Registration>();
  readonly #requests: Requests;
  readonly #heartbeat = new HeartbeatTimer();
  #connection: Connection | undefined;
  #decoder = new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX });
  #connectMs: number;
  #syncConfigMs = Number.POSITIVE_INFINITY;

  constructor(options: SofaClientOptions, host: SofaClientHost, nowMs: number) {
    this.#options = options;
    this.#host = host;
    this.#connectMs = nowMs;
    this.#requests = new Requests(options.mode, (registration, sentMs) =>
      this.#sendRequest(registerMessage(registration, options), sentMs),
    );
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Registrations that the server has not acknowledged in their present version. */
  get undone(): number {
    return this.#undone().length;
  }

  /** Those of them that the server says another client holds. */
  get heldByOthers(): readonly Registration[] {
    return this.#undone().filter(({ isHeldByAnother }) => isHeldByAnother);
  }

  publish(
    service: ServiceName,
    boxes: readonly WireText[],
    nowMs: number,
    { registId = this.#host.nextRegistId(), attributes = ABSENT_MAP }: PublishOptions = {},
  ): Publisher {
    const state = newState({ registId, service }, 1n, nowMs);
    const publisher: Publisher = { kind: "publisher", ...state, boxes, attributes };
    this.#begin(publisher, nowMs);
    return publisher;
  }

  /** Publishes new content under the same registration, or the same registration again after an `unregister`. */
  republish(publisher: Publisher, boxes: readonly WireText[], nowMs: number): void {
    publisher.boxes = boxes;
    publisher.isRegistered = true;
    this.#change(publisher, nowMs);
  }

  subscribe(
    service: ServiceName,
    { scope, acceptMulti = false }: { scope: Scope; acceptMulti?: boolean },
    nowMs: number,
  ): Subscriber {
    const registId = this.#host.nextRegistId();
    const state = newState({ registId, service }, 1n, nowMs);
    const subscriber: Subscriber = { kind: "subscriber", ...state, scope, acceptMulti, seenVersions: new Map() };
    this.#begin(subscriber, nowMs);
    this.#syncConfigMs = Math.min(this.#syncConfigMs, nowMs + SYNC_CONFIG_MS);
    return subscriber;
  }

  watchConfig(service: ServiceName, nowMs: number): Configurator {
    assert(this.#options.form !== "protobuf", "a ConfiguratorRegister has no protobuf form");
    const state = newState({ registId: this.#host.nextRegistId(), service }, 0n, nowMs);
    const configurator: Configurator = { kind: "configurator", ...state, seenVersion: NO_VERSION };
    this.#begin(configurator, nowMs);
    return configurator;
  }

  /**
   * Takes a registration back. The request is repeated until it is acknowledged; then the registration is forgotten.
   */
  unregister(registration: Registration, nowMs: number): void {
    const { timestampMs } = registration;
    registration.isRegistered = false;
    this.#change(registration, nowMs);
    // The Java client repeats the time of the last register here.
    registration.timestampMs = timestampMs;
  }

  connected(connection: Connection, nowMs: number): void {
    assert(this.#connection === undefined, "a client has one connection");
    this.#connection = connection;
    this.#connectMs = Number.POSITIVE_INFINITY;
    this.#decoder = new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX });
    this.#heartbeat.begin(nowMs);
    const registrations = [...this.#registrations.values()];
    for (const registration of registrations) mustBeSent(registration, nowMs);
    this.#requests.addAll(registrations, nowMs);
  }

  /** A connection could not be made. */
  refused(nowMs: number): void {
    this.#connectMs = nowMs + RECONNECT_MS;
  }

  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#connection === undefined) return;
    this.#heartbeat.postponeRead(nowMs);
    try {
      this.#decoder.push(chunk, (frame) => this.#frame(frame, nowMs));
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#giveUp(nowMs);
    }
  }

  drained(): void {
    // A client's output is small and never waits for room.
  }

  closed(nowMs: number): void {
    if (this.#connection !== undefined) this.#lost(nowMs);
  }

  /** The time of the next `tick`; Infinity if nothing is due. */
  nextWakeMs(): number {
    if (this.#connection === undefined) return this.#connectMs;
    return Math.min(this.#requests.nextWakeMs(), this.#heartbeat.nextWakeMs(), this.#syncConfigMs);
  }

  tick(nowMs: number): void {
    if (this.#connection === undefined) return this.#connectIfDue(nowMs);
    this.#requests.tick(nowMs, () => this.#undone());
    if (nowMs >= this.#syncConfigMs) this.#syncConfig(nowMs);
    const ring = this.#heartbeat.ring(nowMs);
    if (ring === "send") {
      this.#write(encodeHeartbeat(this.#options.dialect, this.#host.nextRequestId(), BOLT_CODEC.HESSIAN), nowMs);
    }
    if (ring === "giveUp") this.#giveUp(nowMs);
  }

  #connectIfDue(nowMs: number): void {
    if (nowMs < this.#connectMs) return;
    this.#connectMs = Number.POSITIVE_INFINITY;
    this.#host.connect(nowMs);
  }

  #begin(registration: Registration, nowMs: number): void {
    this.#registrations.set(keyOf(registration), registration);
    if (this.#connection !== undefined) this.#requests.add(registration, nowMs);
  }

  #change(registration: Registration, nowMs: number): void {
    registration.version++;
    mustBeSent(registration, nowMs);
    this.#begin(registration, nowMs);
  }

  #undone(): Registration[] {
    return [...this.#registrations.values()].filter(({ isDone }) => !isDone);
  }

  #frame(frame: BoltFrame, nowMs: number): void {
    if (this.#connection === undefined) return;
    const { dialect } = this.#options;
    if (frame.command === "heartbeat") {
      if (frame.kind === "response") this.#heartbeat.answered();
      else if (this.#options.answersPushes) this.#write(encodeHeartbeatAck(dialect, frame.id, frame.codec), nowMs);
      return;
    }
    const message =
      frame.content.length === 0 ? undefined : decodeMessage(wireForm(frame), frame.className, frame.content);
    if (frame.kind === "response") this.#answered(frame.id, message, nowMs);
    else if (message !== undefined) this.#request(frame, message, nowMs);
  }

  #answered(id: number, message: SofaMessage | undefined, nowMs: number): void {
    if (message?.kind === "syncConfigResponse") return;
    const answer =
      message?.kind === "registerResponse"
        ? { isSuccess: message.success, isHeldByAnother: isHeld(message), version: message.version }
        : { isSuccess: false, isHeldByAnother: false, version: NO_VERSION };
    if (message?.kind === "registerResponse" && !message.success) this.#host.onRefused?.(message.message ?? "", nowMs);
    const registration = this.#requests.answered(id, answer, nowMs);
    if (registration === undefined) return;
    if (!registration.isRegistered) this.#registrations.delete(keyOf(registration));
    this.#host.onAcknowledged?.(registration, nowMs);
  }

  #request(frame: BoltFrame, message: SofaMessage, nowMs: number): void {
    if (this.#options.answersPushes && frame.kind === "request") this.#answerPush(frame, nowMs);
    if (message.kind === "receivedData" || message.kind === "multiReceivedData") this.#pushed(message, nowMs);
    if (message.kind === "receivedConfigData") this.#configPushed(message, nowMs);
  }

  #answerPush({ id, codec, className, content }: BoltFrame, nowMs: number): void {
    const form = wireForm({ codec, className, content });
    const result = encodeMessage(form, { kind: "result", success: true, message: null });
    const { dialect } = this.#options;
    this.#write(encodeResponse(dialect, { id, status: BOLT_STATUS.SUCCESS, ...result, codec }), nowMs);
  }

  #pushed(message: ReceivedData | MultiReceivedData, nowMs: number): void {
    const segments = segmentsOf(message, this.#host.decompress);
    for (const registId of message.subscriberRegistIds) {
      const subscriber = this.#registrations.get(keyFor("subscriber", registId));
      if (subscriber?.kind !== "subscriber" || !subscriber.isRegistered) continue;
      for (const push of segments) this.#take(subscriber, push, nowMs);
    }
  }

  #take(subscriber: Subscriber, push: SegmentPush, nowMs: number): void {
    const seen = subscriber.seenVersions.get(push.segment) ?? NO_VERSION;
    if (push.version <= seen) return this.#host.onStalePush?.(subscriber, push, nowMs);
    subscriber.seenVersions.set(push.segment, push.version);
    this.#host.onPush?.(subscriber, push, nowMs);
  }

  #configPushed({ configuratorRegistIds, version, dataBox: data }: ReceivedConfigData, nowMs: number): void {
    for (const registId of configuratorRegistIds) {
      const configurator = this.#registrations.get(keyFor("configurator", registId));
      if (configurator?.kind !== "configurator") continue;
      if (version <= configurator.seenVersion) {
        this.#host.onStaleConfig?.(configurator, { version, data }, nowMs);
        continue;
      }
      configurator.seenVersion = version;
      this.#host.onConfig?.(configurator, { version, data }, nowMs);
    }
  }

  #syncConfig(nowMs: number): void {
    this.#syncConfigMs = nowMs + SYNC_CONFIG_MS;
    const { dataCenter, zone } = this.#options;
    this.#sendRequest({ kind: "syncConfigRequest", dataCenter, zone }, nowMs);
  }

  #sendRequest(message: SofaMessage, nowMs: number): number {
    const id = this.#host.nextRequestId();
    const { form, dialect } = this.#options;
    this.#write(encodeRequest(dialect, { id, timeoutMs: INVOKE_TIMEOUT_MS, ...encodeMessage(form, message) }), nowMs);
    return id;
  }

  #write(bytes: Uint8Array, nowMs: number): void {
    this.#heartbeat.postponeWrite(nowMs);
    this.#connection?.write(bytes);
  }

  #giveUp(nowMs: number): void {
    const connection = this.#connection;
    this.#lost(nowMs);
    connection?.close();
  }

  #lost(nowMs: number): void {
    this.#connection = undefined;
    this.#connectMs = nowMs + RECONNECT_MS;
    this.#requests.clear();
    this.#heartbeat.end();
  }
}

function isHeld({ success, message }: RegisterResponse): boolean {
  return !success && message?.startsWith("REGISTRATION_HELD") === true;
}

function keyOf({ kind, registId }: Registration): string {
  return keyFor(kind, registId);
}

function keyFor(kind: Registration["kind"], registId: string): string {
  return `${kind} ${registId}`;
}
