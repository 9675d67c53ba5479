// One client's connection: frames in, answers and watch events out. Answers leave in the order of the requests: a read
// behind a write waits until the write is done, and shows it.

import { RegistryError } from "../../base/errors.ts";
import { type Connection, type ConnectionHandler, UNREAD_BYTES_MAX } from "../../base/ports.ts";
import { FrameDecoder } from "../../encoding/jute/frames.ts";
import { JuteReader } from "../../encoding/jute/reader.ts";
import { type AuthId, allows, PERMISSION } from "../../records/tree/acl.ts";
import type { WatchEvent } from "../../records/tree/watchTable.ts";
import type { SessionId } from "../../records/tree/znode.ts";
import type { ClientAccess } from "../kit/clientAccess.ts";
import { idsOf } from "./auth.ts";
import { type ConnectRequest, decodeConnect, EXPIRED, encodeConnected } from "./codec/connect.ts";
import { operationOf } from "./codec/operations.ts";
import { type ClientRequest, decodeRequest } from "./codec/requests.ts";
import { Judge } from "./judge.ts";
import { type Place, type RequestingConnection, Requests, type RequestsParts } from "./requests.ts";
import type { Attached } from "./sessions.ts";
import { answerWord, isWord, type WordsView, wordOf } from "./words.ts";

export interface ConnectionParts extends RequestsParts {
  readonly access: ClientAccess;
  readonly words: WordsView;
  readonly counted: (operation: string) => void;
  readonly ended: (reason: string) => void;
}

interface DecodedRequest {
  readonly xid: number;
  readonly request: ClientRequest;
}

/** A client that has not said a whole greeting by then is none. */
const GREETING_MS_MAX = 30_000;
/** A client whose session may be the shortest tries the next server after about as long. */
const READY_MS_MAX = 2_000;
/** As ZooKeeper's globalOutstandingLimit: of a client with so many requests under way no more are taken. */
const PLACES_MAX = 1_000;
const WRITES: ReadonlySet<ClientRequest["kind"]> = new Set(["write", "multi", "closeSession"]);

export class ZooKeeperConnection implements ConnectionHandler, Attached, RequestingConnection {
  readonly #connection: Connection;
  readonly #parts: ConnectionParts;
  readonly #decoder: FrameDecoder;
  readonly #openedMs: number;
  readonly #requests: Requests;
  #places: Place[] = [];
  #readsWaiting = 0;
  /** A write that waits for the reads before it. */
  #held: DecodedRequest | undefined;
  #isProceeding = false;
  #state: "greeting" | "connecting" | "serving" | "ended" = "greeting";
  #session: SessionId = 0;
  /** The greeting of a client that came before the tree was read. */
  #waiting: ConnectRequest | undefined;
  /** The identities that the client has proved. */
  ids: readonly AuthId[];
  readonly judge: Judge;
  #isHeld = false;
  timeoutMs = 0;
  requested = 0;
  sent = 0;

  constructor(connection: Connection, parts: ConnectionParts, nowMs: number) {
    this.#connection = connection;
    this.#parts = parts;
    this.#openedMs = nowMs;
    this.#decoder = new FrameDecoder(parts.config.zookeeperFrameBytesMax);
    this.ids = idsOf(this.address, connection.certificate?.subject);
    this.judge = new Judge({ access: parts.access, paths: parts.server.paths }, this.address, connection.certificate);
    this.#requests = new Requests(this, parts);
  }

  get address(): string {
    return this.#connection.remoteAddress.replace(/:\d+$/, "");
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** 0: it has none yet. */
  get session(): SessionId {
    return this.#session;
  }

  get queued(): number {
    return this.#places.length;
  }

  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#state === "ended") return;
    this.#decoder.push(chunk);
    this.#parts.server.sessions.heard(this.#session, nowMs);
    this.#proceed();
  }

  waits(bytes: number, nowMs: number): void {
    this.#parts.server.sessions.heard(this.#session, nowMs);
    this.#settle(bytes);
  }

  drained(): void {
    this.#proceed();
  }

  closed(): void {
    this.#end("closed by the client");
  }

  cutOff(reason: "moved" | "ended" | "store away"): void {
    const codes = {
      moved: "ZOOKEEPER_CONNECTION_MOVED",
      ended: "ZOOKEEPER_SESSION_ENDED",
      "store away": "ZOOKEEPER_STORE_AWAY",
    } as const;
    this.end(codes[reason]);
  }

  watched(event: WatchEvent, zxid: number): void {
    if (this.#state !== "serving") return;
    const acl = event.acl ?? this.#parts.server.tree.node(event.path)?.znode.acl;
    if (acl !== undefined && !allows(acl, PERMISSION.read, this.ids)) return;
    if (!this.judge.seesAll && !this.judge.may("fetch", event.path)) return;
    this.#write([this.#parts.server.frameOf(event, zxid)]);
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    // A client that waits for an answer may have nothing to say.
    if (this.#places.length > 0) this.#parts.server.sessions.heard(this.#session, nowMs);
    this.#requests.settleWatches();
    if (this.#state === "greeting" && nowMs - this.#openedMs > GREETING_MS_MAX) return this.end("CLIENT_IDLE");
    if (this.#waiting === undefined || this.#state !== "connecting") return;
    if (!this.#parts.server.isReady) {
      if (nowMs - this.#openedMs > READY_MS_MAX) this.end("ZOOKEEPER_STORE_AWAY");
      return;
    }
    const request = this.#waiting;
    this.#waiting = undefined;
    this.#connect(request);
  }

  /** Ends the connection; its session goes on. */
  end(reason: string): void {
    if (this.#state === "ended") return;
    this.#end(reason);
    this.#connection.close();
  }

  /** Takes the next place in the order of answers. */
  place(isRead = false): Place {
    const place: Place = { make: undefined, isLast: false, isRead };
    if (isRead) this.#readsWaiting++;
    this.#places.push(place);
    return place;
  }

  setHeld(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  /** Writes the answers whose turn it is. */
  flush(): void {
    for (;;) {
      const [next] = this.#places;
      if (next?.make === undefined || this.#state === "ended") return;
      this.#places.shift();
      if (next.isRead) this.#readsWaiting--;
      this.#write(next.make());
      this.sent++;
      if (next.isLast) return this.end("closed by the client");
      if ((this.#held !== undefined || this.#decoder.pendingBytes > 0) && !this.#isProceeding) this.#proceed();
    }
  }

  #proceed(): void {
    this.#isProceeding = true;
    try {
      if (this.#state === "greeting") this.#greet();
      while (this.#mayTake && this.#takeNext());
      this.#settle(0);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.end(error.code);
    } finally {
      this.#isProceeding = false;
    }
  }

  get #mayTake(): boolean {
    const isRead = this.#connection.bufferedBytes <= UNREAD_BYTES_MAX;
    return this.#state === "serving" && isRead && this.#places.length < PLACES_MAX;
  }

  /** Takes the next request; false if there is none, or if it has to wait. */
  #takeNext(): boolean {
    if (this.#isHeld) return false;
    const next = this.#held ?? this.#decode(this.#decoder.next());
    if (next === undefined) return false;
    const { xid, request } = next;
    // A read must not show a write that the client has sent behind it.
    const waits = WRITES.has(request.kind) && this.#readsWaiting > 0;
    this.#held = waits ? next : undefined;
    if (waits) return false;
    this.#requests.take(xid, request);
    this.flush();
    return true;
  }

  #greet(): void {
    const first = this.#decoder.peek(4);
    if (first === undefined) return;
    const word = wordOf(first);
    if (isWord(word)) {
      this.#connection.write(answerWord(word, this.#parts.words));
      return this.end("a command of four letters");
    }
    const frame = this.#decoder.next();
    if (frame === undefined) return;
    this.#state = "connecting";
    this.#connect(decodeConnect(frame));
  }

  #connect(request: ConnectRequest): void {
    const { server } = this.#parts;
    // Right after the start the tree is being read.
    if (!server.isReady) {
      this.#waiting = request;
      return;
    }
    const isAhead = () => request.lastZxidSeen > BigInt(server.tree.lastZxid);
    const isUnknown = () => request.session !== 0n && server.tree.session(Number(request.session)) === undefined;
    if (!isAhead() && !isUnknown()) return this.#begin(request);
    // Another node may have shown the client what this one does not have yet.
    server.sync((isDone) => {
      if (this.#state !== "connecting") return;
      // Its session may well be there.
      if (!isDone) return this.end("ZOOKEEPER_STORE_AWAY");
      if (isAhead()) return this.end("ZOOKEEPER_SERVER_BEHIND");
      this.#begin(request);
    });
  }

  #begin(request: ConnectRequest): void {
    const { config, server } = this.#parts;
    const timeoutMs = Math.min(config.zookeeperSessionMaxMs, Math.max(config.zookeeperSessionMinMs, request.timeoutMs));
    if (request.session === 0n) return this.#beginNew(request, timeoutMs);
    const id = Number(request.session);
    const known = server.tree.session(id);
    if (known === undefined || known.isEnding || !isSame(server.passwordOf(id), request.password)) {
      return this.#refuseExpired(request);
    }
    const { sessions } = server;
    const isSettled = sessions.judges(id) && !sessions.isChanging(id);
    if (isSettled && known.timeoutMs === timeoutMs) return this.#serve(request, id, timeoutMs);
    // It is decided behind the end of the session, if that is under way.
    server.submit({ kind: "moveSession", session: id, judge: server.self, timeoutMs }, ({ kind }) => {
      if (kind === "done") this.#serve(request, id, timeoutMs);
      else if (kind === "refused") this.#refuseExpired(request);
      else this.end("ZOOKEEPER_OUTCOME_UNKNOWN");
    });
  }

  #beginNew(request: ConnectRequest, timeoutMs: number): void {
    const { server } = this.#parts;
    const session = server.newSessionId();
    server.submit({ kind: "beginSession", session, timeoutMs, judge: server.self }, ({ kind }) => {
      if (kind === "done") this.#serve(request, session, timeoutMs);
      else if (this.#state === "connecting" && kind === "refused") this.#beginNew(request, timeoutMs);
      else this.end("ZOOKEEPER_OUTCOME_UNKNOWN");
    });
  }

  #refuseExpired(request: ConnectRequest): void {
    if (this.#state !== "connecting") return;
    this.#connection.write(encodeConnected(EXPIRED, request));
    this.end("ZOOKEEPER_SESSION_ENDED");
  }

  #serve(request: ConnectRequest, session: SessionId, timeoutMs: number): void {
    if (this.#state !== "connecting") return;
    const { server } = this.#parts;
    this.#state = "serving";
    this.#session = session;
    this.timeoutMs = timeoutMs;
    server.sessions.attach(session, this, server.nowMs());
    this.#connection.write(encodeConnected({ timeoutMs, session, password: server.passwordOf(session) }, request));
    this.#proceed();
  }

  #decode(frame: Uint8Array | undefined): DecodedRequest | undefined {
    if (frame === undefined) return undefined;
    const reader = new JuteReader(frame);
    const xid = reader.int();
    const operation = operationOf(reader.int());
    this.requested++;
    this.#parts.counted(operation ?? "unknown");
    try {
      return { xid, request: decodeRequest(operation, reader) };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return { xid, request: { kind: "unreadable" } };
    }
  }

  #write(parts: readonly Uint8Array[]): void {
    this.#connection.write(...parts);
    const { bufferedBytes } = this.#connection;
    if (bufferedBytes > this.#parts.config.clientOutputBytesMax + UNREAD_BYTES_MAX) this.end("CLIENT_TOO_SLOW");
  }

  #settle(waitingBytes: number): void {
    if (this.#state === "ended") return;
    const { account } = this.#parts;
    const refusal =
      account.settleInput(this.#decoder.pendingBytes + waitingBytes) ??
      account.settleOutput(this.#connection.bufferedBytes);
    if (refusal !== undefined) this.end(refusal.code);
  }

  #end(reason: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const { server, account, ended } = this.#parts;
    server.watches.removeAll(this);
    if (this.#session !== 0) server.sessions.detach(this.#session, this);
    this.#places = [];
    this.#requests.close();
    account.close();
    ended(reason);
  }
}

/** Compares in a time that does not depend on where they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
}
