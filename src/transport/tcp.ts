// TCP: sockets on one side, the small interfaces of base/ports.ts on the other.

import { connect, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, TLSSocket } from "node:tls";
import {
  type Acceptor,
  type Cancel,
  type Clock,
  type Connection,
  type ConnectionHandler,
  type PeerCertificate,
  UNREAD_BYTES_MAX,
} from "../base/ports.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { JOINED_BYTES_MAX, join, keepJoined } from "./join.ts";
import { KEEP_ALIVE, type ListenOptions, listenSockets, type SocketListener } from "./listen.ts";
import { ReadTurns } from "./readTurns.ts";
import { certificateShownOn } from "./tls/peerCertificate.ts";

export interface TcpOptions extends ListenOptions {
  readonly clock: Clock;
  readonly accept: Acceptor;
  readonly peers: Peers;
}

/**
 * The kind of peer. A client asks and is answered: the output caused by one chunk leaves together, a client that does
 * not read is not read from, and all clients together get a share of each turn of the event loop. Nodes send unasked:
 * the output caused by a turn of the event loop leaves together, and reading goes on whatever waits; otherwise two
 * nodes with much output would wait for each other for ever.
 */
export type Peers = "clients" | "nodes";

/** The longest wait for a peer that does not read or answer when its connection is ended. */
const END_MS_MAX = 500;

/** Listens; rejects with ADDRESS_IN_USE or CONFIG_INVALID when it can't. */
export function listenTcp(options: TcpOptions): Promise<SocketListener> {
  const { clock, accept, peers } = options;
  const turns = peers === "clients" ? new ReadTurns(clock) : undefined;
  return listenSockets(options, (socket) => {
    const connection = new SocketConnection(socket, peers);
    serve(socket, connection, { handler: accept(connection, clock.nowMs()), clock, turns });
    return connection;
  });
}

export interface DialOptions {
  readonly clock: Clock;
  /** The time for the connection, and for the handshake on it. */
  readonly timeoutMs: number;
  /** Undefined for a connection without TLS. */
  readonly tls?: SecureContext | undefined;
}

/** The result of a dial: exactly one of the two is called, once, after `dialTcp` has returned. */
export interface DialOutcome {
  readonly connected: (connection: Connection, nowMs: number) => ConnectionHandler;
  readonly failed: (reason: string) => void;
}

/**
 * Connects to another node at `host:port`. A name with several addresses is tried at all of them. With TLS the node's
 * authority is checked here; the link compares the certificate with the node's own word (cluster/links), since an
 * address says nothing about the node that is there.
 */
export function dialTcp(address: string, outcome: DialOutcome, { clock, timeoutMs, tls }: DialOptions): Cancel {
  // A missing port is as good as one without a listener.
  const to = parseAddress(address) ?? { host: "localhost", port: 1 };
  const options = { ...to, noDelay: true, ...KEEP_ALIVE, autoSelectFamily: true };
  const socket =
    tls === undefined
      ? connect(options)
      : connectTls({ ...options, secureContext: tls, checkServerIdentity: () => undefined });
  const ready = tls === undefined ? "connect" : "secureConnect";
  let isSettled = false;
  const failed = (reason: string) => {
    settle();
    socket.destroy();
    outcome.failed(reason);
  };
  const onError = (error: Error) => failed(dialError(error));
  const onReady = () => {
    settle();
    // TLS does not take them from the options.
    socket.setNoDelay(true).setKeepAlive(KEEP_ALIVE.keepAlive, KEEP_ALIVE.keepAliveInitialDelay);
    const connection = new SocketConnection(socket, "nodes");
    serve(socket, connection, { handler: outcome.connected(connection, clock.nowMs()), clock, turns: undefined });
  };
  const timer = setTimeout(() => failed(`no connection within ${timeoutMs} ms`), timeoutMs);
  const settle = () => {
    isSettled = true;
    clearTimeout(timer);
    socket.off("error", onError).off(ready, onReady);
    // Errors from here on are followed by a close, or concern no one.
    socket.on("error", () => socket.destroy());
  };
  socket.once("error", onError).once(ready, onReady);
  return () => {
    if (isSettled) return;
    settle();
    socket.destroy();
  };
}

/** With several addresses each has failed in its own way, and the message of the whole is empty. */
function dialError(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join("; ") : error.message;
}

function serve(
  socket: Socket,
  connection: SocketConnection,
  { handler, clock, turns }: { handler: ConnectionHandler; clock: Clock; turns: ReadTurns | undefined },
): void {
  const take = (chunk: Buffer, nowMs: number) => {
    connection.gather(() => handler.received(chunk, nowMs));
    // A client that does not read its answers is not asked for more requests.
    if (connection.peers === "clients" && connection.bufferedBytes > UNREAD_BYTES_MAX) socket.pause();
  };
  // Nothing waits any more if the connection was closed meanwhile.
  const takeNext = () => {
    const chunk = connection.unread.shift();
    if (chunk === undefined) return;
    if (!connection.hasUnread) socket.resume();
    take(chunk, clock.nowMs());
  };
  socket.on("data", (chunk: Buffer) => {
    const nowMs = clock.nowMs();
    if (turns === undefined || turns.hasTime(nowMs)) return take(chunk, nowMs);
    socket.pause();
    connection.unread.push(chunk);
    turns.later(takeNext);
    handler.waits?.(connection.unreadBytes, nowMs);
  });
  connection.onDrained = () => handler.drained(clock.nowMs());
  if (connection.peers === "nodes") socket.on("drain", connection.onDrained);
  // A reset is a close like any other; the close event follows.
  socket.on("error", () => socket.destroy());
  // A peer that has ended its side will not answer pushes either; its unread input would keep the connection open.
  socket.on("end", () => socket.destroy());
  socket.once("close", () => {
    while (connection.hasUnread) takeNext();
    handler.closed(clock.nowMs());
  });
}

// The most bytes that go to the socket in one write if nothing waits before them.
const AT_ONCE_BYTES_MAX = 256 * 1024;
// The size of the pieces for a full socket: a client that takes 4 KB/s is seen to read every 16 s.
const PIECE_BYTES = 64 * 1024;

// The state of OpenSSL and Node for one connection: 50 KiB for each of 4,000 that say nothing, measured as the growth
// of resident memory on loopback.
export const ENCRYPTION_BYTES = 50 * 1024;

const NOTHING = new Uint8Array(0);

// More than this is worth a system call of its own, and a push must see how much is waiting.
const GATHERED_BYTES_MAX = 64 * 1024;

class SocketConnection implements Connection {
  readonly certificate: PeerCertificate | undefined;
  readonly encryptionBytes: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly peers: Peers;
  /** Input that waits for a turn, in order. */
  readonly unread: Buffer[] = [];
  readonly #socket: Socket;
  #gathered: Uint8Array[] | undefined;
  #gatheredBytes = 0;
  // Output that waits for a client whose socket is full.
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  // While a client is not full, nothing waits for it, neither here nor in the socket.
  #isFull = false;
  readonly #isTls: boolean;
  #isLookAsked = false;
  readonly #onWritten = () => this.#written();
  /** Called when output had to wait and none waits any more. */
  onDrained: () => void = () => undefined;

  constructor(socket: Socket, peers: Peers) {
    this.#socket = socket;
    this.peers = peers;
    this.remoteAddress = formatAddress(socket.remoteAddress, socket.remotePort);
    this.localAddress = formatAddress(socket.localAddress, socket.localPort);
    this.#isTls = socket instanceof TLSSocket;
    this.encryptionBytes = this.#isTls ? ENCRYPTION_BYTES : 0;
    this.certificate = certificateShownOn(socket);
  }

  get bufferedBytes(): number {
    if (this.peers === "clients" && !this.#isFull) return this.#gatheredBytes;
    return this.#socket.writableLength + this.#waitingBytes + this.#gatheredBytes;
  }

  get unreadBytes(): number {
    return this.unread.reduce((bytes, chunk) => bytes + chunk.length, 0);
  }

  get hasUnread(): boolean {
    return this.unread.length > 0;
  }

  /** Output written to a client's connection during `run` leaves together: the answers to all frames of one chunk. */
  gather(run: () => void): void {
    if (this.peers === "nodes") return run();
    this.#gathered = [];
    run();
    this.#endGathering();
  }

  write(...parts: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (parts.length === 0 || socket.destroyed || socket.writableEnded) return;
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (this.peers === "nodes" && this.#gathered === undefined) {
      this.#gathered = [];
      // After all readable sockets of this turn.
      setImmediate(() => this.#endGathering());
    }
    if (this.#gathered !== undefined && this.#gatheredBytes + bytes <= GATHERED_BYTES_MAX) {
      this.#gathered.push(...parts);
      this.#gatheredBytes += bytes;
      return;
    }
    this.#sendGathered();
    this.#send(parts, bytes);
  }

  #send(parts: readonly Uint8Array[], bytes: number): void {
    const socket = this.#socket;
    if (bytes === 0 || socket.destroyed || socket.writableEnded) return;
    if (this.peers === "clients" && (bytes > AT_ONCE_BYTES_MAX || this.#isFull)) return this.#wait(parts, bytes);
    if (parts.length > 1 && bytes <= JOINED_BYTES_MAX) {
      // Output that waits behind earlier bytes gets a buffer of its own size: a few bytes must not keep 64 KiB in
      // memory.
      if (this.#isTls || socket.writableLength > 0) socket.write(Buffer.concat(parts));
      else {
        socket.write(join(parts, bytes));
        if (socket.writableLength > 0) keepJoined();
      }
    } else this.#writeParts(parts);
    if (socket.writableLength > 0) this.#awaitWritten();
  }

  #writeParts(parts: readonly Uint8Array[], onWritten?: () => void): void {
    const socket = this.#socket;
    const last = parts.length - 1;
    socket.cork();
    for (const [at, part] of parts.entries()) socket.write(part, at === last ? onWritten : undefined);
    socket.uncork();
  }

  /** Nearly all writes leave at once; only for the others must the end be known. */
  #awaitWritten(): void {
    if (this.peers === "nodes") return;
    if (this.#isTls && this.#socket.writableLength <= AT_ONCE_BYTES_MAX) return this.#lookNextTurn();
    this.#setFull();
  }

  /**
   * TLS reports what it has sent at the end of the turn, and until then everything seems to wait. A client whose output
   * had to wait has read it, and counts as alive: so only what is still here in the next turn has waited.
   */
  #lookNextTurn(): void {
    if (this.#isLookAsked) return;
    this.#isLookAsked = true;
    setImmediate(() => {
      this.#isLookAsked = false;
      const { writableLength, destroyed, writableEnded } = this.#socket;
      if (writableLength > 0 && !this.#isFull && !destroyed && !writableEnded) this.#setFull();
    });
  }

  #setFull(): void {
    this.#isFull = true;
    this.#socket.write(NOTHING, this.#onWritten);
  }

  close(): void {
    // An answer that explains the close goes out before it.
    this.#endGathering();
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (!this.#socket.destroyed && !this.#socket.writableEnded) for (const part of waiting) this.#socket.write(part);
    end(this.#socket);
  }

  /**
   * Writes waiting output in pieces. The socket reports only that a whole write has left: the pieces distinguish a
   * client that reads slowly from one that does not read.
   */
  #wait(parts: readonly Uint8Array[], bytes: number): void {
    if (parts.length > 1 && bytes <= JOINED_BYTES_MAX) this.#waiting.push(Buffer.concat(parts));
    else this.#waiting.push(...parts);
    this.#waitingBytes += bytes;
    if (this.#isFull) return;
    this.#fill();
    // Earlier output of this turn, which TLS has not reported yet, leaves first.
    if (this.#waitingBytes > 0 && !this.#isFull) this.#setFull();
  }

  #fill(): void {
    const socket = this.#socket;
    while (this.#waitingBytes > 0 && socket.writableLength === 0 && !socket.destroyed && !socket.writableEnded) {
      if (this.#isFull) this.#writeParts(this.#takePiece(PIECE_BYTES), this.#onWritten);
      else {
        this.#writeParts(this.#takePiece(AT_ONCE_BYTES_MAX));
        // More waits behind it.
        if (socket.writableLength > 0) this.#setFull();
      }
    }
  }

  /** Takes up to `bytesMax` of the waiting output. */
  #takePiece(bytesMax: number): Uint8Array[] {
    const piece: Uint8Array[] = [];
    let room = bytesMax;
    for (const part of this.#waiting) {
      if (part.length > room) break;
      piece.push(part);
      room -= part.length;
    }
    this.#waiting.splice(0, piece.length);
    const [next] = this.#waiting;
    if (next !== undefined && room > 0) {
      piece.push(next.subarray(0, room));
      this.#waiting[0] = next.subarray(room);
      room = 0;
    }
    this.#waitingBytes -= bytesMax - room;
    return piece;
  }

  /** The waiting output has left, or a piece of it. */
  #written(): void {
    if (!this.#isFull) return;
    this.#fill();
    if (this.bufferedBytes <= UNREAD_BYTES_MAX && !this.hasUnread) this.#socket.resume();
    if (this.#waitingBytes + this.#socket.writableLength > 0) return;
    this.#isFull = false;
    this.onDrained();
  }

  #endGathering(): void {
    this.#sendGathered();
    this.#gathered = undefined;
  }

  #sendGathered(): void {
    const gathered = this.#gathered;
    if (gathered === undefined || gathered.length === 0) return;
    const bytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#send(gathered, bytes);
  }
}

function end(socket: Socket): void {
  if (socket.destroyed || socket.writableEnded) return;
  socket.end();
  destroySoon(socket);
}

/** Destroys a socket that is being ended, should its peer not end it too. */
export function destroySoon(socket: Socket): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), END_MS_MAX);
  socket.once("close", () => clearTimeout(timer));
}
