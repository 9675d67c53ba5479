// One client's connection by gRPC. Requests are calls of their own; the client's one stream carries the requests of the
// server and their answers. The client is known to the registry from its ConnectionSetupRequest on.

import { assert } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { Http2Call, Http2CallHandler, Http2Connection, Http2Handler } from "../../base/http2.ts";
import { UNREAD_BYTES_MAX } from "../../base/ports.ts";
import { grpcError } from "../../encoding/grpc/errors.ts";
import { GRPC_STATUS } from "../../encoding/grpc/status.ts";
import { decodeJson, fieldsOf, type JsonFields, textField, wholeField } from "../../encoding/json/fields.ts";
import { type ClientId, clientId } from "../../model/ids.ts";
import type { Blocked } from "../../registry/registry.ts";
import { type CallOwner, IncomingCall } from "./call.ts";
import { NacosChannel } from "./channel.ts";
import type { ClientConnection, ConnectionEnvironment } from "./clientConnection.ts";
import { serverRequestBody } from "./codec/bodies.ts";
import { decodePayload, encodePayload, type NacosPayload } from "./codec/payload.ts";
import { nacosError } from "./errorTable.ts";
import type { Answered, ClientSetup, JsonObject, ServerRequest, SharedField } from "./part.ts";
import { answerUnary } from "./requests.ts";
import { ServerRequests } from "./serverRequests.ts";
import { readSetup } from "./setup.ts";
import { Silence } from "./silence.ts";

const UNARY = "/Request/request";
const STREAM = "/BiRequestStream/requestBiStream";
// A connection that has sent no setup by then is no client's.
const SETUP_MS_MAX = 20_000;

export class NacosConnection implements Http2Handler, CallOwner, ClientConnection {
  readonly connectionId: string;
  readonly id: ClientId;
  readonly #connection: Http2Connection;
  readonly #environment: ConnectionEnvironment;
  readonly #calls = new Set<IncomingCall>();
  readonly #serverRequests = new ServerRequests();
  readonly #silence: Silence;
  readonly #openedMs: number;
  #stream: IncomingCall | undefined;
  #known: { readonly setup: ClientSetup; readonly channel: NacosChannel } | undefined;
  #writtenBytes = 0;
  #hasAnswered = false;
  #isEnded = false;

  constructor(connection: Http2Connection, environment: ConnectionEnvironment) {
    this.#connection = connection;
    this.#environment = environment;
    const { number, config } = environment;
    const nowMs = environment.nowMs();
    const { remoteAddress, localAddress } = connection;
    this.id = clientId(`${remoteAddress}_${localAddress}#${number}`);
    const port = remoteAddress.slice(remoteAddress.lastIndexOf(":") + 1);
    this.connectionId = `${Math.floor(nowMs)}_${this.address}_${port}`;
    this.#openedMs = nowMs;
    this.#silence = new Silence(config.clientIdleMs, nowMs);
  }

  get address(): string {
    return this.#connection.remoteAddress.replace(/:\d+$/, "");
  }

  get certificate() {
    return this.#connection.certificate;
  }

  get environment(): ConnectionEnvironment {
    return this.#environment;
  }

  get known(): { readonly setup: ClientSetup; readonly channel: NacosChannel } | undefined {
    return this.#known;
  }

  get setup(): ClientSetup {
    assert(this.#known !== undefined, "parts see a client when it is set up");
    return this.#known.setup;
  }

  get channel(): NacosChannel {
    assert(this.#known !== undefined, "parts see a client when it is set up");
    return this.#known.channel;
  }

  get account() {
    return this.#environment.account.account;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get heardMs(): number {
    return this.#silence.heardMs;
  }

  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  get output(): { readonly writtenBytes: number; readonly bufferedBytes: number } {
    return { writtenBytes: this.#writtenBytes, bufferedBytes: this.#connection.bufferedBytes };
  }

  get isBlocked(): boolean {
    return this.#connection.bufferedBytes > UNREAD_BYTES_MAX;
  }

  called(call: Http2Call, nowMs: number): Http2CallHandler {
    const incoming = new IncomingCall(call, this);
    if (this.#isEnded) return incoming;
    this.#calls.add(incoming);
    this.#silence.heard(nowMs);
    if (call.path === STREAM && this.#stream === undefined) {
      this.#stream = incoming;
      incoming.open();
    } else if (call.path === STREAM) incoming.refuse(nacosError("NACOS_STREAM_TAKEN"));
    else if (call.path !== UNARY) incoming.refuse(grpcError("GRPC_METHOD_UNKNOWN", { path: call.path.slice(0, 200) }));
    return incoming;
  }

  received(call: IncomingCall, message: Uint8Array, nowMs: number): void {
    if (this.#isEnded || call.isOver) return;
    this.#silence.heard(nowMs);
    this.#environment.account.work(message.length, nowMs);
    if (call === this.#stream) this.#streamed(decodePayload(message), nowMs);
    else answerUnary({ call, message, connection: this, nowMs });
  }

  wrote(bytes: number): void {
    this.#writtenBytes += bytes;
  }

  settle(nowMs: number): void {
    if (this.#isEnded) return;
    const { account, config } = this.#environment;
    const { bufferedBytes } = this.#connection;
    const refusal = account.settleInput(this.#pendingBytes) ?? account.settleOutput(bufferedBytes);
    if (refusal !== undefined) return this.fail(refusal, nowMs);
    const bytesMax = config.clientOutputBytesMax + (this.#known?.channel.pushBytes ?? 0);
    if (bufferedBytes > bytesMax) this.fail(fail("CLIENT_TOO_SLOW", { bufferedBytes, bytesMax }), nowMs);
  }

  /** A fault of one call ends that call; one of the stream, without which there is no client, ends the connection. */
  failed(call: IncomingCall, error: unknown, nowMs: number): void {
    if (!(error instanceof RegistryError) || call === this.#stream) {
      if (error instanceof RegistryError) call.refuse(error);
      return this.fail(error, nowMs);
    }
    call.refuse(error);
  }

  /** As at the real server, a client without its stream is gone, and a connection takes no second one. */
  callEnded(call: IncomingCall, nowMs: number): void {
    if (call !== this.#stream) return;
    call.end(GRPC_STATUS.OK);
    this.#end("closed by the client", nowMs);
    this.#connection.close();
  }

  callClosed(call: IncomingCall, nowMs: number): void {
    this.#calls.delete(call);
    if (call !== this.#stream) return;
    this.#end("closed by the client", nowMs);
    this.#connection.close();
  }

  waits(bytes: number, nowMs: number): void {
    if (this.#isEnded) return;
    const refusal = this.#environment.account.settleInput(this.#pendingBytes + bytes);
    if (refusal !== undefined) this.fail(refusal, nowMs);
  }

  drained(nowMs: number): void {
    if (this.#isEnded) return;
    this.#environment.account.settleOutput(this.#connection.bufferedBytes);
    this.#silence.heard(nowMs);
    if (this.#known === undefined) return;
    this.#environment.registry.step({ kind: "drained", client: this.id }, nowMs);
    this.#environment.drained(this, nowMs);
  }

  closed(nowMs: number): void {
    this.#end("closed by the client", nowMs);
  }

  /** The node ends the connection: its client goes to another one. */
  closing(nowMs: number): void {
    if (this.#isEnded || this.#known === undefined) return;
    this.pushRequest({ type: "ConnectResetRequest", fields: { module: "internal" } }, () => undefined);
    this.#silence.heard(nowMs);
  }

  pushRequest({ type, fields }: ServerRequest, answered: Answered): "sent" | Blocked {
    if (this.isBlocked) return "blocked";
    this.writeRequest(type, this.#serverRequests.add(answered, this.#environment.nowMs()), fields);
    return "sent";
  }

  writeRequest(type: string, requestId: string, fields: JsonObject, last?: SharedField): number {
    if (this.#isEnded || this.#stream === undefined) return 0;
    const parts = encodePayload(type, serverRequestBody(requestId, fields, last));
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    this.#stream.write(parts);
    return bytes;
  }

  ask(nowMs: number): void {
    this.#silence.asked(nowMs);
    this.pushRequest({ type: "ClientDetectionRequest", fields: { module: "internal" } }, () => undefined);
  }

  /** A client that does not read can't be asked: its absence shows when its output is stuck. */
  isSilentSince(atMs: number): boolean {
    return !this.#connection.hasUnread && !this.isBlocked && this.#silence.heardMs < atMs;
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    this.#serverRequests.expire(nowMs);
    const { bufferedBytes, hasUnread } = this.#connection;
    if (this.#isEnded || hasUnread) return;
    this.#silence.progress({ sentBytes: this.#writtenBytes - bufferedBytes, bufferedBytes }, nowMs);
    if (this.#silence.isStuck(nowMs)) return this.fail(fail("CLIENT_TOO_SLOW", { bufferedBytes }), nowMs);
    if (this.isBlocked) this.#silence.heard(nowMs);
    const silentMs = this.#silence.silentMs(nowMs);
    if (this.#silence.isGone(nowMs)) return this.fail(fail("CLIENT_IDLE", { silentMs }), nowMs);
    if (this.#known !== undefined) {
      if (!this.isBlocked && this.#silence.isDueToAsk(nowMs)) this.ask(nowMs);
    } else if (nowMs - this.#openedMs >= SETUP_MS_MAX) this.fail(nacosError("NACOS_CONNECTION_UNREGISTERED"), nowMs);
  }

  resumed(awayMs: number, nowMs: number): void {
    this.#silence.resumed(awayMs, nowMs);
  }

  /** Ends the connection for a reason that is counted and logged. A bug of ours ends only this connection. */
  fail(error: unknown, nowMs: number): void {
    if (this.#isEnded) return;
    const { log } = this.#environment;
    const client = this.id;
    if (error instanceof RegistryError) log.warn("a connection was closed", { client, reason: error.message });
    else {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error("a connection was closed because of a bug in roster", { client, reason });
    }
    this.#stream?.end(GRPC_STATUS.UNAVAILABLE);
    this.#end(error instanceof RegistryError ? error.code : "BUG", nowMs);
    this.#connection.close();
  }

  #streamed({ type, json }: NacosPayload, nowMs: number): void {
    const fields = json.length === 0 ? new Map() : fieldsOf(decodeJson(json), "body");
    if (type === "ConnectionSetupRequest") return this.#setUp(fields, nowMs);
    if (type.endsWith("Response")) this.#answered(fields, nowMs);
  }

  #setUp(fields: JsonFields, nowMs: number): void {
    if (this.#known !== undefined) return;
    const channel = new NacosChannel(this);
    this.#known = { setup: readSetup(fields), channel };
    const { account } = this;
    this.#environment.registry.step(
      { kind: "connected", client: this.id, channel, principal: channel.principal, account },
      nowMs,
    );
    const { abilities: abilityTable } = this.#environment;
    this.writeRequest(
      "SetupAckRequest",
      this.#serverRequests.add(() => undefined, nowMs),
      { abilityTable, module: "internal" },
    );
  }

  #answered(fields: JsonFields, nowMs: number): void {
    this.#hasAnswered = true;
    const id = textField(fields, "requestId") ?? "";
    if (this.#serverRequests.answered(id, fields, nowMs)) return;
    const isTaken = wholeField(fields, "resultCode", { min: 0, max: 1_000 }) === 200;
    const push = Number(id);
    if (this.#known === undefined || !Number.isInteger(push)) return;
    this.#environment.registry.step({ kind: "pushAnswered", client: this.id, push, isTaken }, nowMs);
  }

  get #pendingBytes(): number {
    let bytes = 0;
    for (const call of this.#calls) bytes += call.pendingBytes;
    return bytes;
  }

  #end(reason: string, nowMs: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { metrics, ended, account, registry } = this.#environment;
    metrics.add("roster_connections_closed_total", 1, { reason });
    ended(nowMs);
    account.close();
    this.#serverRequests.close(nowMs);
    if (this.#known !== undefined) registry.step({ kind: "disconnected", client: this.id }, nowMs);
  }
}
