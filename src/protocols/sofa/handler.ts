// One client's Bolt connection: frames in, registry events out, and the registry's answers and pushes back as frames.

import { anonymous } from "../../access/principal.ts";
import { equalBytes } from "../../base/bytes.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { CounterPort } from "../../base/metrics.ts";
import { type Connection, type ConnectionHandler, UNREAD_BYTES_MAX } from "../../base/ports.ts";
import { BoltDecoder } from "../../encoding/bolt/decoder.ts";
import {
  crcTrailer,
  encodeHeartbeat,
  encodeHeartbeatAck,
  encodeRequest,
  encodeRequestHead,
  encodeResponse,
} from "../../encoding/bolt/encode.ts";
import { boltError } from "../../encoding/bolt/errors.ts";
import {
  BOLT_CODEC,
  BOLT_STATUS,
  BOLT_V1,
  type BoltDialect,
  type BoltFrame,
  type BoltRequest,
  hasCrc,
} from "../../encoding/bolt/frame.ts";
import { type ClientId, clientId } from "../../model/ids.ts";
import type { Blocked, ClientChannel, ClientEvent, ConfigPush, Outcome, Push } from "../../registry/registry.ts";
import type { ConnectionAccount } from "../kit/connectionAccount.ts";
import { askOfApplications, isAppRequest } from "./appRequests.ts";
import { checkRegister } from "./clientProof.ts";
import {
  type Encoded,
  encodeMessage,
  encodeMultiPushTail,
  encodePushTail,
  multiPushClassName,
  pushClassName,
} from "./codec/codec.ts";
import type { Register, SofaMessage, WireForm } from "./codec/messages.ts";
import { decodeFrame } from "./decode.ts";
import { receivedConfigData, registerResponse, syncConfigResponse } from "./encode.ts";
import type { SofaEnvironment } from "./environment.ts";
import { contentRefusal } from "./errors.ts";
import { giveBack } from "./giveBack.ts";
import { payloadBytesOf, publishRequest, registrationKeyOf, subscribeRequest } from "./map.ts";
import type { PushBodies } from "./pushBodies.ts";
import type { CountedKind } from "./requestCounts.ts";
import { SilenceWatch } from "./silenceWatch.ts";
import { readVariant } from "./variant.ts";

export interface HandlerEnvironment extends SofaEnvironment {
  readonly bodies: PushBodies;
  /** The account is already charged for the connection. */
  readonly account: ConnectionAccount;
  /** Counts accepted requests. */
  readonly accepted: Readonly<Record<CountedKind, CounterPort>>;
  readonly ended: () => void;
  /** Ids for heartbeats, distinct from those of pushes. */
  readonly nextHeartbeatId: () => number;
  readonly nowMs: number;
  /** The number of this connection among all that the gateway has accepted. */
  readonly number: number;
}

// A frame that is incomplete after this time is held open on purpose: 16 MiB at 280 KiB a second.
const FRAME_MS_MAX = 60_000;

// Measured on loopback, one core: 15 µs a send, and 0.33 µs more for each KiB sent.
const SEND_COST_MS = 0.015;
const SEND_COST_MS_PER_BYTE = 0.000_000_33;

const NO_BYTES = new Uint8Array(0);

interface OpenRequest {
  readonly frame: BoltRequest;
  readonly form: WireForm;
}

export class SofaHandler implements ConnectionHandler, ClientChannel {
  readonly #connection: Connection;
  readonly #environment: HandlerEnvironment;
  readonly #client: ClientId;
  readonly #decoder: BoltDecoder;
  readonly #open = new Map<number, OpenRequest & { readonly kind: Register["kind"] }>();
  readonly #warned = new Set<string>();
  readonly #silence: SilenceWatch;
  #dialect: BoltDialect = BOLT_V1;
  #configForm: WireForm = "hessian-draft";
  #takenContent: Uint8Array = NO_BYTES;
  #nextRequest = 1;
  /** The last request that was answered with an error. */
  #refused = 0;
  /** The last time without an incomplete frame. */
  #betweenFramesMs: number;
  #isEnded = false;
  #writtenBytes = 0;
  /** The largest push that was written while other output waited: it may still be under way. */
  #pushBytes = 0;
  /** The bytes sent at the last check, whether output waited then, and the last time at which nothing was stuck. */
  #leftBytes = 0;
  #hasWaited = false;
  #leftMs: number;

  constructor(connection: Connection, environment: HandlerEnvironment) {
    this.#connection = connection;
    this.#environment = environment;
    // The number distinguishes connections: a client may come back from the same port before the end of its old one is
    // noticed.
    this.#client = clientId(`${connection.remoteAddress}_${connection.localAddress}#${environment.number}`);
    this.#decoder = new BoltDecoder({ frameBytesMax: environment.config.frameBytesMax });
    this.#silence = new SilenceWatch(environment.config, environment.nowMs);
    this.#betweenFramesMs = environment.nowMs;
    this.#leftMs = environment.nowMs;
    const { account } = environment.account;
    const principal = anonymous(this.address);
    this.#tell({ kind: "connected", client: this.#client, channel: this, principal, account }, environment.nowMs);
  }

  get address(): string {
    return this.#connection.remoteAddress.replace(/:\d+$/, "");
  }

  get answersQuestions(): boolean {
    return this.#silence.hasAnswered;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get sentBytes(): number {
    return this.#writtenBytes - this.#connection.bufferedBytes;
  }

  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#isEnded) return;
    this.#silence.heard(nowMs);
    try {
      this.#decoder.push(chunk, (frame) => {
        this.#betweenFramesMs = nowMs;
        this.#frame(frame, nowMs);
        if (this.#silence.markSpoken()) this.askIfSilent(nowMs);
      });
      if (!this.#decoder.hasPartialFrame) this.#betweenFramesMs = nowMs;
      this.#settle();
    } catch (error) {
      this.fail(error, nowMs);
    }
  }

  waits(bytes: number, nowMs: number): void {
    if (this.#isEnded) return;
    const refusal = this.#environment.account.settleInput(this.#decoder.pendingBytes + bytes);
    if (refusal !== undefined) this.fail(refusal, nowMs);
  }

  drained(nowMs: number): void {
    if (this.#isEnded) return;
    this.#environment.account.settleOutput(this.#connection.bufferedBytes);
    this.#silence.heard(nowMs);
    this.#tell({ kind: "drained", client: this.#client }, nowMs);
  }

  closed(nowMs: number): void {
    this.#end("closed by the client", nowMs);
  }

  closeIdle(nowMs: number): void {
    if (this.#connection.hasUnread) return;
    if (!this.#decoder.hasPartialFrame) this.#betweenFramesMs = nowMs;
    const { clientIdleMs } = this.#environment.config;
    this.#checkProgress(nowMs);
    const stuckMs = nowMs - this.#leftMs;
    if (stuckMs >= clientIdleMs) {
      const { bufferedBytes } = this.#connection;
      return this.fail(fail("CLIENT_TOO_SLOW", { bufferedBytes, stuckMs }), nowMs);
    }
    // The transport does not read from a client with much waiting output, so its silence tells nothing.
    if (this.#isBlocked()) this.#silence.heard(nowMs);
    const silentMs = this.#silence.silentMs(nowMs);
    if (this.#silence.isGone(nowMs)) return this.fail(fail("CLIENT_IDLE", { silentMs }), nowMs);
    const frameMs = nowMs - this.#betweenFramesMs;
    if (frameMs >= FRAME_MS_MAX) this.fail(fail("CLIENT_TOO_SLOW", { frameMs }), nowMs);
  }

  /** A slow client reads a little all the time, which is a sign of life: only one without any progress is stuck. */
  #checkProgress(nowMs: number): void {
    const { bufferedBytes } = this.#connection;
    const leftBytes = this.#writtenBytes - bufferedBytes;
    const hasMoved = leftBytes > this.#leftBytes;
    if (hasMoved && this.#hasWaited) this.#silence.heard(nowMs);
    if (hasMoved || bufferedBytes === 0) this.#leftMs = nowMs;
    this.#hasWaited = bufferedBytes > 0;
    this.#leftBytes = leftBytes;
  }

  /** Asks a new client right after its first answer, and a client that has been silent; false if there was no need. */
  askIfSilent(nowMs: number): boolean {
    // A question would not reach a blocked client through the output that it does not read.
    if (this.#connection.hasUnread || this.#isBlocked() || !this.#silence.isDueToAsk(nowMs)) return false;
    this.ask(nowMs);
    return true;
  }

  ask(nowMs: number): void {
    this.#silence.asked(nowMs);
    this.#write([encodeHeartbeat(this.#dialect, this.#environment.nextHeartbeatId(), BOLT_CODEC.HESSIAN)]);
  }

  /** A client that does not read can't be asked: its absence shows when its output is stuck. */
  isSilentSince(atMs: number): boolean {
    return !this.#connection.hasUnread && !this.#isBlocked() && this.#silence.heardMs < atMs;
  }

  /** This process was away for `awayMs`: nothing that the client sent meanwhile can have been read. */
  resumed(awayMs: number, nowMs: number): void {
    this.#silence.resumed(awayMs, nowMs);
    this.#betweenFramesMs = Math.min(nowMs, this.#betweenFramesMs + awayMs);
    this.#leftMs = Math.min(nowMs, this.#leftMs + awayMs);
  }

  answer(request: number, outcome: Outcome): void {
    const open = this.#open.get(request);
    this.#open.delete(request);
    if (open === undefined) return;
    if (outcome.kind !== "accepted") this.#refused = request;
    this.#count(open.kind, outcome);
    this.#guarded(() => this.#respond(open, registerResponse(outcome)));
    if (outcome.kind === "failed" && this.#environment.account.account.mayLog(this.#silence.heardMs)) {
      this.#environment.log.warn("a registration was refused", { client: this.#client, reason: outcome.error.message });
    }
  }

  #count(kind: CountedKind, outcome: Outcome): void {
    const { accepted, metrics } = this.#environment;
    if (outcome.kind === "accepted") accepted[kind].add(1);
    else metrics.add("roster_requests_total", 1, { type: kind, outcome: outcome.error.code });
  }

  push(push: Push): number | Blocked {
    if (this.#isBlocked()) return "blocked";
    let costMs = SEND_COST_MS;
    this.#guarded(() => {
      costMs += this.#writePush(push);
    });
    return costMs;
  }

  pushConfig(push: ConfigPush): "sent" | Blocked {
    if (this.#isBlocked()) return "blocked";
    this.#guarded(() => this.#writeConfig(push));
    return "sent";
  }

  report(pushes: "paused" | "resumed"): void {
    const { log } = this.#environment;
    const client = this.#client;
    if (pushes === "paused") log.warn("pushes to a client are paused because it does not answer them", { client });
    else log.info("pushes to a client are resumed because it answers them again", { client });
  }

  #isBlocked(): boolean {
    return this.#connection.bufferedBytes > UNREAD_BYTES_MAX;
  }

  /**
   * A bug of ours met while the session speaks to this client ends only this connection, and not the session.
   */
  #guarded(speak: () => void): void {
    try {
      speak();
    } catch (error) {
      this.#report(error);
      this.#connection.close();
    }
  }

  /** Returns the cost beyond the send itself, in milliseconds. */
  #writePush(push: Push): number {
    const { form, isMulti } = readVariant(push.variant);
    const { bytes: body, costMs } = this.#environment.bodies.body(push);
    const tail = isMulti ? encodeMultiPushTail(form, push.registIds) : encodePushTail(form, push.registIds);
    const head = encodeRequestHead(this.#dialect, {
      id: push.id,
      // The real server also pushes protobuf under Hessian's number, and clients use the class name.
      codec: BOLT_CODEC.HESSIAN,
      timeoutMs: this.#environment.config.pushTimeoutMs,
      className: isMulti ? multiPushClassName(form) : pushClassName(form),
      contentLength: body.length + tail.length,
    });
    const parts = hasCrc(this.#dialect) ? [head, body, tail, crcTrailer([head, body, tail])] : [head, body, tail];
    const length = head.length + body.length + tail.length;
    this.#environment.metrics.add("roster_push_bytes_total", length);
    this.#pushBytes = this.#connection.bufferedBytes === 0 ? length : Math.max(this.#pushBytes, length);
    this.#write(parts);
    return costMs + body.length * SEND_COST_MS_PER_BYTE;
  }

  #writeConfig(push: ConfigPush): void {
    const { className, content } = encodeMessage(this.#configForm, receivedConfigData(push));
    const { pushTimeoutMs: timeoutMs } = this.#environment.config;
    this.#write([
      encodeRequest(this.#dialect, { id: push.id, codec: BOLT_CODEC.HESSIAN, timeoutMs, className, content }),
    ]);
  }

  #frame(frame: BoltFrame, nowMs: number): void {
    if (this.#isEnded) return;
    if (frame.command === "heartbeat") {
      if (frame.kind === "response") this.#silence.answered();
      else this.#write([encodeHeartbeatAck(frame.dialect, frame.id, frame.codec)]);
      return this.#checkOutput();
    }
    // Pushes use the client's dialect.
    this.#dialect = frame.dialect;
    if (frame.kind === "response") this.#pushAnswered(frame, nowMs);
    else this.#request(frame, nowMs);
    this.#checkOutput();
  }

  /**
   * Waiting answers are bounded. Pushes are held back while much waits, so at most one of them lies beyond the bound,
   * and a client is not too slow because a list is large.
   */
  #checkOutput(): void {
    const { bufferedBytes } = this.#connection;
    if (bufferedBytes <= this.#environment.config.clientOutputBytesMax + this.#pushBytes) return;
    throw fail("CLIENT_TOO_SLOW", { bufferedBytes, pushBytes: this.#pushBytes });
  }

  #pushAnswered(frame: BoltFrame & { kind: "response" }, nowMs: number): void {
    const isTaken = frame.status === BOLT_STATUS.SUCCESS && this.#readPushAnswer(frame);
    this.#tell({ kind: "pushAnswered", client: this.#client, push: frame.id, isTaken }, nowMs);
  }

  /** A client's "taken" has the same bytes each time, so they are decoded once. */
  #readPushAnswer(frame: BoltFrame): boolean {
    if (frame.content.length > 0 && equalBytes(frame.content, this.#takenContent)) return true;
    try {
      const { message } = decodeFrame(frame, this.#environment.config);
      const isTaken = message.kind === "result" && message.success;
      if (isTaken) this.#takenContent = frame.content.slice();
      return isTaken;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      // The answer's status reports success, which is its purpose.
      this.#environment.metrics.add("roster_frames_refused_total", 1, { reason: error.code });
      return true;
    }
  }

  #request(frame: BoltRequest, nowMs: number): void {
    try {
      this.#environment.account.work(frame.content.length, nowMs);
      const { form, message } = decodeFrame(frame, this.#environment.config);
      this.#message({ frame, form }, message, nowMs);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#refuseContent(frame, error);
    }
  }

  #message(open: OpenRequest, message: SofaMessage, nowMs: number): void {
    switch (message.kind) {
      case "publisherRegister":
      case "subscriberRegister":
      case "configuratorRegister":
        return this.#register(open, message, nowMs);
      case "syncConfigRequest":
        return this.#respond(open, syncConfigResponse(this.#environment.config.dataCenter));
      default: {
        const respond = (answer: Encoded) => this.#guarded(() => this.#send(open.frame, answer));
        const { certificate } = this.#connection;
        const asking = { ...this.#environment, from: this.address, certificate, nowMs, respond };
        if (isAppRequest(message)) return askOfApplications(message, asking);
        throw boltError("BOLT_CLASS_UNKNOWN", { className: open.frame.className });
      }
    }
  }

  #register(open: OpenRequest, register: Register, nowMs: number): void {
    const request = this.#nextRequest++;
    const { registId, version, kind } = register;
    try {
      if (kind === "publisherRegister") {
        this.#environment.account.work(payloadBytesOf(register, this.#environment.config), nowMs);
      }
      const event = this.#eventFor(register, { request, form: open.form });
      this.#open.set(request, { ...open, kind });
      if (event === undefined) this.answer(request, { kind: "accepted", registId, version });
      else this.#tell(event, nowMs);
      if (event?.kind === "published" && this.#refused === request) giveBack(event.publication.payload);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#environment.metrics.add("roster_requests_total", 1, { type: kind, outcome: error.code });
      this.#warnOnce("a registration was refused", error);
      this.#respond(open, registerResponse({ kind: "failed", registId, version, error }));
    }
  }

  /** The registry event; undefined for an unknown event type, which the real server also answers with success. */
  #eventFor(register: Register, { request, form }: { request: number; form: WireForm }): ClientEvent | undefined {
    const client = this.#client;
    const { config } = this.#environment;
    const isUnregister = register.eventType === "UNREGISTER";
    if (!isUnregister && register.eventType !== "REGISTER") return undefined;
    const key = registrationKeyOf(register);
    const asking = { serviceKey: key.serviceKey, from: this.address, certificate: this.#connection.certificate };
    if (!isUnregister) checkRegister(this.#environment.access, register, asking);
    switch (register.kind) {
      case "publisherRegister":
        if (isUnregister) return { kind: "unpublished", client, request, key };
        return { kind: "published", client, request, publication: publishRequest(register, config) };
      case "subscriberRegister":
        if (isUnregister) return { kind: "unsubscribed", client, request, key };
        return { kind: "subscribed", client, request, subscription: subscribeRequest(register, form, config) };
      case "configuratorRegister":
        this.#configForm = form;
        return { kind: isUnregister ? "unwatchedConfig" : "watchedConfig", client, request, key };
    }
  }

  #respond({ frame, form }: OpenRequest, message: SofaMessage): void {
    if (frame.kind !== "oneway") this.#send(frame, encodeMessage(form, message));
  }

  #send(frame: BoltRequest, { className, content }: Encoded): void {
    if (frame.kind === "oneway") return;
    const { id, codec } = frame;
    this.#write([encodeResponse(frame.dialect, { id, codec, status: BOLT_STATUS.SUCCESS, className, content })]);
  }

  #refuseContent(frame: BoltRequest, error: RegistryError): void {
    this.#environment.metrics.add("roster_frames_refused_total", 1, { reason: error.code });
    this.#warnOnce("a request was refused", error);
    if (frame.kind === "oneway") return;
    this.#write([encodeResponse(frame.dialect, { id: frame.id, ...contentRefusal(error, frame.className) })]);
  }

  /** Charges incomplete input and waiting output; throws if they are too much. */
  #settle(): void {
    if (this.#isEnded) return;
    const { account } = this.#environment;
    const refusal =
      account.settleInput(this.#decoder.pendingBytes) ?? account.settleOutput(this.#connection.bufferedBytes);
    if (refusal !== undefined) throw refusal;
  }

  #write(parts: readonly Uint8Array[]): void {
    if (this.#isEnded) return;
    for (const part of parts) this.#writtenBytes += part.length;
    this.#connection.write(...parts);
  }

  /**
   * Ends the connection for a reason that is counted and logged. A bug of ours met on the way ends only this
   * connection.
   */
  fail(error: unknown, nowMs: number): void {
    this.#report(error);
    this.#end(error instanceof RegistryError ? error.code : "BUG", nowMs);
    this.#connection.close();
  }

  #report(error: unknown): void {
    const client = this.#client;
    if (error instanceof RegistryError) {
      this.#environment.log.warn("a connection was closed", { client, reason: error.message });
      const { code: reason } = error;
      // Bytes that are not a frame.
      if (reason.startsWith("BOLT_")) this.#environment.metrics.add("roster_frames_refused_total", 1, { reason });
      return;
    }
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#environment.log.error("a connection was closed because of a bug in roster", { client, reason: stack });
  }

  /** A client repeats a refused request twice a second, for ever: each kind of refusal is logged once a connection. */
  #warnOnce(event: string, error: RegistryError): void {
    if (this.#warned.has(error.code)) return;
    this.#warned.add(error.code);
    this.#environment.log.warn(event, { client: this.#client, reason: error.message });
  }

  #end(reason: string, nowMs: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#environment.metrics.add("roster_connections_closed_total", 1, { reason });
    this.#environment.ended();
    this.#decoder.release();
    this.#environment.account.close();
    this.#tell({ kind: "disconnected", client: this.#client }, nowMs);
  }

  #tell(event: ClientEvent, nowMs: number): void {
    this.#environment.registry.step(event, nowMs);
  }
}
